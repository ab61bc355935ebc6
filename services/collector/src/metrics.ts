/*
 * The collector's figures. Received counts on receipt, accepted only once Kafka acknowledged, refused with a
 * reason out of the closed list.
 */
import { SECONDS_BUCKETS } from '@imscope/runtime/metrics.js';
import type { TOPICS } from '@imscope/schemas/topics.js';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BatchOutcome } from './batch.js';

export type CollectorMetrics = ReturnType<typeof createMetrics>;

/** What `Delivery` counts, by topic. */
export type DeliveryMetrics = {
  /** Starts the clock of one attempt; call the result when it is acknowledged. */
  readonly startTimer: () => () => void;
  readonly failed: () => void;
  readonly settled: (outcome: BatchOutcome, records: number) => void;
  readonly acknowledgedLate: () => void;
};

/** Read when Prometheus asks. */
export type Observed = {
  readonly bufferedBytes: () => number;
  readonly inFlight: () => number;
  readonly metricWindows: () => number;
  readonly metricSeries: () => number;
  readonly edgeBufferedBytes: () => number;
  readonly accountApplications: () => number;
};

const RECORDS_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

export function createMetrics(registry: Registry, observed: Observed) {
  const metrics = metricsOf(registry);
  metrics.gauge('buffered_bytes', 'bytes of bodies and batches held', observed.bufferedBytes);
  metrics.gauge('produces_in_flight', 'messages of request logs on their way to Kafka', observed.inFlight);
  metrics.gauge('metric_windows', 'metric windows open', observed.metricWindows);
  metrics.gauge('metric_series', 'series known: application × interface × region', observed.metricSeries);
  metrics.gauge(
    'edge_buffered_bytes',
    'bytes of metrics and accounts that wait for Kafka',
    observed.edgeBufferedBytes,
  );
  metrics.gauge('account_applications', 'applications in the account', observed.accountApplications);
  return { ...intakeMetrics(metrics), ...bookMetrics(metrics), ...deliveryMetrics(metrics) };
}

type Maker = ReturnType<typeof metricsOf>;

function intakeMetrics(metrics: Maker) {
  return {
    requests: metrics.counter('requests_total', 'requests answered, by HTTP status', ['status']),
    requestSeconds: metrics.histogram(
      'request_seconds',
      'from the head of a request to its answer',
      SECONDS_BUCKETS,
    ),
    bytesReceived: metrics.counter('received_bytes_total', 'bytes of request bodies as received'),
    recordsReceived: metrics.counter('records_received_total', 'records read out of bodies, good and bad'),
    recordsRejected: metrics.counter('records_rejected_total', 'records refused, by reason', ['reason']),
    fieldsDropped: metrics.counter(
      'personal_fields_dropped_total',
      'fields about a person that were cut off a record',
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

function bookMetrics(metrics: Maker) {
  return {
    metricRowsWritten: metrics.counter('metric_rows_total', 'rows of interface metrics written'),
    metricRecordsTooLate: metrics.counter(
      'metric_records_too_late_total',
      'acknowledged records older than an hour: they are logged but stand in no metric',
    ),
    metricWindowsEarly: metrics.counter(
      'metric_windows_early_total',
      'metric windows written before their time: METRIC_WINDOWS_MAX were open, or a sum grew too large',
    ),
    accountsWritten: metrics.counter('accounts_total', 'edge accounts written'),
    accountsSkipped: metrics.counter(
      'accounts_skipped_total',
      'edge accounts not written because earlier ones still wait for Kafka; the next one holds their counts',
    ),
    accountOverflows: metrics.counter(
      'account_overflows_total',
      'bookings under application 0 because there are too many applications',
    ),
  };
}

function deliveryMetrics(metrics: Maker) {
  const accepted = metrics.counter('records_accepted_total', 'records that Kafka acknowledged with acks=all');
  const unresolved = metrics.counter(
    'records_unresolved_total',
    'good records not acknowledged: not_taken (503) was never tried, in_doubt (504) may have been written',
    ['outcome'],
  );
  const batches = metrics.counter('batches_total', 'batches, by what they came to', ['outcome']);
  const batchRecords = metrics.histogram('batch_records', 'records in a batch', RECORDS_BUCKETS);
  const seconds = metrics.histogram(
    'produce_seconds',
    'from sending a message to its acknowledgement',
    SECONDS_BUCKETS,
  );
  const failures = metrics.counter(
    'produce_failures_total',
    'attempts to send a message that were not acknowledged',
  );
  const edgeRows = metrics.counter(
    'edge_rows_sent_total',
    'rows of metrics and accounts that Kafka acknowledged',
    ['topic'],
  );
  const edgeLost = metrics.counter(
    'edge_rows_lost_total',
    'rows of metrics and accounts that Kafka did not acknowledge before the collector had to end',
    ['topic'],
  );
  const edgeFailures = metrics.counter(
    'edge_produce_failures_total',
    'attempts to send a message of metrics or accounts that were not acknowledged',
    ['topic'],
  );
  const requestLogDelivery: DeliveryMetrics = {
    startTimer: () => seconds.startTimer(),
    failed: () => failures.inc(),
    settled: (outcome, records) => {
      batches.inc({ outcome });
      batchRecords.observe(records);
      if (outcome === 'acknowledged') accepted.inc(records);
      else unresolved.inc({ outcome }, records);
    },
    acknowledgedLate: () => batches.inc({ outcome: 'acknowledged_late' }),
  };
  const edgeDelivery = (topic: EdgeTopic): DeliveryMetrics => ({
    startTimer: () => () => undefined,
    failed: () => edgeFailures.inc({ topic }),
    settled: (outcome, records) => (outcome === 'acknowledged' ? edgeRows : edgeLost).inc({ topic }, records),
    acknowledgedLate: () => undefined,
  });
  return { requestLogDelivery, edgeDelivery };
}

type EdgeTopic = typeof TOPICS.interfaceMetric.name | typeof TOPICS.edgeAccount.name;

function metricsOf(registry: Registry) {
  const common = (name: string, help: string) => ({
    name: `imscope_collector_${name}`,
    help,
    registers: [registry],
  });
  return {
    counter: (name: string, help: string, labelNames: readonly string[] = []) =>
      new Counter({ ...common(name, help), labelNames }),
    histogram: (name: string, help: string, buckets: number[]) =>
      new Histogram({ ...common(name, help), buckets }),
    gauge: (name: string, help: string, read: () => number) =>
      new Gauge({
        ...common(name, help),
        collect() {
          this.set(read());
        },
      }),
  };
}
