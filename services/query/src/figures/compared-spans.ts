/*
 * Sums of a window and of the window just before it by one statement. Planning a statement costs the store more than reading
 * the few rows that metrics have of an application, so two statements would take twice as long.
 */
import type { QueryParams } from '../store/ask-store.js';
import { filterOver } from './filter.js';
import type { Gap, MetricSpan } from './metric-span.js';
import { type Grouping, type PerformanceDetail, performanceQuery } from './performance.js';
import type { Span } from './plan.js';
import { MINUTE_MS, type TimeWindow } from './time-window.js';

/** More than the margin in which metrics are about to expire, so that two spans of a day are comparable. */
const LOGS_MS_MAX = 10 * MINUTE_MS;

/**
 * Whether one statement may ask for both: the earlier window ends where the other begins, and both are read from the logs, or the
 * earlier one from the metrics. Where metrics have the later window alone, the logs of the earlier one are cheaper to read
 * without what only the later one needs.
 */
export function areComparable(now: Span, before: Span): boolean {
  const isBefore = before.window.fromMs < before.window.toMs && before.window.toMs === now.window.fromMs;
  if (!isBefore) return false;
  if (before.metrics === null) return now.metrics === null;
  return before.metrics.fromMs - before.window.fromMs < LOGS_MS_MAX;
}

/**
 * A SELECT as `performanceQuery` gives, with a column `is_before` (0 or 1).
 * @param now `areComparable` with `before`
 */
export function comparedQuery(
  grouping: Grouping,
  now: Span,
  before: Span,
  detail: PerformanceDetail = 'histogram',
): { sql: string; params: QueryParams } {
  const window = { fromMs: before.window.fromMs, toMs: now.window.toMs };
  const { sql, params } = performanceQuery(
    byWindow(grouping),
    filterOver(now.filter, window),
    window,
    joined(before.metrics, now.metrics),
    detail,
  );
  return { sql, params: { ...params, split_ms: now.window.fromMs } };
}

/** The boundary may lie within a minute: the metrics of that minute are in neither span. */
function byWindow({ key, logHash, logs, metrics, rollup, outer }: Grouping): Grouping {
  const ofMetrics = `${isBeforeSql('m.window_start')} AS is_before`;
  const ofLogs = isBeforeSql('time');
  return {
    key: key === undefined ? 'is_before' : `${key}, is_before`,
    ...(logHash === undefined ? {} : { logHash: `${logHash} + intHash64(50 + ${ofLogs})` }),
    logs: [...logs, `${logHash === undefined ? ofLogs : `any(${ofLogs})`} AS is_before`],
    metrics: [...metrics, ofMetrics],
    ...(rollup === undefined
      ? {}
      : {
          rollup: {
            ...rollup,
            columns: [...rollup.columns, ofMetrics],
            ...(rollup.interfaceColumns === undefined
              ? {}
              : { interfaceColumns: [...rollup.interfaceColumns, ofMetrics] }),
          },
        }),
    outer: [...outer, 'is_before'],
  };
}

function isBeforeSql(column: string): string {
  return `(${column} < fromUnixTimestamp64Milli({split_ms:Int64}, 'UTC'))`;
}

/** One span over both, with a gap between them that is read from the logs. */
function joined(before: MetricSpan | null, now: MetricSpan | null): MetricSpan | null {
  if (before === null || now === null) return before ?? now;
  const between: TimeWindow = { fromMs: before.toMs, toMs: now.fromMs };
  const gap: Gap[] = between.fromMs < between.toMs ? [{ ...between, sdkAppIds: 'all' }] : [];
  return {
    fromMs: before.fromMs,
    toMs: now.toMs,
    rollup: [...(before.rollup ?? []), ...(now.rollup ?? [])],
    slices: [...(before.slices ?? []), ...(now.slices ?? [])],
    gaps: [...(before.gaps ?? []), ...gap, ...(now.gaps ?? [])],
  };
}
