/*
 * The figures of a set of requests: counts by outcome, rate, success rate and latency. Logs are grouped by latency bucket
 * first, so one pass over the rows gives exact sums and the histogram for the percentiles; metrics hold both. Sums from
 * logs and metrics add up, so an answer may read one part of its window from each.
 */
import { ROLLUP_SLICE_MS } from '@imscope/schemas/hour-rollup.js';
import { latencyBucketSql } from '@imscope/schemas/latency-histogram.js';
import type { QueryParams } from '../store/ask-store.js';
import type { Filter } from './filter.js';
import {
  type MetricSpan,
  needsLogs,
  type RollupKind,
  type SpanConditions,
  spanConditions,
} from './metric-span.js';
import { HOUR_MS, type TimeWindow } from './time-window.js';

/** Logs are grouped by it and by the key of the question. */
export const LATENCY_BUCKET_SQL = latencyBucketSql('latency_us');

/** Partial sums from the logs, without the histogram: the rows need not be grouped by latency bucket. */
const LOG_COUNTS_SQL = `sum(weight) AS b_requests,
    sumIf(weight, outcome = 'success') AS b_success,
    sumIf(weight, outcome = 'caller_error') AS b_caller_error,
    sumIf(weight, outcome = 'service_error') AS b_service_error,
    sumIf(weight, outcome = 'unknown') AS b_unknown,
    sum(latency_us * weight) AS b_latency_sum_us,
    max(latency_us) AS b_latency_max_us`;
const LOG_HISTOGRAM_SQL = `[(any(${LATENCY_BUCKET_SQL}), sum(weight))] AS b_histogram`;
/** With it. */
export const LOG_SUMS_SQL = `${LOG_COUNTS_SQL},
    ${LOG_HISTOGRAM_SQL}`;

/** The same counts where rows are grouped by outcome too: a row is added to three sums instead of seven. */
const LOG_OUTCOMES_SQL = `sum(weight) AS b_requests,
    if(any(outcome) = 'success', b_requests, 0) AS b_success,
    if(any(outcome) = 'caller_error', b_requests, 0) AS b_caller_error,
    if(any(outcome) = 'service_error', b_requests, 0) AS b_service_error,
    if(any(outcome) = 'unknown', b_requests, 0) AS b_unknown`;
/** Where rows lie in the order of the key, adding to more sums is cheaper than one more key. */
const LOG_OUTCOMES_OF_SORTED_SQL = `sum(weight) AS b_requests,
    toUInt64(b_requests - b_caller_error - b_service_error - b_unknown) AS b_success,
    sumIf(weight, outcome = 'caller_error') AS b_caller_error,
    sumIf(weight, outcome = 'service_error') AS b_service_error,
    sumIf(weight, outcome = 'unknown') AS b_unknown`;
const LOG_LATENCY_SQL = `sum(latency_us * weight) AS b_latency_sum_us,
    max(latency_us) AS b_latency_max_us`;

/** The same from the metrics `m`, without the histogram, which costs most of the time of a metrics query. */
const METRIC_OUTCOMES_SQL = `sum(m.success + m.caller_error + m.service_error + m.unknown) AS b_requests,
    sum(m.success) AS b_success,
    sum(m.caller_error) AS b_caller_error,
    sum(m.service_error) AS b_service_error,
    sum(m.unknown) AS b_unknown`;
const METRIC_LATENCY_SQL = `sum(m.latency_sum_us) AS b_latency_sum_us,
    max(m.latency_max_us) AS b_latency_max_us`;
export const METRIC_COUNTS_SQL = `${METRIC_OUTCOMES_SQL},
    ${METRIC_LATENCY_SQL}`;
const METRIC_HISTOGRAM_SQL =
  'CAST(sumMap(m.latency_histogram) AS Array(Tuple(Int16, UInt64))) AS b_histogram';

/** Columns of the outer query, which groups by the question's key alone. */
const OUTCOME_COLUMNS_SQL = `sum(b_requests) AS requests,
  sum(b_success) AS success,
  sum(b_caller_error) AS caller_error,
  sum(b_service_error) AS service_error,
  sum(b_unknown) AS unknown`;
export const COUNT_COLUMNS_SQL = `${OUTCOME_COLUMNS_SQL},
  sum(b_latency_sum_us) AS latency_sum_us,
  max(b_latency_max_us) AS latency_max_us`;

const HISTOGRAM_COLUMN_SQL = 'groupArrayArray(b_histogram) AS histogram';
export const PERFORMANCE_COLUMNS_SQL = `${COUNT_COLUMNS_SQL},
  ${HISTOGRAM_COLUMN_SQL}`;

/** What a question groups by and selects beside the sums: expressions for each source, in the same order. */
export type Grouping = {
  /** The columns to group by; undefined: all requests together. */
  readonly key: string | undefined;
  /**
   * A hash of these columns over the logs, which are then any of their values: the store groups by one number three times as
   * fast as by several columns, or by a text. Sums of 64 bits of well mixed hashes: a million groups meet once in 10^7 questions.
   */
  readonly logHash?: string;
  /** The key is `sdk_app_id`, the order of the logs. */
  readonly isSorted?: true;
  readonly logs: readonly string[];
  /** Over the metrics, named `m`. */
  readonly metrics: readonly string[];
  /** Over hours of `hour_rollup`, named `m` too; left out: the question reads `interface_metric` alone. */
  readonly rollup?: RollupGrouping;
  /** Columns of the outer query over both. */
  readonly outer: readonly string[];
};

export type RollupGrouping = {
  /** `application`: sums of an application are enough as long as no filter is in force; else by interface and region. */
  readonly needs: 'application' | 'interface';
  /** Milliseconds; left out where the question has no steps. */
  readonly stepMs?: number;
  readonly columns: readonly string[];
  /** Over rows by interface and region; left out where `columns` are right for them too. */
  readonly interfaceColumns?: readonly string[];
};

/** `counts` leaves out the histogram, `outcomes` all that is about latency; `buckets` has the histogram alone. */
export type PerformanceDetail = 'histogram' | 'counts' | 'outcomes' | 'buckets';

type DetailColumns = {
  /** Of the logs: after the counts by outcome. */
  readonly logs: readonly string[];
  readonly metrics: readonly string[];
  readonly outer: readonly string[];
  readonly hasOutcomes: boolean;
  readonly hasBuckets: boolean;
};

const DETAILS: Readonly<Record<PerformanceDetail, DetailColumns>> = {
  outcomes: {
    logs: [],
    metrics: [METRIC_OUTCOMES_SQL],
    outer: [OUTCOME_COLUMNS_SQL],
    hasOutcomes: true,
    hasBuckets: false,
  },
  counts: {
    logs: [LOG_LATENCY_SQL],
    metrics: [METRIC_COUNTS_SQL],
    outer: [COUNT_COLUMNS_SQL],
    hasOutcomes: true,
    hasBuckets: false,
  },
  histogram: {
    logs: [LOG_LATENCY_SQL, LOG_HISTOGRAM_SQL],
    metrics: [METRIC_COUNTS_SQL, METRIC_HISTOGRAM_SQL],
    outer: [COUNT_COLUMNS_SQL, HISTOGRAM_COLUMN_SQL],
    hasOutcomes: true,
    hasBuckets: true,
  },
  buckets: {
    logs: [LOG_HISTOGRAM_SQL],
    metrics: [METRIC_HISTOGRAM_SQL],
    outer: [HISTOGRAM_COLUMN_SQL],
    hasOutcomes: false,
    hasBuckets: true,
  },
};

/**
 * A SELECT that gives the columns of `PERFORMANCE_ROW`, of `SUMS` or of `OUTCOME_SUMS`, by the key of `grouping`.
 * @param filter over the window of the question
 * @param metrics the part of that window to read from the metrics, whole minutes; null: none
 */
export function performanceQuery(
  grouping: Grouping,
  filter: Filter,
  window: TimeWindow,
  metrics: MetricSpan | null,
  detail: PerformanceDetail = 'histogram',
): { sql: string; params: QueryParams } {
  const { key } = grouping;
  const kind = grouping.rollup && rollupKind(grouping.rollup, filter);
  const span = metrics === null ? null : spanConditions(metrics, kind);
  const parts: string[] = [];
  if (metrics === null || needsLogs(metrics, window)) parts.push(logPart(grouping, filter, span, detail));
  const metricPart = (columns: readonly string[], table: string, condition: string): string => `SELECT
    ${[...columns, ...DETAILS[detail].metrics].join(',\n    ')}
  FROM ${table} AS m
  WHERE ${filter.metricSql}
  AND ${condition}${key === undefined ? '' : `\n  GROUP BY ${key}`}`;
  if (span !== null && span.metrics !== null)
    parts.push(metricPart(grouping.metrics, 'interface_metric_kept', span.metrics));
  if (span !== null && span.rollup !== null)
    parts.push(metricPart(rollupColumns(grouping, kind), 'hour_rollup_kept', span.rollup));
  return {
    sql: `
SELECT
  ${[...grouping.outer, ...DETAILS[detail].outer].join(',\n  ')}
FROM (
  ${parts.join('\n  UNION ALL\n  ')}
)${key === undefined ? '' : `\nGROUP BY ${key}`}`,
    params: { ...filter.params, ...span?.params },
  };
}

function logPart(
  { key, logHash, isSorted, logs }: Grouping,
  filter: Filter,
  span: SpanConditions | null,
  detail: PerformanceDetail,
): string {
  const { hasOutcomes, hasBuckets, logs: columns } = DETAILS[detail];
  const isByOutcome = hasOutcomes && (hasBuckets || isSorted !== true);
  const outcomes = isByOutcome ? LOG_OUTCOMES_SQL : LOG_OUTCOMES_OF_SORTED_SQL;
  const keys = [
    ...(isByOutcome ? ['outcome'] : []),
    ...(hasBuckets ? [LATENCY_BUCKET_SQL] : []),
    ...(key === undefined ? [] : [key]),
  ];
  const hash = [
    ...(logHash === undefined ? [] : [logHash]),
    ...(isByOutcome ? ['intHash64(toUInt8(outcome))'] : []),
    ...(hasBuckets ? [`intHash64(1000 + ${LATENCY_BUCKET_SQL})`] : []),
  ];
  return `SELECT
    ${[...logs, ...(hasOutcomes ? [outcomes] : []), ...columns].join(',\n    ')}
  FROM request_log_kept
  WHERE ${filter.sql}${span === null ? '' : `\n  AND ${span.logs}`}
  GROUP BY ${logHash === undefined ? keys.join(', ') : hash.join(' + ')}`;
}

function rollupColumns({ rollup }: Grouping, kind: RollupKind | undefined): readonly string[] {
  if (rollup === undefined) return [];
  return kind === 'interface_hour' ? (rollup.interfaceColumns ?? rollup.columns) : rollup.columns;
}

/** The coarsest rows that answer the question exactly; undefined where none do. */
export function rollupKind(
  { needs, stepMs = HOUR_MS }: Pick<RollupGrouping, 'needs' | 'stepMs'>,
  filter: Filter,
): RollupKind | undefined {
  const isHourly = stepMs % HOUR_MS === 0;
  if (needs === 'interface' || filter.metricSql !== filter.subjectSql) {
    return isHourly ? 'interface_hour' : undefined;
  }
  if (isHourly) return 'application_hour';
  return stepMs % ROLLUP_SLICE_MS === 0 ? 'application_10m' : undefined;
}
