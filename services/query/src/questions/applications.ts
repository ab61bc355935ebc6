/*
 * `applications`: which applications lose requests right now? Worst first, by the order of schemas/src/health.ts:
 * tier, then service errors, then requests. So 2,000 failures of 20,000 come before 1 of 1.
 */
import { worstFirstSql } from '@imscope/schemas/health.js';
import type { ApplicationRow } from '@imscope/schemas/query-api/applications.js';
import { type Static, Type } from 'typebox';
import { ratedTogether } from '../completeness/verdict.js';
import { type AnswerBounds, FLAT_ROWS, KIB, MIB } from '../store/answer-bounds.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { SPAN_SQL, spanParams } from '../figures/filter.js';
import {
  HISTOGRAM,
  LATENCY_BUCKET_SQL,
  LOG_SUMS_SQL,
  PERFORMANCE_COLUMNS_SQL,
  performanceOf,
  successRate,
  SUMS,
} from '../figures/performance.js';
import { leftOut } from '../figures/left-out.js';
import { shareOf } from '../figures/source.js';
import {
  countSteps,
  resolveStep,
  resolveWindow,
  type Step,
  stepsOf,
  timeText,
  type TimeWindow,
  windowSeconds,
} from '../figures/time-window.js';
import { fleetQuestion } from './question.js';
import { type ReadScope, scopeSql } from '../figures/subject.js';

/** The first in the order are listed; the answer says how many are left out. */
const APPLICATIONS_MAX = 1_000;

const TotalsRow = Type.Object({
  sdk_app_id: Type.Number(),
  ...SUMS,
  interfaces: Type.Number(),
  worst: Type.Tuple([Type.String(), Type.Number(), Type.Number()]),
  last_seen_ms: Type.Number(),
  row_count: Type.Number(),
  total: Type.Number(),
});
const TOTALS = defineStoreQuery('applications', TotalsRow);

const APPLICATION_COLUMNS = {
  requests: 'requests',
  success: 'success',
  serviceErrors: 'service_error',
};
const INTERFACE_COLUMNS = {
  requests: 'i_requests',
  success: 'i_success',
  serviceErrors: 'i_service_error',
};

const totalsSql = (scope: string): string => `
SELECT
  sdk_app_id,
  sum(i_requests) AS requests,
  sum(i_success) AS success,
  sum(i_caller_error) AS caller_error,
  sum(i_service_error) AS service_error,
  sum(i_unknown) AS unknown,
  sum(i_latency_sum_us) AS latency_sum_us,
  max(i_latency_max_us) AS latency_max_us,
  count() AS interfaces,
  argMin((interface, i_service_error, i_success), (${worstFirstSql(INTERFACE_COLUMNS)}, interface)) AS worst,
  max(i_last_seen_ms) AS last_seen_ms,
  sum(i_row_count) AS row_count,
  count() OVER () AS total
FROM (
  SELECT
    sdk_app_id,
    interface,
    sum(weight) AS i_requests,
    sumIf(weight, outcome = 'success') AS i_success,
    sumIf(weight, outcome = 'caller_error') AS i_caller_error,
    sumIf(weight, outcome = 'service_error') AS i_service_error,
    sumIf(weight, outcome = 'unknown') AS i_unknown,
    sum(latency_us * weight) AS i_latency_sum_us,
    max(latency_us) AS i_latency_max_us,
    toUnixTimestamp64Milli(max(time)) AS i_last_seen_ms,
    count() AS i_row_count
  FROM request_log_kept
  WHERE ${scope}
  GROUP BY sdk_app_id, interface
)
GROUP BY sdk_app_id
ORDER BY ${worstFirstSql(APPLICATION_COLUMNS)}, sdk_app_id
LIMIT ${APPLICATIONS_MAX}`;

const HISTOGRAMS = defineStoreQuery(
  'applications_histograms',
  Type.Object({ sdk_app_id: Type.Number(), histogram: HISTOGRAM }),
);

const HISTOGRAMS_SQL = `
SELECT
  sdk_app_id,
  ${PERFORMANCE_COLUMNS_SQL}
FROM (
  SELECT
    sdk_app_id,
    ${LOG_SUMS_SQL}
  FROM request_log_kept
  WHERE sdk_app_id IN {sdk_app_ids:Array(UInt64)} AND ${SPAN_SQL}
  GROUP BY sdk_app_id, ${LATENCY_BUCKET_SQL}
)
GROUP BY sdk_app_id`;

const SPARKLINES = defineStoreQuery(
  'applications_sparklines',
  Type.Object({
    sdk_app_id: Type.Number(),
    step_index: Type.Number(),
    requests: Type.Number(),
    success: Type.Number(),
    service_error: Type.Number(),
  }),
);

const SPARKLINES_SQL = `
SELECT
  sdk_app_id,
  intDiv(toUnixTimestamp64Milli(time), {step_ms:Int64}) AS step_index,
  sum(weight) AS requests,
  sumIf(weight, outcome = 'success') AS success,
  sumIf(weight, outcome = 'service_error') AS service_error
FROM request_log_kept
WHERE sdk_app_id IN {sdk_app_ids:Array(UInt64)} AND ${SPAN_SQL}
GROUP BY sdk_app_id, step_index`;

/** 1,000 applications with a histogram and names of up to 1 KiB each, and for each step a sparkline's row of 165 bytes for each of them. */
const BOUNDS: AnswerBounds = {
  pointsMax: 120,
  rowsMax: 121_000,
  bytes: 11 * MIB,
  bytesPerPoint: 180 * KIB,
  memoryPerByte: FLAT_ROWS,
};

export const applications = fleetQuestion('applications', {
  bounds: BOUNDS,
  source: 'logs',
  rated: ratedTogether,
  plan: ({ query, nowMs, pointsMax }) => {
    const window = resolveWindow(query, nowMs);
    const stepMs = resolveStep(query.step, window, pointsMax);
    return { window, stepMs, points: countSteps(window, stepMs) };
  },
  answer: async ({ ask, namesOf, scope, window, plan: { stepMs }, signal }) => {
    const totals = await askTotals(ask, scope, window, signal);
    if (totals.length === 0) return { data: [], leftOut: 0 };
    const listed = { ...spanParams(window), sdk_app_ids: totals.map((row) => row.sdk_app_id) };
    const [nameOf, histograms, points] = await Promise.all([
      namesOf(listed.sdk_app_ids, signal),
      ask(HISTOGRAMS, HISTOGRAMS_SQL, listed, signal),
      ask(SPARKLINES, SPARKLINES_SQL, { ...listed, step_ms: stepMs }, signal),
    ]);
    const histogramOf = new Map(histograms.map((row) => [row.sdk_app_id, row.histogram]));
    const pointsOf = groupByStep(points, stepMs);
    const steps = stepsOf(window, stepMs);
    const data = totals.map((row) => ({
      sdk_app_id: row.sdk_app_id,
      ...nameOf(row.sdk_app_id),
      ...performanceOf({ ...row, histogram: histogramOf.get(row.sdk_app_id) ?? [] }, windowSeconds(window)),
      interfaces: row.interfaces,
      worst_interface: worstInterface(row.worst),
      last_seen: timeText(row.last_seen_ms),
      sparkline: sparklineOf(steps, pointsOf.get(row.sdk_app_id)),
    }));
    const sumOf = (column: 'row_count' | 'requests') => totals.reduce((sum, row) => sum + row[column], 0);
    // Of all applications that are listed.
    const loggedShare = shareOf(sumOf('row_count'), sumOf('requests'));
    return { data, leftOut: leftOut(totals), loggedShare };
  },
});

function askTotals(
  ask: Ask,
  scope: ReadScope,
  window: TimeWindow,
  signal: AbortSignal,
): Promise<readonly Static<typeof TotalsRow>[]> {
  const { sql, params } = scopeSql('sdk_app_id', scope);
  return ask(TOTALS, totalsSql(`${sql} AND ${SPAN_SQL}`), { ...spanParams(window), ...params }, signal);
}

function worstInterface([name, serviceErrors, success]: [
  string,
  number,
  number,
]): ApplicationRow['worst_interface'] {
  if (serviceErrors === 0) return null;
  return {
    interface: name,
    service_errors: serviceErrors,
    success_rate: successRate(success, serviceErrors),
  };
}

type Point = { readonly requests: number; readonly success: number; readonly service_error: number };

function groupByStep(
  points: readonly (Point & { readonly sdk_app_id: number; readonly step_index: number })[],
  stepMs: number,
): Map<number, Map<number, Point>> {
  const byApplication = new Map<number, Map<number, Point>>();
  for (const point of points) {
    let own = byApplication.get(point.sdk_app_id);
    if (own === undefined) {
      own = new Map();
      byApplication.set(point.sdk_app_id, own);
    }
    own.set(point.step_index * stepMs, point);
  }
  return byApplication;
}

function sparklineOf(
  steps: readonly Step[],
  points: ReadonlyMap<number, Point> | undefined,
): ApplicationRow['sparkline'] {
  return steps.map(({ startMs }) => {
    const point = points?.get(startMs);
    return {
      time: timeText(startMs),
      requests: point?.requests ?? 0,
      success_rate: point === undefined ? null : successRate(point.success, point.service_error),
    };
  });
}
