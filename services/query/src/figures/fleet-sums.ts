/*
 * Sums by application over a window, from the best source: `hour_rollup` for hours that are built, `interface_metric` for
 * the rest of the term of the metrics, the logs for everything else and where metrics lack requests. The span says which; see
 * `createSpans` with a subject of the kind `fleet`.
 */
import { worstFirstSql } from '@imscope/schemas/health.js';
import { type Static, Type } from 'typebox';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import type { Filter } from './filter.js';
import { type Grouping, performanceQuery } from './performance.js';
import { HISTOGRAM, OUTCOME_SUMS, SUMS } from './sums.js';
import type { Span } from './plan.js';

const ApplicationSums = Type.Object({ sdk_app_id: Type.Number(), ...SUMS, last_seen_ms: Type.Number() });
export type ApplicationSums = Static<typeof ApplicationSums>;
const SUMS_QUERY = defineStoreQuery('fleet_sums', ApplicationSums);

const LAST_SEEN: Grouping = {
  key: 'sdk_app_id',
  isSorted: true,
  logs: ['sdk_app_id', 'toUnixTimestamp64Milli(max(time)) AS b_last_seen_ms'],
  metrics: ['m.sdk_app_id AS sdk_app_id', 'toUnixTimestamp64Milli(max(m.window_start)) AS b_last_seen_ms'],
  rollup: {
    needs: 'application',
    columns: ['m.sdk_app_id AS sdk_app_id', 'toUnixTimestamp64Milli(max(m.last_window)) AS b_last_seen_ms'],
  },
  outer: ['sdk_app_id', 'max(b_last_seen_ms) AS last_seen_ms'],
};

/** One row for every application of the span's filter that has a request, in no order, without histograms. */
export async function askFleetSums(
  ask: Ask,
  { filter, window, metrics }: Span,
  signal: AbortSignal,
): Promise<readonly ApplicationSums[]> {
  const { sql, params } = performanceQuery(LAST_SEEN, filter, window, metrics, 'counts');
  return ask(SUMS_QUERY, sql, params, signal);
}

const HISTOGRAMS_QUERY = defineStoreQuery(
  'fleet_histograms',
  Type.Object({ sdk_app_id: Type.Number(), histogram: HISTOGRAM }),
);

export const BY_APPLICATION: Grouping = {
  key: 'app',
  logHash: 'intHash64(sdk_app_id)',
  logs: ['any(sdk_app_id) AS app'],
  metrics: ['m.sdk_app_id AS app'],
  rollup: { needs: 'application', columns: ['m.sdk_app_id AS app'] },
  outer: ['app AS sdk_app_id'],
};

/** The histograms of these applications, such as those of one page. */
export async function askFleetHistograms(
  ask: Ask,
  span: Span,
  sdkAppIds: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Static<typeof HISTOGRAM>>> {
  if (sdkAppIds.length === 0) return new Map();
  const filter = listed(span.filter, sdkAppIds);
  const { sql, params } = performanceQuery(BY_APPLICATION, filter, span.window, span.metrics, 'buckets');
  const rows = await ask(HISTOGRAMS_QUERY, sql, params, signal);
  return new Map(rows.map(({ sdk_app_id, histogram }) => [sdk_app_id, histogram]));
}

const step = (column: string): string => `intDiv(toUnixTimestamp64Milli(${column}), {step_ms:Int64})`;

const StepSums = Type.Object({ sdk_app_id: Type.Number(), step_index: Type.Number(), ...OUTCOME_SUMS });
export type StepSums = Static<typeof StepSums>;
const STEPS_QUERY = defineStoreQuery('fleet_steps', StepSums);

/**
 * Sums by application and step, for sparklines. A step begins at `step_index` times the step since 1970. Steps of whole
 * hours or of whole ten minutes are the cheapest; the span is only right for whole minutes.
 */
export async function askFleetSteps(
  ask: Ask,
  span: Span,
  { sdkAppIds, stepMs }: { readonly sdkAppIds: readonly number[]; readonly stepMs: number },
  signal: AbortSignal,
): Promise<readonly StepSums[]> {
  if (sdkAppIds.length === 0) return [];
  const metricColumns = ['m.sdk_app_id AS app', `${step('m.window_start')} AS step_index`];
  const grouping: Grouping = {
    key: 'app, step_index',
    logHash: `intHash64(sdk_app_id) + intHash64(${step('time')})`,
    logs: ['any(sdk_app_id) AS app', `any(${step('time')}) AS step_index`],
    metrics: metricColumns,
    rollup: { needs: 'application', stepMs, columns: metricColumns },
    outer: ['app AS sdk_app_id', 'step_index'],
  };
  const filter = listed(span.filter, sdkAppIds);
  const { sql, params } = performanceQuery(grouping, filter, span.window, span.metrics, 'outcomes');
  return ask(STEPS_QUERY, sql, { ...params, step_ms: stepMs }, signal);
}

const WorstInterface = Type.Object({
  sdk_app_id: Type.Number(),
  interfaces: Type.Number(),
  /** Name, service errors and successes of the interface that loses most. */
  worst: Type.Tuple([Type.String(), Type.Number(), Type.Number()]),
});
export type WorstInterface = Static<typeof WorstInterface>;
const WORST_QUERY = defineStoreQuery('fleet_worst_interfaces', WorstInterface);

const BY_INTERFACE: Grouping = {
  key: 'app, name',
  logHash: 'intHash64(sdk_app_id) + cityHash64(interface)',
  logs: ['any(sdk_app_id) AS app', 'any(interface) AS name'],
  metrics: ['m.sdk_app_id AS app', 'm.interface AS name'],
  rollup: { needs: 'interface', columns: ['m.sdk_app_id AS app', 'm.interface AS name'] },
  outer: ['app AS sdk_app_id', 'name AS interface'],
};
const COLUMNS = { requests: 'requests', success: 'success', serviceErrors: 'service_error' };

/** Of these applications, such as those of one page, how many interfaces they use and which one loses most. */
export async function askWorstInterfaces(
  ask: Ask,
  span: Span,
  sdkAppIds: readonly number[],
  signal: AbortSignal,
): Promise<readonly WorstInterface[]> {
  if (sdkAppIds.length === 0) return [];
  const filter = listed(span.filter, sdkAppIds);
  const { sql, params } = performanceQuery(BY_INTERFACE, filter, span.window, span.metrics, 'outcomes');
  const worstSql = `
SELECT
  sdk_app_id,
  count() AS interfaces,
  argMin((interface, service_error, success), (${worstFirstSql(COLUMNS)}, interface)) AS worst
FROM (${sql}
)
GROUP BY sdk_app_id`;
  return ask(WORST_QUERY, worstSql, params, signal);
}

/** The same filter, of these applications alone. */
function listed(filter: Filter, sdkAppIds: readonly number[]): Filter {
  const clause = 'sdk_app_id IN {listed_ids:Array(UInt64)}';
  return {
    ...filter,
    sql: `${filter.sql}\n  AND ${clause}`,
    metricSql: `${filter.metricSql}\n  AND ${clause}`,
    subjectSql: `${filter.subjectSql}\n  AND ${clause}`,
    params: { ...filter.params, listed_ids: sdkAppIds },
  };
}
