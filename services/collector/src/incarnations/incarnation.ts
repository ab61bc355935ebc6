/*
 * One boot of a collector: its books and its log, moving as one. A batch of request logs is logged, counted and
 * given to delivery in one step; what it came to is decided here, once. A boot that was killed is made again from
 * its log by `recover-boot.ts`, and ends like one that is stopped.
 */
import type { LaneMap } from '@imscope/schemas/lanes.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Batch } from '../batches/batch.js';
import { IncarnationLog, type IncarnationLogOptions, type NewBatch } from './incarnation-log.js';
import type { ByteBudget } from '../limits/byte-budget.js';
import type { Delivery } from './delivery.js';
import type { CoveredSpan } from '../spool/segment-head.js';
import { EdgeAccounting } from '../accounting/edge-accounting.js';
import type { EdgeTopic } from '../kafka/kafka-producer.js';
import type { LoggedBatch } from './logged-batch.js';
import type { RowContainer } from '../accounting/row-containers.js';
import { SegmentHolds } from './segment-holds.js';
import { type BatchHead, packWidths } from '../spool/batch-entry.js';
import { type EncodedEntry, encodeEntry, encodeJson } from '../spool/entry.js';
import type { Location } from '../spool/segment.js';
import type { SegmentHead } from '../spool/segment-head.js';

/** Windows written in one cut: about 5 ms, so that a full minute of windows delays nobody. */
const WINDOWS_PER_CUT = 500;
const EMPTY = Buffer.alloc(0);
/** In the head of a batch that holds only counts: nothing of it goes to Kafka. */
const NO_SEQUENCE = -1;

export type IncarnationIdentity = {
  readonly collector: string;
  readonly boot: string;
  readonly version: string;
  readonly startedMs: number;
  readonly covers?: CoveredSpan | undefined;
};

export type IncarnationOptions = Omit<
  IncarnationLogOptions,
  'incarnation' | 'segmentHead' | 'nextSequence' | 'inFlightMax'
> & {
  readonly identity: IncarnationIdentity;
  readonly metricLanes: LaneMap;
  readonly settings: {
    readonly metricGraceMs: number;
    readonly metricWindowsMax: number;
    readonly produceInFlightMax: number;
  };
  readonly budget: ByteBudget;
};

/** Where a batch of request logs goes: its partition, and its sequence where the batch is keyed. */
export type Place = { readonly partition: number; readonly sequence?: number };

export class Incarnation {
  readonly accounting: EdgeAccounting;
  readonly log: Pick<
    IncarnationLog,
    'failure' | 'pump' | 'writeMark' | 'expire' | 'adopt' | 'hold' | 'release' | 'idle' | 'finish' | 'abandon'
  >;
  readonly #options: IncarnationOptions;
  readonly #log: IncarnationLog;
  readonly #windowHolds = new SegmentHolds();
  /** Logged, but neither acknowledged nor synced: requests wait. With the time each was logged, monotonic. */
  readonly #waiting = new Map<Batch, { readonly logged: LoggedBatch; readonly sinceMs: number }>();
  #cutting = false;
  #counted = { tooLate: 0, early: 0, overflowed: 0 };

  constructor(options: IncarnationOptions) {
    this.#options = options;
    const { identity, metricLanes, settings } = options;
    this.#log = new IncarnationLog({
      ...options,
      incarnation: identity.boot,
      inFlightMax: settings.produceInFlightMax,
      segmentHead: () => this.#segmentHead(),
      nextSequence: (topic, partition) => this.accounting.nextSequence(topic, partition),
    });
    this.log = this.#log;
    this.accounting = new EdgeAccounting({
      ...identity,
      ...settings,
      metricLanes,
      hold: (segment) => {
        this.#windowHolds.hold(segment);
        this.#log.hold(segment);
      },
      release: (segment) => this.#releaseWindow(segment),
    });
  }

  get id(): string {
    return this.#options.identity.boot;
  }

  get requestLogs(): Pick<
    Delivery,
    'freePartition' | 'leastQueued' | 'backlogged' | 'idle' | 'inFlight' | 'waiting'
  > {
    return this.#log.delivery(TOPICS.requestLog.name);
  }

  /** Requests wait for these batches, which are in the log. */
  get waitedFor(): readonly Batch[] {
    return [...this.#waiting.keys()];
  }

  /**
   * Logs a batch of request logs; with `synced` it is durable once that is done, else once Kafka has it or
   * `sync` went through. `place` is asked when its turn comes.
   */
  append(
    batch: Batch,
    options: {
      readonly synced: boolean;
      readonly place: () => Place;
      /** With the segment of the log it stands in; undefined where it was refused. */
      readonly onDone: (segment: number | undefined) => void;
    },
  ): void {
    const { synced, place, onDone } = options;
    this.#log.append({
      synced,
      make: () => this.#newBatch(batch, place()),
      onLogged: (head, location) => {
        this.#logged(batch, head, location, synced);
        onDone(location.segment);
      },
      onRefused: (refusal) => {
        this.accounting.refused(batch);
        this.#letGo(batch);
        this.settle(batch, refusal);
        onDone(undefined);
      },
    });
  }

  /** The first outcome of a batch of request logs holds. */
  settle(batch: Batch, outcome: 'durable' | 'not_taken' | 'in_doubt'): void {
    if (batch.settle(outcome)) this.#options.metrics.settled(outcome, batch);
  }

  /** Everything logged so far is durable afterwards, whether Kafka has it or not. */
  async sync(): Promise<void> {
    const covered = [...this.#waiting];
    await this.#log.sync();
    for (const [batch, { logged }] of covered) this.#durable(batch, logged);
  }

  /** True where a batch waits for Kafka longer than `ms`. */
  waitsLongerThan(ms: number): boolean {
    const before = performance.now() - ms;
    // Oldest first: the first decides.
    for (const { sinceMs } of this.#waiting.values()) return sinceMs < before;
    return false;
  }

  /** Writes the windows that are due. */
  writeDueWindows(nowMs: number): void {
    this.#countBounds();
    if (this.#cutting || this.#log.failure !== undefined) return;
    void this.#writeWindowsDue(nowMs);
  }

  /** Writes the account as of now; a final one closes the log. */
  async writeAccount(kind: 'running' | 'final'): Promise<void> {
    const { metrics } = this.#options;
    if (kind === 'running' && this.#log.failure !== undefined) {
      metrics.accountsSkipped.inc();
      return;
    }
    await this.#log.cut({
      make: () => this.#rowBatches(TOPICS.edgeAccount.name, this.accounting.takeAccount(Date.now(), kind)),
      behind: kind === 'final' ? [encodeJson('closed', {})] : [],
      synced: kind === 'final',
      onLogged: (head) => this.accounting.sent(head),
    });
    metrics.accountsWritten.inc();
  }

  /** Writes what the books still hold and the final account. Nothing more may be appended. */
  async close(): Promise<void> {
    let rows = WINDOWS_PER_CUT;
    while (rows >= WINDOWS_PER_CUT) rows = await this.#cutWindows(Number.POSITIVE_INFINITY, true);
    await this.writeAccount('final');
  }

  async #writeWindowsDue(nowMs: number): Promise<void> {
    this.#cutting = true;
    const rows = await this.#cutWindows(nowMs, false);
    this.#cutting = false;
    if (rows >= WINDOWS_PER_CUT) setImmediate(() => this.writeDueWindows(Date.now()));
  }

  async #cutWindows(nowMs: number, synced: boolean): Promise<number> {
    let rows = 0;
    let segments: readonly number[] = [];
    await this.#log.cut({
      make: () => {
        const taken = this.accounting.takeWindows(nowMs, WINDOWS_PER_CUT);
        ({ rows, segments } = taken);
        return this.#rowBatches(TOPICS.interfaceMetric.name, taken.containers);
      },
      behind: [],
      synced,
      onLogged: (head) => this.accounting.sent(head),
    });
    for (const segment of segments) this.#releaseWindow(segment);
    this.#options.metrics.metricRowsWritten.inc(rows);
    return rows;
  }

  #logged(batch: Batch, head: BatchHead, location: Location, synced: boolean): void {
    this.accounting.logged(batch, head, location.segment);
    if (this.accounting.windows.full) setImmediate(() => this.writeDueWindows(Date.now()));
    if (head.records === 0) {
      // Only counts: they are in the books, and go out with the metrics and the account.
      this.#letGo(batch);
      this.settle(batch, 'durable');
      return;
    }
    this.#options.metrics.batchRecords.observe(head.records);
    const container = synced ? undefined : batch.container;
    const logged = this.#log.enqueue(head, location, container, () => this.#durable(batch, logged));
    if (synced) this.#durable(batch, logged);
    else this.#waiting.set(batch, { logged, sinceMs: performance.now() });
  }

  #durable(batch: Batch, logged: LoggedBatch): void {
    this.#waiting.delete(batch);
    logged.container = undefined;
    this.#letGo(batch);
    this.settle(batch, 'durable');
  }

  #letGo(batch: Batch): void {
    this.#options.budget.release(batch.bytesHeld);
    batch.bytesHeld = 0;
    batch.container = undefined;
  }

  #newBatch(batch: Batch, place: Place): NewBatch {
    const rejections = this.accounting.takeRejections();
    const sampledOut = [...(batch.unlogged?.byApplication ?? [])];
    const topic = TOPICS.requestLog.name;
    const { partition, sequence } = place;
    const counted = batch.records > 0;
    const keyed = batch.keyedBoot !== undefined && sequence !== undefined;
    const ownId = () => this.#log.sequences.take(topic, partition);
    const id = keyed
      ? { boot: batch.keyedBoot, partition, sequence }
      : counted
        ? ownId()
        : { boot: this.id, partition, sequence: NO_SEQUENCE };
    return {
      head: {
        topic,
        id,
        records: batch.records,
        times: { least: batch.timeLeast, greatest: batch.timeGreatest },
        loggedMs: Date.now(),
        ...(rejections.length > 0 ? { rejections } : {}),
        ...(sampledOut.length > 0 ? { sampledOut } : {}),
        ...(batch.tail === undefined ? {} : { tail: batch.tail }),
      },
      body: {
        container: batch.container ?? EMPTY,
        widths: packWidths(batch.counts.widths()),
        unlogged: batch.unlogged?.rows() ?? [],
      },
    };
  }

  #rowBatches(topic: EdgeTopic, containers: readonly RowContainer[]): NewBatch[] {
    return containers.map(({ lane, container, records, times }) => {
      const id = this.#log.sequences.take(topic, this.#log.delivery(topic).leastQueued(lane));
      return {
        head: { topic, id, records, times, loggedMs: Date.now() },
        body: { container, widths: EMPTY, unlogged: [] },
      };
    });
  }

  #releaseWindow(segment: number): void {
    this.#windowHolds.release(segment);
    this.#log.release(segment);
  }

  #segmentHead(): readonly EncodedEntry[] {
    const head: SegmentHead = {
      format: 1,
      ...this.#options.identity,
      windowsFrom: this.#windowHolds.oldest,
      acknowledged: this.#log.acknowledged(),
    };
    return [encodeJson('open', head), encodeEntry('accounts', [this.accounting.state(Date.now())])];
  }

  #countBounds(): void {
    const { metrics } = this.#options;
    const { tooLate, earlyWindows: early } = this.accounting.windows;
    const { overflowed } = this.accounting.accounts;
    metrics.metricRecordsTooLate.inc(tooLate - this.#counted.tooLate);
    metrics.metricWindowsEarly.inc(early - this.#counted.early);
    metrics.accountOverflows.inc(overflowed - this.#counted.overflowed);
    this.#counted = { tooLate, early, overflowed };
  }
}
