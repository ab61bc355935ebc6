/*
 * What is said of any set of requests: counts by outcome, rate, success rate and delay. The SQL sums by bucket
 * of latency first, so one pass over the rows gives exact sums and the histogram for the percentiles.
 */
import { latencyBucketSql, percentilesUs } from '@imscope/schemas/latency-histogram.js';
import type { Overview } from '@imscope/schemas/query-api/answers.js';
import { type Static, Type } from 'typebox';

export type Performance = Overview['previous'];

/** Columns of the inner query, which groups by its own key and `bucket`. */
export const BUCKET_COLUMNS_SQL = `${latencyBucketSql('latency_us')} AS bucket,
    sum(weight) AS b_requests,
    sumIf(weight, outcome = 'success') AS b_success,
    sumIf(weight, outcome = 'caller_error') AS b_caller_error,
    sumIf(weight, outcome = 'service_error') AS b_service_error,
    sumIf(weight, outcome = 'unknown') AS b_unknown,
    sum(latency_us * weight) AS b_latency_sum_us,
    max(latency_us) AS b_latency_max_us`;

/** Columns of the outer query, which groups by the same key without `bucket`. */
export const PERFORMANCE_COLUMNS_SQL = `sum(b_requests) AS requests,
  sum(b_success) AS success,
  sum(b_caller_error) AS caller_error,
  sum(b_service_error) AS service_error,
  sum(b_unknown) AS unknown,
  sum(b_latency_sum_us) AS latency_sum_us,
  max(b_latency_max_us) AS latency_max_us,
  groupArray((bucket, b_requests)) AS histogram`;

export const HISTOGRAM = Type.Array(Type.Tuple([Type.Number(), Type.Number()]));

/** Those columns as they come back. */
export const SUMS = {
  requests: Type.Number(),
  success: Type.Number(),
  caller_error: Type.Number(),
  service_error: Type.Number(),
  unknown: Type.Number(),
  latency_sum_us: Type.Number(),
  latency_max_us: Type.Number(),
};
export const PERFORMANCE_ROW = { ...SUMS, histogram: HISTOGRAM };
const PerformanceRow = Type.Object(PERFORMANCE_ROW);
export type PerformanceRow = Static<typeof PerformanceRow>;

const QUANTILES = [0.5, 0.9, 0.95, 0.99];
const NOTHING: PerformanceRow = {
  requests: 0,
  success: 0,
  caller_error: 0,
  service_error: 0,
  unknown: 0,
  latency_sum_us: 0,
  latency_max_us: 0,
  histogram: [],
};

/** @param row undefined where there was no request @param seconds the span the requests came in */
export function performanceOf(row: PerformanceRow | undefined, seconds: number): Performance {
  const sums = row ?? NOTHING;
  const { requests, success, caller_error, service_error, unknown } = sums;
  const [p50 = null, p90 = null, p95 = null, p99 = null] = percentilesUs(
    sums.histogram,
    QUANTILES,
    sums.latency_max_us,
  );
  return {
    requests,
    requests_per_s: seconds > 0 ? requests / seconds : 0,
    outcomes: { success, caller_error, service_error, unknown },
    success_rate: successRate(success, service_error),
    latency_ms: {
      avg: requests === 0 ? null : sums.latency_sum_us / requests / 1000,
      p50: inMs(p50),
      p90: inMs(p90),
      p95: inMs(p95),
      p99: inMs(p99),
      max: requests === 0 ? null : sums.latency_max_us / 1000,
    },
  };
}

/** success / (success + service_error); null where nothing was judged, so that no codes never read 100 %. */
export function successRate(success: number, serviceError: number): number | null {
  const judged = success + serviceError;
  return judged === 0 ? null : success / judged;
}

/** Microseconds as milliseconds. */
export function inMs(us: number | null): number | null {
  return us === null ? null : us / 1000;
}
