/* Metrics of HTTP requests: how many, how long they took, why some were refused. */
import { SECONDS_BUCKETS } from '@imscope/runtime/metrics.js';
import type { MetricMaker } from '../metrics/metric-maker.js';

export type RequestMetrics = ReturnType<typeof createRequestMetrics>;

export function createRequestMetrics(metrics: MetricMaker) {
  return {
    requests: metrics.counter('requests_total', 'requests answered, by HTTP status', ['status']),
    requestSeconds: metrics.histogram(
      'request_seconds',
      'from the head of a request to its answer',
      SECONDS_BUCKETS,
    ),
    bytesReceived: metrics.counter('received_bytes_total', 'bytes of request bodies as received'),
    requestsRefused: metrics.counter(
      'requests_refused_total',
      'requests refused completely, by the error code of the answer',
      ['reason'],
    ),
  };
}
