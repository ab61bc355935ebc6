/*
 * The collector's metrics: those of its folders, and gauges of what it holds at the moment.
 */
import type { Registry } from 'prom-client';
import { createIncarnationMetrics } from './incarnations/incarnation-metrics.js';
import { createIntakeMetrics } from './intake/intake-metrics.js';
import { metricMaker } from './metrics/metric-maker.js';
import { createRequestMetrics } from './requests/request-metrics.js';

export type CollectorMetrics = ReturnType<typeof createMetrics>;

/** Read at every scrape. */
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

export function createMetrics(registry: Registry, observed: Observed) {
  const metrics = metricMaker(registry);
  metrics.gauge('buffered_bytes', 'bytes of bodies and batches in memory', observed.bufferedBytes);
  metrics.gauge('produces_in_flight', 'produce requests of request logs in flight', observed.inFlight);
  metrics.gauge('metric_windows', 'metric windows open', observed.metricWindows);
  metrics.gauge('metric_series', 'series known: application × interface × region', observed.metricSeries);
  metrics.gauge('spool_bytes', 'bytes of the write-ahead logs of all incarnations', observed.spoolBytes);
  metrics.gauge(
    'spool_batches',
    'batches in the spool that Kafka has not acknowledged',
    observed.spoolBatches,
  );
  metrics.gauge('kafka_away', '1 while Kafka counts as away, else 0', observed.kafkaAway);
  metrics.gauge('idempotency_keys', 'batches of keyed requests remembered', observed.keys);
  metrics.gauge('account_applications', 'applications in the account', observed.accountApplications);
  return {
    ...createRequestMetrics(metrics),
    ...createIntakeMetrics(metrics),
    ...createIncarnationMetrics(metrics),
    proxyConnections: metrics.counter(
      'proxy_connections_total',
      'connections to the PROXY protocol listener: named a client, unnamed, or why they were closed',
      ['outcome'],
    ),
  };
}
