/*
 * Metrics of what an incarnation logs and sends: records count as accepted once they are durable, as sent once Kafka
 * has acknowledged them.
 */
import { SECONDS_BUCKETS } from '@imscope/runtime/metrics.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Batch, BatchOutcome } from '../batches/batch.js';
import type { EdgeTopic } from '../kafka/kafka-producer.js';
import type { MetricMaker } from '../metrics/metric-maker.js';

export type IncarnationMetrics = ReturnType<typeof createIncarnationMetrics>;

/** What the delivery of one topic counts. */
export type DeliveryMetrics = {
  /** Starts the timer of one attempt; call the result once it is acknowledged. */
  readonly startTimer: () => () => void;
  readonly failed: () => void;
};

const RECORDS_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

export function createIncarnationMetrics(metrics: MetricMaker) {
  return { ...accountingMetrics(metrics), ...spoolMetrics(metrics), ...deliveryMetrics(metrics) };
}

function accountingMetrics(metrics: MetricMaker) {
  return {
    metricRowsWritten: metrics.counter('metric_rows_total', 'rows of interface metrics written'),
    metricRecordsTooLate: metrics.counter(
      'metric_records_too_late_total',
      'records older than an hour, which are logged but in no metric',
    ),
    metricWindowsEarly: metrics.counter(
      'metric_windows_early_total',
      'metric windows written early: METRIC_WINDOWS_MAX were open, or a sum became too large',
    ),
    accountsWritten: metrics.counter('accounts_total', 'edge accounts written'),
    accountsSkipped: metrics.counter(
      'accounts_skipped_total',
      'edge accounts not written because the spool could not be written; the next one has their counts',
    ),
    accountOverflows: metrics.counter(
      'account_overflows_total',
      'how often application 0 was counted because there are too many applications',
    ),
  };
}

function spoolMetrics(metrics: MetricMaker) {
  return {
    spoolBadBytes: metrics.counter(
      'spool_bad_bytes_total',
      'bytes in logs of earlier incarnations that are no complete entry: torn_tail at the end, damaged elsewhere',
      ['kind'],
    ),
    spoolUnreadable: metrics.counter(
      'spool_unreadable_batches_total',
      'batches lost because they could not be read from the spool',
      ['topic'],
    ),
    spoolExpired: metrics.counter(
      'spool_expired_records_total',
      'records that waited longer in the spool than their data may be kept',
      ['topic'],
    ),
    bootsRecovered: metrics.counter(
      'boots_recovered_total',
      'logs of earlier incarnations that were recovered',
    ),
  };
}

function deliveryMetrics(metrics: MetricMaker) {
  const accepted = metrics.counter(
    'records_accepted_total',
    'records that are durable: acknowledged by Kafka with acks=all, or synced to the spool',
  );
  const unresolved = metrics.counter(
    'records_unresolved_total',
    'good records not accepted: not_taken (503) was never tried, in_doubt (504) may be stored',
    ['outcome'],
  );
  const batches = metrics.counter('batches_total', 'batches, by outcome', ['outcome']);
  const batchRecords = metrics.histogram('batch_records', 'records in a batch', RECORDS_BUCKETS);
  const seconds = metrics.histogram(
    'produce_seconds',
    'from sending a produce request of request logs to its acknowledgement',
    SECONDS_BUCKETS,
  );
  const failures = metrics.counter('produce_failures_total', 'produce requests that were not acknowledged', [
    'topic',
  ]);
  const sent = metrics.counter('records_sent_total', 'records and rows that Kafka acknowledged', ['topic']);
  return {
    batchRecords,
    settled: (outcome: BatchOutcome, batch: Batch): void => {
      batches.inc({ outcome });
      const records = batch.records + sampledOut(batch);
      if (outcome === 'durable') accepted.inc(records);
      else unresolved.inc({ outcome }, records);
    },
    acknowledged: (topic: EdgeTopic, records: number): void => sent.inc({ topic }, records),
    delivery: (topic: EdgeTopic): DeliveryMetrics => ({
      startTimer: topic === TOPICS.requestLog.name ? () => seconds.startTimer() : () => () => undefined,
      failed: () => failures.inc({ topic }),
    }),
  };
}

function sampledOut(batch: Batch): number {
  let requests = 0;
  for (const count of batch.unlogged?.byApplication.values() ?? []) requests += count;
  return requests;
}
