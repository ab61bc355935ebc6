/*
 * One incarnation of a collector, which is the life of one process: its log and its accounting, which change together. A
 * batch of request logs is logged, counted and handed to delivery in one step, and its outcome is decided here, once. A
 * killed incarnation is recovered from its log by `recover-incarnation.ts`, and ends like one that is stopped.
 */
import type { LaneMap } from '@imscope/schemas/lanes.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Batch } from '../batches/batch.js';
import { IncarnationLog, type IncarnationLogOptions, type NewBatch } from './incarnation-log.js';
import type { ByteBudget } from '../limits/byte-budget.js';
import type { Delivery } from './delivery.js';
import type { CollectorFacts } from '../accounting/collector-facts.js';
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

/** Windows written in one cut: it takes about 5 ms, so that a full minute of windows delays no request. */
const WINDOWS_PER_CUT = 500;
const EMPTY = Buffer.alloc(0);
/** In the head of a batch with counts only, of which nothing is sent to Kafka. */
const NO_SEQUENCE = -1;

/** As the head of a segment and the accounts have it. */
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
  /** Of the collector that writes the accounts, also those of an earlier incarnation. */
  readonly facts: () => CollectorFacts;
};

/** The partition of a batch of request logs, and its sequence where the batch is keyed. */
export type Target = { readonly partition: number; readonly sequence?: number };

export class Incarnation {
  readonly accounting: EdgeAccounting;
  readonly log: Pick<
    IncarnationLog,
    | 'failure'
    | 'resume'
    | 'writeMark'
    | 'expire'
    | 'adopt'
    | 'hold'
    | 'release'
    | 'idle'
    | 'finish'
    | 'abandon'
  >;
  readonly #options: IncarnationOptions;
  readonly #log: IncarnationLog;
  readonly #windowHolds = new SegmentHolds();
  /** Logged, but neither acknowledged nor synced, so that requests wait. With the time of logging, monotonic. */
  readonly #waiting = new Map<Batch, { readonly logged: LoggedBatch; readonly sinceMs: number }>();
  #cutting = false;
  #counted = { tooLate: 0, early: 0, overflowed: 0 };

  constructor(options: IncarnationOptions) {
    this.#options = options;
    const { identity, metricLanes, settings, facts } = options;
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
      facts,
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

  /** Batches in the log that requests wait for. */
  get waitedFor(): readonly Batch[] {
    return [...this.#waiting.keys()];
  }

  /**
   * Logs a batch of request logs. With `synced` it is durable then, else once Kafka acknowledges it or `sync` succeeds.
   * `target` is called when its round begins.
   */
  append(
    batch: Batch,
    options: {
      readonly synced: boolean;
      readonly target: () => Target;
      /** Called with its segment of the log; with undefined where it was refused. */
      readonly onDone: (segment: number | undefined) => void;
    },
  ): void {
    const { synced, target, onDone } = options;
    this.#log.append({
      synced,
      make: () => this.#newBatch(batch, target()),
      onLogged: (head, location) => {
        this.#logged(batch, head, location, synced);
        onDone(location.segment);
      },
      onRefused: (refusal) => {
        this.accounting.refused(batch);
        this.#releaseMemory(batch);
        this.settle(batch, refusal);
        onDone(undefined);
      },
    });
  }

  /** Only the first outcome of a batch counts. */
  settle(batch: Batch, outcome: 'durable' | 'not_taken' | 'in_doubt'): void {
    if (batch.settle(outcome)) this.#options.metrics.settled(outcome, batch);
  }

  /** Makes everything logged so far durable, whether Kafka has it or not. */
  async sync(): Promise<void> {
    const covered = [...this.#waiting];
    await this.#log.sync();
    for (const [batch, { logged }] of covered) this.#durable(batch, logged);
  }

  /** True where a batch waits for Kafka longer than `ms`. */
  waitsLongerThan(ms: number): boolean {
    const before = performance.now() - ms;
    // Oldest first, so the first decides.
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
      make: () => this.#rowBatches(TOPICS.edgeAccount.name, this.accounting.nextAccount(Date.now(), kind)),
      after: kind === 'final' ? [encodeJson('closed', {})] : [],
      synced: kind === 'final',
      onLogged: (head) => this.accounting.sent(head),
    });
    metrics.accountsWritten.inc();
  }

  /** Writes all open windows and the final account. Nothing more may be appended. */
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
        const closed = this.accounting.closeWindows(nowMs, WINDOWS_PER_CUT);
        ({ rows, segments } = closed);
        return this.#rowBatches(TOPICS.interfaceMetric.name, closed.containers);
      },
      after: [],
      synced,
      onLogged: (head) => this.accounting.sent(head),
    });
    for (const segment of segments) this.#releaseWindow(segment);
    this.#options.metrics.metricRowsWritten.inc(rows);
    return rows;
  }

  #logged(batch: Batch, head: BatchHead, location: Location, synced: boolean): void {
    this.accounting.logged(batch, head, location.segment, batch.container?.length ?? 0);
    if (this.accounting.windows.full) setImmediate(() => this.writeDueWindows(Date.now()));
    if (head.records === 0) {
      // Counts only: they are in the accounting, and are sent with metrics and account.
      this.#releaseMemory(batch);
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
    this.#releaseMemory(batch);
    this.settle(batch, 'durable');
  }

  #releaseMemory(batch: Batch): void {
    this.#options.budget.release(batch.bytesHeld);
    batch.bytesHeld = 0;
    batch.container = undefined;
  }

  #newBatch(batch: Batch, target: Target): NewBatch {
    const rejections = this.accounting.drainRejections();
    const sampledOut = [...(batch.unlogged?.byApplication ?? [])];
    const topic = TOPICS.requestLog.name;
    const { partition, sequence } = target;
    const counted = batch.records > 0;
    const keyed = batch.keyedBoot !== undefined && sequence !== undefined;
    const id = keyed
      ? { boot: batch.keyedBoot, partition, sequence }
      : counted
        ? this.#log.sequences.next(topic, partition)
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
      const id = this.#log.sequences.next(topic, this.#log.delivery(topic).leastQueued(lane));
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
