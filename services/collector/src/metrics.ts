/*
 * The collector's figures. Received counts on receipt, accepted only once Kafka acknowledged, refused with a
 * reason out of the closed list.
 */
import { SECONDS_BUCKETS } from '@imscope/runtime/metrics.js';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type CollectorMetrics = ReturnType<typeof createMetrics>;

const RECORDS_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

/** @param observed read when Prometheus asks: bytes held and messages on their way */
export function createMetrics(
  registry: Registry,
  observed: { bufferedBytes: () => number; inFlight: () => number },
) {
  const metrics = metricsOf(registry);
  metrics.gauge('buffered_bytes', 'bytes of bodies and batches held', observed.bufferedBytes);
  metrics.gauge('produces_in_flight', 'messages on their way to Kafka', observed.inFlight);
  return {
    requests: metrics.counter('requests_total', 'requests answered, by HTTP status', ['status']),
    requestSeconds: metrics.histogram(
      'request_seconds',
      'from the head of a request to its answer',
      SECONDS_BUCKETS,
    ),
    bytesReceived: metrics.counter('received_bytes_total', 'bytes of request bodies as received'),
    recordsReceived: metrics.counter('records_received_total', 'records read out of bodies, good and bad'),
    recordsAccepted: metrics.counter(
      'records_accepted_total',
      'records that Kafka acknowledged with acks=all',
    ),
    recordsRejected: metrics.counter('records_rejected_total', 'records refused, by reason', ['reason']),
    recordsUnresolved: metrics.counter(
      'records_unresolved_total',
      'good records not acknowledged: not_taken (503) was never tried, in_doubt (504) may have been written',
      ['outcome'],
    ),
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
    batches: metrics.counter('batches_total', 'batches, by what they came to', ['outcome']),
    batchRecords: metrics.histogram('batch_records', 'records in a batch', RECORDS_BUCKETS),
    produceSeconds: metrics.histogram(
      'produce_seconds',
      'from sending a message to its acknowledgement',
      SECONDS_BUCKETS,
    ),
    produceFailures: metrics.counter(
      'produce_failures_total',
      'attempts to send a message that were not acknowledged',
    ),
  };
}

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
