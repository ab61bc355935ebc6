/*
 * The figures of a set of requests: counts by outcome, rate, success rate and latency. Logs are grouped by latency bucket
 * first, so one pass over the rows gives exact sums and the histogram for the percentiles; metrics hold both. Sums from
 * logs and metrics add up, so an answer may read one part of its window from each.
 */
import { latencyBucketSql, percentilesUs } from '@imscope/schemas/latency-histogram.js';
import type { Overview } from '@imscope/schemas/query-api/overview.js';
import { type Static, Type } from 'typebox';
import type { QueryParams } from '../store/ask-store.js';
import { type Filter, LOG_ONLY_SPAN_SQL, METRIC_SPAN_SQL, metricSpanParams } from './filter.js';
import type { TimeWindow } from './time-window.js';

export type Performance = Overview['previous'];

/** Logs are grouped by it and by the key of the question. */
export const LATENCY_BUCKET_SQL = latencyBucketSql('latency_us');

/** Partial sums from the logs, without the histogram: the rows need not be grouped by latency bucket. */
export const LOG_COUNTS_SQL = `sum(weight) AS b_requests,
    sumIf(weight, outcome = 'success') AS b_success,
    sumIf(weight, outcome = 'caller_error') AS b_caller_error,
    sumIf(weight, outcome = 'service_error') AS b_service_error,
    sumIf(weight, outcome = 'unknown') AS b_unknown,
    sum(latency_us * weight) AS b_latency_sum_us,
    max(latency_us) AS b_latency_max_us`;
export const LOG_HISTOGRAM_SQL = `[(${LATENCY_BUCKET_SQL}, sum(weight))] AS b_histogram`;
/** With it. */
export const LOG_SUMS_SQL = `${LOG_COUNTS_SQL},
    ${LOG_HISTOGRAM_SQL}`;

/** The same from the metrics `m`, without the histogram, which costs most of the time of a metrics query. */
export const METRIC_COUNTS_SQL = `sum(m.success + m.caller_error + m.service_error + m.unknown) AS b_requests,
    sum(m.success) AS b_success,
    sum(m.caller_error) AS b_caller_error,
    sum(m.service_error) AS b_service_error,
    sum(m.unknown) AS b_unknown,
    sum(m.latency_sum_us) AS b_latency_sum_us,
    max(m.latency_max_us) AS b_latency_max_us`;
export const METRIC_HISTOGRAM_SQL =
  'CAST(sumMap(m.latency_histogram) AS Array(Tuple(Int16, UInt64))) AS b_histogram';

/** Columns of the outer query, which groups by the question's key alone. */
export const COUNT_COLUMNS_SQL = `sum(b_requests) AS requests,
  sum(b_success) AS success,
  sum(b_caller_error) AS caller_error,
  sum(b_service_error) AS service_error,
  sum(b_unknown) AS unknown,
  sum(b_latency_sum_us) AS latency_sum_us,
  max(b_latency_max_us) AS latency_max_us`;
export const PERFORMANCE_COLUMNS_SQL = `${COUNT_COLUMNS_SQL},
  groupArrayArray(b_histogram) AS histogram`;

/** What a question groups by and selects beside the sums: expressions for each source, in the same order. */
export type Grouping = {
  /** The column to group by; undefined: all requests together. */
  readonly key: string | undefined;
  readonly logs: readonly string[];
  /** Over the metrics, named `m`. */
  readonly metrics: readonly string[];
  /** Columns of the outer query over both. */
  readonly outer: readonly string[];
};

/**
 * A SELECT that gives the columns of `PERFORMANCE_ROW` by the key of `grouping`.
 * @param filter over the window of the question
 * @param metrics the part of that window to read from the metrics, whole minutes; null: none
 */
export function performanceQuery(
  grouping: Grouping,
  filter: Filter,
  window: TimeWindow,
  metrics: TimeWindow | null,
): { sql: string; params: QueryParams } {
  const { key } = grouping;
  const parts: string[] = [];
  const isAllMetrics = metrics !== null && metrics.fromMs === window.fromMs && metrics.toMs === window.toMs;
  if (!isAllMetrics) {
    parts.push(`SELECT
    ${[...grouping.logs, LOG_SUMS_SQL].join(',\n    ')}
  FROM request_log_kept
  WHERE ${filter.sql}${metrics === null ? '' : `\n  AND ${LOG_ONLY_SPAN_SQL}`}
  GROUP BY ${key === undefined ? '' : `${key}, `}${LATENCY_BUCKET_SQL}`);
  }
  if (metrics !== null) {
    parts.push(`SELECT
    ${[...grouping.metrics, METRIC_COUNTS_SQL, METRIC_HISTOGRAM_SQL].join(',\n    ')}
  FROM interface_metric_kept AS m
  WHERE ${filter.metricSql}
  AND ${METRIC_SPAN_SQL}${key === undefined ? '' : `\n  GROUP BY ${key}`}`);
  }
  return {
    sql: `
SELECT
  ${[...grouping.outer, PERFORMANCE_COLUMNS_SQL].join(',\n  ')}
FROM (
  ${parts.join('\n  UNION ALL\n  ')}
)${key === undefined ? '' : `\nGROUP BY ${key}`}`,
    params: { ...filter.params, ...(metrics === null ? {} : metricSpanParams(metrics)) },
  };
}

export const HISTOGRAM = Type.Array(Type.Tuple([Type.Number(), Type.Number()]));

/** Those columns in the store's answer. */
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

/** Sums and histograms of disjoint sets of requests, as of one set. */
export function addUp(rows: readonly PerformanceRow[]): PerformanceRow {
  const sums = { ...NOTHING };
  const buckets = new Map<number, number>();
  for (const row of rows) {
    sums.requests += row.requests;
    sums.success += row.success;
    sums.caller_error += row.caller_error;
    sums.service_error += row.service_error;
    sums.unknown += row.unknown;
    sums.latency_sum_us += row.latency_sum_us;
    sums.latency_max_us = Math.max(sums.latency_max_us, row.latency_max_us);
    for (const [bucket, count] of row.histogram) buckets.set(bucket, (buckets.get(bucket) ?? 0) + count);
  }
  return { ...sums, histogram: [...buckets] };
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
      avg: requests === 0 ? null : sums.latency_sum_us / requests / 1000,
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

/** Microseconds as milliseconds. */
export function inMs(us: number | null): number | null {
  return us === null ? null : us / 1000;
}
