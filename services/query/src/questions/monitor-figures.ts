/*
 * The store queries of `monitor`: sums from the metrics by step, interface and region, and, where metrics lack
 * requests, sums from the logs by step.
 */
import { type Static, Type } from 'typebox';
import { type Ask, defineStoreQuery, type QueryParams, type StoreQuery } from '../store/ask-store.js';
import { type Filter, spanParams } from '../figures/filter.js';
import { leftOut } from '../figures/left-out.js';
import { builtSpan, type RollupHour, spanConditions } from '../figures/metric-span.js';
import {
  METRIC_COUNTS_SQL,
  METRIC_HISTOGRAM_SQL,
  PERFORMANCE_COLUMNS_SQL,
  PERFORMANCE_ROW,
  rollupKind,
} from '../figures/performance.js';
import type { TimeWindow } from '../figures/time-window.js';

/** The most used are listed; the answer says how many are left out. */
export const INTERFACES_MAX = 1_000;
export const REGIONS_MAX = 100;

export type MetricQuery = {
  /** Whole minutes. */
  readonly window: TimeWindow;
  /** Over that window. */
  readonly filter: Filter;
  /** Whole minutes. */
  readonly stepMs: number;
  /** Hours that are built in `hour_rollup`. */
  readonly rollup: readonly RollupHour[];
};

const CodeCounts = Type.Record(Type.String(), Type.Number());
export type CodeCounts = Static<typeof CodeCounts>;

const StepRow = Type.Object({
  step_index: Type.Number(),
  ...PERFORMANCE_ROW,
  logged_weight: Type.Number(),
});
export type StepRow = Static<typeof StepRow>;
const InterfaceRow = Type.Object({
  name: Type.String(),
  ...PERFORMANCE_ROW,
  codes: CodeCounts,
  total: Type.Number(),
});
export type InterfaceRow = Static<typeof InterfaceRow>;
const RegionRow = Type.Object({ name: Type.String(), ...PERFORMANCE_ROW, total: Type.Number() });

const STEPS = defineStoreQuery('monitor_steps', StepRow);
const INTERFACES = defineStoreQuery('monitor_interfaces', InterfaceRow);
const REGIONS = defineStoreQuery('monitor_regions', RegionRow);

/** Histograms and codes cost most of the time, so they are read for today only. */
export type Detail = 'all' | 'sums';

const metricSql = (
  { filter, window, rollup, stepMs }: MetricQuery,
  key: Key,
  extra: Extra,
  detail: Detail,
): { sql: string; params: QueryParams } => {
  const needs = { needs: key.needs, ...(key.name === 'step_index' ? { stepMs } : {}) };
  const span = spanConditions({ ...window, ...builtSpan(window, rollup) }, rollupKind(needs, filter));
  const partSql = (table: string, condition: string): string => `SELECT
    ${key.sql} AS ${key.name},
    ${extra.inner}
    ${METRIC_COUNTS_SQL},
    ${detail === 'all' ? METRIC_HISTOGRAM_SQL : 'CAST([] AS Array(Tuple(Int16, UInt64))) AS b_histogram'}
  FROM ${table} AS m
  WHERE ${filter.metricSql}
  AND ${condition}
  GROUP BY ${key.name}`;
  const parts = [
    ...(span.metrics === null ? [] : [partSql('interface_metric_kept', span.metrics)]),
    ...(span.rollup === null ? [] : [partSql('hour_rollup_kept', span.rollup)]),
  ];
  const sql = `
SELECT
  ${key.name},
  count() OVER () AS total,
  ${extra.outer}
  ${PERFORMANCE_COLUMNS_SQL}
FROM (
  ${parts.join('\n  UNION ALL\n  ')}
)
GROUP BY ${key.name}`;
  return { sql, params: { ...filter.params, ...span.params, step_ms: stepMs } };
};

/** What the rows are grouped by: a column of the answer, and its expression over the metrics `m`. */
type Key = {
  readonly name: 'step_index' | 'name';
  readonly sql: string;
  readonly needs: 'application' | 'interface';
};
const BY_STEP: Key = {
  name: 'step_index',
  sql: 'intDiv(toUnixTimestamp64Milli(m.window_start), {step_ms:Int64})',
  needs: 'application',
};
const BY_INTERFACE: Key = { name: 'name', sql: 'm.interface', needs: 'interface' };
const BY_REGION: Key = { name: 'name', sql: 'm.region', needs: 'interface' };

/** A further column, each with its comma. */
type Extra = { readonly inner: string; readonly outer: string };
const NO_EXTRA: Extra = { inner: '', outer: '' };
const LOGGED_WEIGHT: Extra = {
  inner: 'sum(m.logged_weight) AS b_logged_weight,',
  outer: 'sum(b_logged_weight) AS logged_weight,',
};
const CODES: Record<Detail, Extra> = {
  all: { inner: 'sumMap(m.codes) AS b_codes,', outer: 'sumMap(b_codes) AS codes,' },
  sums: { inner: '', outer: 'CAST(map() AS Map(String, UInt64)) AS codes,' },
};

/** A list with a bound. The map keeps the order of the rows: most used first. */
export type MostUsed<Row> = { readonly rows: ReadonlyMap<string, Row>; readonly leftOut: number };

export async function askMetrics(ask: Ask, query: MetricQuery, detail: Detail, signal?: AbortSignal) {
  const mostUsed = async <Row extends { name: string; total: number }>(
    storeQuery: StoreQuery<Row>,
    key: Key,
    extra: Extra,
    max: number,
  ): Promise<MostUsed<Row>> => {
    const { sql, params } = metricSql(query, key, extra, detail);
    const rows = await ask(storeQuery, `${sql}\nORDER BY requests DESC, name\nLIMIT ${max}`, params, signal);
    return { rows: new Map(rows.map((row) => [row.name, row])), leftOut: leftOut(rows) };
  };
  const bySteps = metricSql(query, BY_STEP, LOGGED_WEIGHT, detail);
  const [steps, interfaces, regions] = await Promise.all([
    ask(STEPS, bySteps.sql, bySteps.params, signal),
    mostUsed(INTERFACES, BY_INTERFACE, CODES[detail], INTERFACES_MAX),
    mostUsed(REGIONS, BY_REGION, NO_EXTRA, REGIONS_MAX),
  ]);
  return { steps: new Map(steps.map((row) => [row.step_index * query.stepMs, row])), interfaces, regions };
}

const LOGGED_BY_STEP = defineStoreQuery(
  'monitor_missing',
  Type.Object({ step_index: Type.Number(), weight: Type.Number() }),
);

const loggedByStepSql = (filter: string): string => `
SELECT
  intDiv(toUnixTimestamp64Milli(time), {step_ms:Int64}) AS step_index,
  sum(weight) AS weight
FROM request_log_kept
WHERE ${filter}
GROUP BY step_index`;

export type Missing = { readonly total: number; readonly byStep: ReadonlyMap<number, number> };

/**
 * Requests that the logs hold and the metrics lack, by the beginning of the step.
 * @param fromMs nothing is missing before it; the end of the window where nothing is missing
 */
export async function askMissing(
  ask: Ask,
  { filter, window, stepMs }: MetricQuery,
  steps: ReadonlyMap<number, StepRow>,
  fromMs: number,
  signal?: AbortSignal,
): Promise<Missing> {
  if (fromMs >= window.toMs) return { total: 0, byStep: new Map() };
  // From the beginning of a step, because the metrics of a step are one sum.
  const span = { fromMs: Math.max(Math.floor(fromMs / stepMs) * stepMs, window.fromMs), toMs: window.toMs };
  const params = { ...filter.params, ...spanParams(span), step_ms: stepMs };
  const rows = await ask(LOGGED_BY_STEP, loggedByStepSql(filter.sql), params, signal);
  const byStep = new Map<number, number>();
  let total = 0;
  for (const { step_index: index, weight } of rows) {
    const lacking = weight - (steps.get(index * stepMs)?.logged_weight ?? 0);
    if (lacking <= 0) continue;
    byStep.set(index * stepMs, lacking);
    total += lacking;
  }
  return { total, byStep };
}
