/*
 * The collector's figures. Received counts on receipt, accepted only once it is durable, sent only once Kafka
 * acknowledged, refused with a reason out of the closed list.
 */
import { SECONDS_BUCKETS } from '@imscope/runtime/metrics.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Registry } from 'prom-client';
import type { Batch, BatchOutcome } from './batches/batch.js';
import { type Intake, received } from './intake/intake.js';
import type { EdgeTopic } from './kafka-producer.js';
import { type MetricMaker, metricMaker } from './metric-maker.js';

export type CollectorMetrics = ReturnType<typeof createMetrics>;

/** What `Delivery` counts, by topic. */
export type DeliveryMetrics = {
  /** Starts the clock of one attempt; call the result when it is acknowledged. */
  readonly startTimer: () => () => void;
  readonly failed: () => void;
};

/** Read when Prometheus asks. */
export type Observed = {
  readonly bufferedBytes: () => number;
  readonly inFlight: () => number;
  readonly metricWindows: () => number;
  readonly metricSeries: () => number;
  readonly accountApplications: () => number;
  readonly spoolBytes: () => number;
  readonly spoolBatches: () => number;
  readonly kafkaAway: () => number;
  readonly keys: () => number;
};

const RECORDS_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

export function createMetrics(registry: Registry, observed: Observed) {
  const metrics = metricMaker(registry);
  metrics.gauge('buffered_bytes', 'bytes of bodies and batches held', observed.bufferedBytes);
  metrics.gauge('produces_in_flight', 'messages of request logs on their way to Kafka', observed.inFlight);
  metrics.gauge('metric_windows', 'metric windows open', observed.metricWindows);
  metrics.gauge('metric_series', 'series known: application × interface × region', observed.metricSeries);
  metrics.gauge('spool_bytes', 'bytes of the write-ahead log, of all boots', observed.spoolBytes);
  metrics.gauge('spool_batches', 'batches in the spool that Kafka does not have yet', observed.spoolBatches);
  metrics.gauge('kafka_away', '1 while Kafka counts as away, else 0', observed.kafkaAway);
  metrics.gauge('idempotency_keys', 'batches of keyed requests remembered', observed.keys);
  metrics.gauge('account_applications', 'applications in the account', observed.accountApplications);
  return {
    ...intakeMetrics(metrics),
    ...bookMetrics(metrics),
    ...spoolMetrics(metrics),
    ...deliveryMetrics(metrics),
  };
}

function intakeMetrics(metrics: MetricMaker) {
  return {
    requests: metrics.counter('requests_total', 'requests answered, by HTTP status', ['status']),
    requestSeconds: metrics.histogram(
      'request_seconds',
      'from the head of a request to its answer',
      SECONDS_BUCKETS,
    ),
    proxyConnections: metrics.counter(
      'proxy_connections_total',
      'connections to the PROXY protocol listener: named a client, unnamed, or why they were closed',
      ['outcome'],
    ),
    bytesReceived: metrics.counter('received_bytes_total', 'bytes of request bodies as received'),
    recordsReceived: metrics.counter('records_received_total', 'records read out of bodies, good and bad'),
    recordsRejected: metrics.counter('records_rejected_total', 'records refused, by reason', ['reason']),
    requestsRefused: metrics.counter(
      'requests_refused_total',
      'requests refused as a whole, by the code of the answer',
      ['reason'],
    ),
    fieldsDropped: metrics.counter(
      'personal_fields_dropped_total',
      'fields about a person that were cut off a record',
    ),
    attributesIgnored: metrics.counter(
      'attributes_ignored_total',
      'attributes of OTLP logs that are no field of a record and not about a person',
    ),
    piecesScrubbed: metrics.counter(
      'text_pieces_scrubbed_total',
      'pieces about a person, or credentials, that were taken out of cause and exception',
    ),
    interfaceIdsTaken: metrics.counter(
      'interface_ids_taken_total',
      'records whose interface had ids or numbers in its path',
    ),
    interfacesOverflowed: metrics.counter(
      'interfaces_overflowed_total',
      'records counted under other/overflow because there are too many interfaces',
    ),
  };
}

/** Counts what a request, or a stretch of a tailed file, came to. */
export function countIntake(intake: Intake, metrics: CollectorMetrics): void {
  for (const [reason, records] of intake.rejectedByReason) metrics.recordsRejected.inc({ reason }, records);
  metrics.recordsReceived.inc(received(intake));
  if (intake.fieldsDropped > 0) metrics.fieldsDropped.inc(intake.fieldsDropped);
  if (intake.attributesIgnored > 0) metrics.attributesIgnored.inc(intake.attributesIgnored);
  if (intake.piecesScrubbed > 0) metrics.piecesScrubbed.inc(intake.piecesScrubbed);
  if (intake.idsReplaced > 0) metrics.interfaceIdsTaken.inc(intake.idsReplaced);
}

function bookMetrics(metrics: MetricMaker) {
  return {
    metricRowsWritten: metrics.counter('metric_rows_total', 'rows of interface metrics written'),
    metricRecordsTooLate: metrics.counter(
      'metric_records_too_late_total',
      'records older than an hour: they are logged but stand in no metric',
    ),
    metricWindowsEarly: metrics.counter(
      'metric_windows_early_total',
      'metric windows written before their time: METRIC_WINDOWS_MAX were open, or a sum grew too large',
    ),
    accountsWritten: metrics.counter('accounts_total', 'edge accounts written'),
    accountsSkipped: metrics.counter(
      'accounts_skipped_total',
      'edge accounts not written because the spool could not be; the next one holds their counts',
    ),
    accountOverflows: metrics.counter(
      'account_overflows_total',
      'bookings under application 0 because there are too many applications',
    ),
  };
}

function spoolMetrics(metrics: MetricMaker) {
  return {
    spoolBadBytes: metrics.counter(
      'spool_bad_bytes_total',
      'bytes in logs of earlier boots that held no entry: torn_tail at the end, damaged elsewhere',
      ['kind'],
    ),
    spoolUnreadable: metrics.counter(
      'spool_unreadable_batches_total',
      'batches lost because the spool could not give them back',
      ['topic'],
    ),
    spoolExpired: metrics.counter(
      'spool_expired_records_total',
      'records that waited longer at the edge than their data may be kept',
      ['topic'],
    ),
    bootsRecovered: metrics.counter('boots_recovered_total', 'logs of earlier boots that were taken over'),
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
  const batches = metrics.counter('batches_total', 'batches, by what they came to', ['outcome']);
  const batchRecords = metrics.histogram('batch_records', 'records in a batch', RECORDS_BUCKETS);
  const seconds = metrics.histogram(
    'produce_seconds',
    'from sending a produce of request logs to its acknowledgement',
    SECONDS_BUCKETS,
  );
  const failures = metrics.counter('produce_failures_total', 'produces that were not acknowledged', [
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
