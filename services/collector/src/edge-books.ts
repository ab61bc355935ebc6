/*
 * Keeps the books of the edge and sends them: interface metrics as their windows fall due, the account every
 * minute even at zero. Both count a batch in the one moment Kafka acknowledges it, so metrics, accounts and logs
 * agree. What cannot be sent stays in the windows and in the cumulative account: nothing is dropped while the
 * collector runs.
 */
import { EDGE_ACCOUNT_SCHEMA, INTERFACE_METRIC_SCHEMA } from '@imscope/schemas/avro-schema.js';
import type { BatchId } from '@imscope/schemas/batch-headers.js';
import type { EdgeAccount } from '@imscope/schemas/edge-account.js';
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import { type Lane, laneOf, singleLane } from '@imscope/schemas/lanes.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Batch } from './batch.js';
import { ByteBudget } from './byte-budget.js';
import { Delivery } from './delivery.js';
import { EdgeAccounts } from './edge-accounts.js';
import type { Intake } from './intake.js';
import type { KafkaAvailability } from './kafka-availability.js';
import type { KafkaProducer, TopicProducer } from './kafka-producer.js';
import { MetricWindows, type Series } from './metric-windows.js';
import type { CollectorMetrics } from './metrics.js';
import { RowBatcher } from './row-batcher.js';

/** How often windows are held against the clock. */
const TICK_MS = 1_000;
/** Rows written in one turn of the event loop: about 5 ms, so that a full minute of windows delays nobody. */
const ROWS_PER_TURN = 500;
const METRICS_IN_FLIGHT_MAX = 4;
/** Beyond this many bytes of unsent accounts the next one is skipped: it would say the same and more. */
const ACCOUNT_BYTES_MAX = 8 << 20;

export type EdgeBooksOptions = {
  readonly collector: string;
  readonly boot: string;
  readonly version: string;
  readonly accountIntervalMs: number;
  readonly metricGraceMs: number;
  readonly metricWindowsMax: number;
  readonly metricBufferBytesMax: number;
  readonly producer: Pick<KafkaProducer, 'interfaceMetric' | 'edgeAccount'>;
  readonly availability: Pick<KafkaAvailability, 'failure'>;
  readonly metrics: CollectorMetrics;
  readonly logger: Logger;
};

export class EdgeBooks {
  readonly #options: EdgeBooksOptions;
  readonly #windows: MetricWindows;
  readonly #accounts: EdgeAccounts;
  readonly #metricBudget: ByteBudget;
  readonly #accountBudget = new ByteBudget(ACCOUNT_BYTES_MAX);
  readonly #metricLanes: ReturnType<typeof singleLane>;
  /** All accounts of a boot go to one partition, so that they stand in their order. */
  readonly #accountLane: Lane;
  readonly #metricRows: RowBatcher<InterfaceMetric>;
  readonly #accountRows: RowBatcher<EdgeAccount>;
  readonly #metricDelivery: Delivery;
  readonly #accountDelivery: Delivery;
  readonly #timers: NodeJS.Timeout[];
  #counted = { tooLate: 0, early: 0, overflowed: 0 };

  constructor(options: EdgeBooksOptions) {
    this.#options = options;
    const { collector, boot, version, metricGraceMs: graceMs, metricWindowsMax: windowsMax } = options;
    this.#windows = new MetricWindows({ graceMs, windowsMax });
    this.#accounts = new EdgeAccounts({ collector, boot, version, startedMs: Date.now() });
    this.#metricBudget = new ByteBudget(options.metricBufferBytesMax);
    this.#metricLanes = singleLane(options.producer.interfaceMetric.partitions);
    this.#accountLane = { name: 'accounts', partitions: [0], shard: 0 };
    this.#metricRows = new RowBatcher(INTERFACE_METRIC_SCHEMA, this.#metricLanes.lanes, this.#metricBudget);
    this.#accountRows = new RowBatcher(EDGE_ACCOUNT_SCHEMA, [this.#accountLane], this.#accountBudget);
    const { interfaceMetric, edgeAccount } = options.producer;
    this.#metricDelivery = this.#deliveryOf({
      topic: TOPICS.interfaceMetric.name,
      lanes: this.#metricLanes.lanes,
      producer: interfaceMetric,
      rows: this.#metricRows,
      budget: this.#metricBudget,
    });
    this.#accountDelivery = this.#deliveryOf({
      topic: TOPICS.edgeAccount.name,
      lanes: [this.#accountLane],
      producer: edgeAccount,
      rows: this.#accountRows,
      budget: this.#accountBudget,
    });
    this.#writeAccount('running');
    this.#timers = [
      setInterval(() => this.#writeDue(), TICK_MS),
      setInterval(() => this.#writeAccount('running'), options.accountIntervalMs),
    ];
  }

  get windowsOpen(): number {
    return this.#windows.open;
  }

  get seriesKnown(): number {
    return this.#windows.seriesKnown;
  }

  get bytesHeld(): number {
    return this.#metricBudget.bytesHeld + this.#accountBudget.bytesHeld;
  }

  get applications(): number {
    return this.#accounts.applications;
  }

  /** Why no further request may be taken: neither the windows nor the queue behind them have room. */
  get failure(): string | undefined {
    if (!this.#windows.full || !this.#queueFull()) return undefined;
    return `${TOPICS.interfaceMetric.name} takes no messages, and nothing more can be counted`;
  }

  /** The series a record will be counted in. */
  seriesOf(record: RequestLog): Series {
    return this.#windows.seriesOf(record);
  }

  /** Books a batch of request logs that Kafka acknowledged. */
  acknowledged(batch: Batch, id: BatchId): void {
    const nowMs = Date.now();
    batch.counts.forEach((series) => this.#accounts.accept(series.sdkAppId));
    this.#accounts.sent(TOPICS.requestLog.name, id, batch.records);
    this.#windows.merge(batch.counts, nowMs);
    batch.counts.clear();
    if (this.#windows.full) this.#writeDue();
    this.#countBounds();
  }

  rejected(rejected: Intake['rejectedByApplication']): void {
    for (const [sdkAppId, reasons] of rejected) {
      for (const [reason, records] of reasons) this.#accounts.reject(sdkAppId, reason, records);
    }
  }

  /** Kafka is back: what waits goes. */
  pump(): void {
    this.#metricDelivery.pumpAll();
    this.#accountDelivery.pumpAll();
  }

  /**
   * Writes every open window, waits for them, then writes the final account and waits for that. Call it when
   * no request log is on its way any more.
   * @param lastMs when metrics and when accounts are given up at the latest, milliseconds of the monotonic clock
   */
  async stop(lastMs: { readonly metrics: number; readonly accounts: number }): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#writeRows(this.#windows.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY));
    this.#metricRows.closeAll();
    this.#metricDelivery.limit(lastMs.metrics - performance.now());
    await this.#metricDelivery.stop();
    this.#writeAccount('final');
    this.#accountDelivery.limit(lastMs.accounts - performance.now());
    await this.#accountDelivery.stop();
  }

  #deliveryOf(stream: {
    readonly topic: typeof TOPICS.interfaceMetric.name | typeof TOPICS.edgeAccount.name;
    readonly lanes: readonly Lane[];
    readonly producer: TopicProducer;
    readonly rows: RowBatcher<InterfaceMetric> | RowBatcher<EdgeAccount>;
    readonly budget: ByteBudget;
  }): Delivery {
    const { topic, lanes, producer, rows, budget } = stream;
    const { boot, availability, metrics, logger } = this.#options;
    return new Delivery({
      boot,
      topic,
      lanes,
      inFlightMax: METRICS_IN_FLIGHT_MAX,
      send: producer.send,
      next: (lane) => rows.next(lane),
      takeExpired: (nowMs) => rows.takeExpired(nowMs),
      // Whether requests are taken is judged by the request logs' own way; the books only look.
      availability: {
        get failure() {
          return availability.failure;
        },
        failed: () => undefined,
        succeeded: () => undefined,
      },
      budget,
      onAcknowledged: (batch, id) => this.#accounts.sent(topic, id, batch.records),
      metrics: metrics.edgeDelivery(topic),
      logger,
    });
  }

  #queueFull(): boolean {
    return this.#metricBudget.bytesHeld >= this.#options.metricBufferBytesMax;
  }

  /** Writes what is due, a turn of the event loop at a time, as far as the queue has room. */
  #writeDue(): void {
    if (this.#queueFull()) return;
    const rows = this.#windows.take(Date.now(), ROWS_PER_TURN);
    this.#writeRows(rows);
    if (rows.length === ROWS_PER_TURN) setImmediate(() => this.#writeDue());
    else this.#metricRows.closeAll();
    this.#metricDelivery.pumpAll();
  }

  #writeRows(rows: readonly InterfaceMetric[]): void {
    for (const row of rows) {
      const times = { least: row.window_start, greatest: row.window_start };
      this.#metricRows.append(laneOf(this.#metricLanes, row.sdk_app_id), row, times);
    }
    this.#options.metrics.metricRowsWritten.inc(rows.length);
  }

  #writeAccount(kind: 'running' | 'final'): void {
    const { metrics } = this.#options;
    if (kind === 'running' && this.#accountBudget.bytesHeld >= ACCOUNT_BYTES_MAX) {
      metrics.accountsSkipped.inc();
      return;
    }
    const nowMs = Date.now();
    for (const chunk of this.#accounts.write(nowMs, kind)) {
      this.#accountRows.append(this.#accountLane, chunk, { least: nowMs, greatest: nowMs });
    }
    metrics.accountsWritten.inc();
    this.#accountRows.closeAll();
    this.#accountDelivery.pumpAll();
  }

  #countBounds(): void {
    const { metrics } = this.#options;
    const { tooLate, earlyWindows: early } = this.#windows;
    const { overflowed } = this.#accounts;
    metrics.metricRecordsTooLate.inc(tooLate - this.#counted.tooLate);
    metrics.metricWindowsEarly.inc(early - this.#counted.early);
    metrics.accountOverflows.inc(overflowed - this.#counted.overflowed);
    this.#counted = { tooLate, early, overflowed };
  }
}
