/*
 * Sums of a set of requests as the store answers them, and the figures made of them: rates, success rate and latency. Pure.
 */
import { percentilesUs } from '@imscope/schemas/latency-histogram.js';
import type { Overview } from '@imscope/schemas/query-api/overview.js';
import { type Static, Type } from 'typebox';

export type Performance = Overview['previous'];

export const HISTOGRAM = Type.Array(Type.Tuple([Type.Number(), Type.Number()]));

/** The columns of `performanceQuery` in the store's answer. */
export const OUTCOME_SUMS = {
  requests: Type.Number(),
  success: Type.Number(),
  caller_error: Type.Number(),
  service_error: Type.Number(),
  unknown: Type.Number(),
};
export const SUMS = {
  ...OUTCOME_SUMS,
  latency_sum_us: Type.Number(),
  latency_max_us: Type.Number(),
};
export const PERFORMANCE_ROW = { ...SUMS, histogram: HISTOGRAM };
const PerformanceRow = Type.Object(PERFORMANCE_ROW);
export type PerformanceRow = Static<typeof PerformanceRow>;

const QUANTILES = [0.5, 0.9, 0.95, 0.99];
/** Counts and delays of a set of requests, without its histogram. */
export type Sums = Omit<PerformanceRow, 'histogram'>;

export const NO_OUTCOMES = { requests: 0, success: 0, caller_error: 0, service_error: 0, unknown: 0 };
export const NO_SUMS: Sums = {
  ...NO_OUTCOMES,
  latency_sum_us: 0,
  latency_max_us: 0,
};
const NOTHING: PerformanceRow = { ...NO_SUMS, histogram: [] };

/** Of disjoint sets of requests, as of one set. */
export function sumUp(rows: readonly Sums[]): Sums {
  const sums = { ...NO_SUMS };
  for (const row of rows) {
    sums.requests += row.requests;
    sums.success += row.success;
    sums.caller_error += row.caller_error;
    sums.service_error += row.service_error;
    sums.unknown += row.unknown;
    sums.latency_sum_us += row.latency_sum_us;
    sums.latency_max_us = Math.max(sums.latency_max_us, row.latency_max_us);
  }
  return sums;
}

/** The same with histograms. */
export function addUp(rows: readonly PerformanceRow[]): PerformanceRow {
  const buckets = new Map<number, number>();
  for (const { histogram } of rows) {
    for (const [bucket, count] of histogram) buckets.set(bucket, (buckets.get(bucket) ?? 0) + count);
  }
  return { ...sumUp(rows), histogram: [...buckets] };
}

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
      avg: averageMs(sums.latency_sum_us, requests),
      p50: inMs(p50),
      p90: inMs(p90),
      p95: inMs(p95),
      p99: inMs(p99),
      max: requests === 0 ? null : sums.latency_max_us / 1000,
    },
  };
}

/** success / (success + service_error); null where both are 0: a source without codes never reads 100 %. */
export function successRate(success: number, serviceError: number): number | null {
  const classified = success + serviceError;
  return classified === 0 ? null : success / classified;
}

/** Of a sum of microseconds, in milliseconds; null without requests. */
export function averageMs(sumUs: number, requests: number): number | null {
  return requests === 0 ? null : sumUs / requests / 1000;
}

/** Microseconds as milliseconds. */
export function inMs(us: number | null): number | null {
  return us === null ? null : us / 1000;
}
