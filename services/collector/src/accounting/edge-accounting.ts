/*
 * The accounting of one incarnation: interface metrics in windows, and the account. Both count a batch in one step when
 * it is logged. So metrics, accounts and sent batches agree at every position of the log, and the accounting of a killed
 * incarnation is recovered from it. No I/O: the owner of the log writes the rows.
 */
import { EDGE_ACCOUNT_SCHEMA, INTERFACE_METRIC_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { isKeyedBoot } from '@imscope/schemas/batch-headers.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { decodeContainer } from '@imscope/schemas/container-decoder.js';
import type { EdgeAccount } from '@imscope/schemas/edge-account.js';
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import { type Lane, type LaneMap, laneOf } from '@imscope/schemas/lanes.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { type BatchCounts, countedRequest } from './batch-counts.js';
import type { CollectorFacts } from './collector-facts.js';
import { EdgeAccounts } from './edge-accounts.js';
import { MetricWindows, type Series } from './metric-windows.js';
import { packRows, type RowContainer } from './row-containers.js';
import { type BatchBody, type BatchHead, type Rejections, widthAt } from '../spool/batch-entry.js';
import type { CoveredSpan } from '../spool/segment-head.js';
import { UnloggedCounts } from './unlogged-counts.js';

/** All accounts of an incarnation go to one partition, so that they stay in order. */
const ACCOUNT_LANE: Lane = { name: 'accounts', partitions: [0], shard: 0 };
/** Memory of a window of unlogged requests, roughly. */
const WINDOW_BYTES = 1_024;
/** Pairs of application and reason kept for the next batch; the account of a killed incarnation lacks further ones. */
const REJECTIONS_MAX = 10_000;

export type EdgeAccountingOptions = {
  readonly collector: string;
  readonly boot: string;
  readonly version: string;
  readonly startedMs: number;
  readonly covers?: CoveredSpan | undefined;
  readonly facts: () => CollectorFacts;
  readonly metricGraceMs: number;
  readonly metricWindowsMax: number;
  readonly metricLanes: LaneMap;
  /** See `MetricWindowsOptions`. */
  readonly hold: (segment: number) => void;
  readonly release: (segment: number) => void;
};

/** What a batch adds to metrics and accounts once it is logged. */
export type CountedBatch = {
  readonly counts: BatchCounts<Series>;
  /** Requests that are counted without being logged one by one. */
  unlogged: UnloggedCounts | undefined;
};

/** Records refused, by application and reason. */
export type RejectedRecords = ReadonlyMap<number, ReadonlyMap<string, number>>;

/** The rows of closed windows, and the segments to release once the rows are logged. */
export type ClosedWindows = {
  readonly containers: readonly RowContainer[];
  readonly rows: number;
  readonly segments: readonly number[];
};

export class EdgeAccounting {
  readonly #options: EdgeAccountingOptions;
  readonly #windows: MetricWindows;
  readonly #accounts: EdgeAccounts;
  #rejections: [sdkAppId: number, reason: string, records: number][] = [];

  constructor(options: EdgeAccountingOptions) {
    this.#options = options;
    const { metricGraceMs: graceMs, metricWindowsMax: windowsMax, hold, release } = options;
    this.#windows = new MetricWindows({ graceMs, windowsMax, hold, release });
    this.#accounts = new EdgeAccounts(options);
  }

  get windows(): Pick<MetricWindows, 'open' | 'seriesKnown' | 'full' | 'earlyWindows' | 'tooLate'> {
    return this.#windows;
  }

  get accounts(): Pick<EdgeAccounts, 'applications' | 'overflowed'> {
    return this.#accounts;
  }

  /** Adds a record to what its batch counts. */
  count(batch: CountedBatch, record: NewRequestLog, nowMs: number): void {
    const series = this.#windows.seriesOf(record);
    series.pending += 1;
    batch.counts.append(series, record, this.#windows.widthOf(series, record.time, nowMs));
  }

  /** Adds a request that is counted without being logged. @returns the memory it takes, bytes */
  countUnlogged(batch: CountedBatch, record: NewRequestLog, nowMs: number): number {
    const series = this.#windows.seriesOf(record);
    const widthS = this.#windows.widthOf(series, record.time, nowMs);
    const unlogged = (batch.unlogged ??= new UnloggedCounts());
    return unlogged.add(series, record, widthS) ? WINDOW_BYTES : 0;
  }

  /** Counts a batch of request logs that is in the log now. @param bytes of its container */
  logged(batch: CountedBatch, head: BatchHead, segment: number, bytes: number): void {
    batch.counts.forEach((series) => this.#accounts.accept(series.sdkAppId));
    this.#windows.merge(batch.counts, segment, head.loggedMs);
    for (const row of batch.unlogged?.rows() ?? []) this.#windows.mergeRow(row, segment, head.loggedMs);
    this.#countHead(head, bytes);
    batch.counts.clear();
  }

  /** A batch that was not logged: nothing of it is counted. */
  refused(batch: CountedBatch): void {
    batch.counts.forEach((series) => (series.pending -= 1));
    batch.counts.clear();
  }

  /** Counts a batch of metrics or accounts that is in the log now. */
  sent(head: BatchHead): void {
    const { partition, sequence, boot } = head.id;
    this.#accounts.sent(head.topic, { partition, sequence, keyed: isKeyedBoot(boot) }, head.records);
  }

  rejected(rejected: RejectedRecords): void {
    for (const [sdkAppId, reasons] of rejected) {
      for (const [reason, records] of reasons) {
        this.#accounts.reject(sdkAppId, reason, records);
        if (this.#rejections.length < REJECTIONS_MAX) this.#rejections.push([sdkAppId, reason, records]);
      }
    }
  }

  /** What was refused since the last call: it is counted already, and is logged with the next batch. */
  drainRejections(): Rejections {
    const rejections = this.#rejections;
    this.#rejections = [];
    return rejections;
  }

  /** Closes windows that are due; all with `nowMs` infinite. */
  closeWindows(nowMs: number, windowsMax: number): ClosedWindows {
    const windows = this.#windows.closeDue(nowMs, windowsMax);
    const rows = windows.map((window) => window.row());
    const { metricLanes } = this.#options;
    return {
      containers: packRows(
        INTERFACE_METRIC_SCHEMA,
        rows,
        (row) => laneOf(metricLanes, row.sdk_app_id),
        (row) => row.window_start,
      ),
      rows: rows.length,
      segments: windows.map(({ segment }) => segment),
    };
  }

  /** The account as of now, ready to be sent. Uses one sequence. */
  nextAccount(nowMs: number, kind: 'running' | 'final'): RowContainer[] {
    const rows = this.#accounts.next(nowMs, kind);
    return packRows(
      EDGE_ACCOUNT_SCHEMA,
      rows,
      () => ACCOUNT_LANE,
      () => nowMs,
    );
  }

  /** The state of the accounts as one container, to restore from. It includes pending rejections, which it removes. */
  state(nowMs: number): Buffer {
    this.#rejections = [];
    const builder = new BlockBuilder<EdgeAccount>(EDGE_ACCOUNT_SCHEMA);
    for (const row of this.#accounts.state(nowMs)) builder.append(row);
    return builder.finish();
  }

  nextSequence(topic: string, partition: number): number {
    return this.#accounts.nextSequence(topic, partition);
  }

  restore(state: Buffer): void {
    this.#accounts.restore(decode<EdgeAccount>(state));
  }

  /** Counts a batch of the log during recovery. @param into which of accounts and windows do not include it yet */
  replay(
    head: BatchHead,
    body: BatchBody,
    segment: number,
    into: { readonly accounts: boolean; readonly windows: boolean },
  ): void {
    if (head.moved === true) return;
    if (head.topic === TOPICS.edgeAccount.name) {
      for (const { sequence } of decode<EdgeAccount>(body.container)) this.#accounts.skipTo(sequence);
      if (into.accounts) this.sent(head);
    } else if (head.topic === TOPICS.interfaceMetric.name) {
      if (into.windows) for (const row of decode<InterfaceMetric>(body.container)) this.#windows.remove(row);
      if (into.accounts) this.sent(head);
    } else this.#replayRequests(head, body, segment, into);
  }

  #replayRequests(
    head: BatchHead,
    body: BatchBody,
    segment: number,
    into: { readonly accounts: boolean; readonly windows: boolean },
  ): void {
    const { loggedMs } = head;
    const records = head.records === 0 ? [] : decode<RequestLog>(body.container);
    if (into.accounts) {
      for (const { sdk_app_id: id } of records) this.#accounts.accept(id);
      for (const [id, reason, refused] of head.rejections ?? []) this.#accounts.reject(id, reason, refused);
      this.#countHead(head, body.container.length);
    }
    if (!into.windows) return;
    records.forEach((record, index) => {
      const series = this.#windows.seriesOf(record);
      this.#windows.add(series, countedRequest(record, widthAt(body.widths, index)), segment, loggedMs);
    });
    for (const row of body.unlogged) this.#windows.mergeRow(row, segment, loggedMs);
  }

  #countHead(head: BatchHead, bytes: number): void {
    for (const [id, requests] of head.sampledOut ?? []) this.#accounts.sampleOut(id, requests);
    if (head.records === 0) return;
    this.sent(head);
    this.#accounts.sentContainer(bytes);
  }
}

function decode<T>(container: Buffer): T[] {
  const decoded = decodeContainer(container, undefined);
  if (!decoded.ok) throw new Error(`a container in the spool cannot be read: ${decoded.fault}`);
  return decoded.records as T[];
}
