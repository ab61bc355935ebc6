/*
 * The store queries of `monitor`: sums from the metrics by step, and by interface and region, of a window and of the day
 * before; and, where metrics lack requests, sums from the logs by step. Planning a SELECT over a table costs the store
 * about as much as reading a day of rollups, so both days are read by one statement each.
 */
import { type Static, Type } from 'typebox';
import { type Ask, defineStoreQuery, type QueryParams } from '../store/ask-store.js';
import { type Filter, spanParams } from '../figures/filter.js';
import { leftOut } from '../figures/left-out.js';
import { builtSpan, metricConditions, type RollupHour } from '../figures/metric-span.js';
import {
  COUNT_COLUMNS_SQL,
  METRIC_COUNTS_SQL,
  type RollupGrouping,
  rollupKind,
} from '../figures/performance.js';
import { PERFORMANCE_ROW } from '../figures/sums.js';
import type { TimeWindow } from '../figures/time-window.js';

/** The most used are listed; the answer says how many are left out. */
export const INTERFACES_MAX = 1_000;
export const REGIONS_MAX = 100;

export type MetricQuery = {
  /** Whole minutes. */
  readonly window: TimeWindow;
  /** The window a day earlier, or the part of it that is kept; null: none. It overlaps a window longer than a day. */
  readonly dayBefore: TimeWindow | null;
  readonly filter: Filter;
  /** Whole minutes. */
  readonly stepMs: number;
  /** Hours that are built in `hour_rollup`. */
  readonly rollup: readonly RollupHour[];
};

/** `today` is the window. Histograms and codes cost most of the time, so the rows of the day before have none. */
const Day = Type.Union([Type.Literal('today'), Type.Literal('day_before')]);
export type Day = Static<typeof Day>;

const CodeCounts = Type.Record(Type.String(), Type.Number());
export type CodeCounts = Static<typeof CodeCounts>;

const StepRow = Type.Object({
  day: Day,
  step_index: Type.Number(),
  ...PERFORMANCE_ROW,
  logged_weight: Type.Number(),
});
export type StepRow = Static<typeof StepRow>;

const ListRow = Type.Object({
  day: Day,
  list: Type.Union([Type.Literal('interface'), Type.Literal('region')]),
  name: Type.String(),
  ...PERFORMANCE_ROW,
  /** Of interfaces. */
  codes: CodeCounts,
  total: Type.Number(),
});
export type ListRow = Static<typeof ListRow>;

const STEPS = defineStoreQuery('monitor_steps', StepRow);
const LISTS = defineStoreQuery('monitor_lists', ListRow);

/** What the rows of a statement are grouped by. */
type Grouping = {
  /** Over rows of the metrics, named `m`: columns, and the GROUP BY that tells the days apart too. */
  readonly columns: string;
  readonly groupBy: string;
  readonly sums: string;
  /** Over those sums: the columns to group by, beside `day`, and the further ones. */
  readonly key: string;
  readonly outer: string;
  readonly needs: RollupGrouping['needs'];
};

const BY_STEP: Grouping = {
  columns: 'intDiv(toUnixTimestamp64Milli(m.window_start), {step_ms:Int64}) AS step_index',
  groupBy: 'step_index, is_today, is_day_before',
  sums: 'sum(m.logged_weight) AS b_logged_weight',
  key: 'step_index',
  outer: 'sum(b_logged_weight) AS logged_weight',
  needs: 'application',
};

/**
 * Both lists are summed while the rows are read. First summing by interface and region together takes 6 times the
 * memory and 3 times the processor time with 1,000 interfaces in 100 regions, and the same with 40 in 6.
 */
const BY_INTERFACE_AND_REGION: Grouping = {
  columns: `if(grouping(m.interface) = 0, 'interface', 'region') AS list,
    if(list = 'interface', m.interface, m.region) AS name`,
  groupBy: 'GROUPING SETS ((m.interface, is_today, is_day_before), (m.region, is_today, is_day_before))',
  sums: 'sumMapIf(m.codes, is_today) AS b_codes',
  key: 'list, name',
  outer: "sumMapIf(b_codes, day = 'today' AND list = 'interface') AS codes",
  needs: 'interface',
};

function metricSql(
  { filter, window, dayBefore, rollup, stepMs }: MetricQuery,
  { columns, groupBy, sums, key, outer, needs }: Grouping,
): { sql: string; params: QueryParams } {
  const kind = rollupKind({ needs, ...(needs === 'application' ? { stepMs } : {}) }, filter);
  const spans = disjoint(window, dayBefore).map((span) => ({ ...span, ...builtSpan(span, rollup) }));
  const tables = metricConditions(spans, kind);
  const partSql = (table: string, condition: string): string => `SELECT
    ${columns},
    m.window_start >= fromUnixTimestamp64Milli({today_from_ms:Int64}, 'UTC') AS is_today,
    m.window_start < fromUnixTimestamp64Milli({day_before_to_ms:Int64}, 'UTC') AS is_day_before,
    ${sums},
    ${METRIC_COUNTS_SQL},
    sumMapIf(m.latency_histogram, is_today) AS b_histogram
  FROM ${table} AS m
  WHERE ${filter.metricSql}
  AND ${condition}
  GROUP BY ${groupBy}`;
  const parts = [
    ...(tables.metrics === null ? [] : [partSql('interface_metric_kept', tables.metrics)]),
    ...(tables.rollup === null ? [] : [partSql('hour_rollup_kept', tables.rollup)]),
  ];
  const sql = `
SELECT
  day,
  ${key},
  ${outer},
  ${COUNT_COLUMNS_SQL},
  CAST(sumMapIf(b_histogram, day = 'today') AS Array(Tuple(Int16, UInt64))) AS histogram
FROM (
  ${parts.join('\n  UNION ALL\n  ')}
)
ARRAY JOIN arrayConcat(if(is_today, ['today'], []), if(is_day_before, ['day_before'], [])) AS day
GROUP BY day, ${key}`;
  const days = { today_from_ms: window.fromMs, day_before_to_ms: dayBefore?.toMs ?? 0 };
  return { sql, params: { ...filter.params, ...tables.params, ...days, step_ms: stepMs } };
}

/** Both windows as spans in order of time that do not overlap. */
function disjoint(window: TimeWindow, dayBefore: TimeWindow | null): TimeWindow[] {
  if (dayBefore === null) return [window];
  return [
    { fromMs: dayBefore.fromMs, toMs: Math.min(dayBefore.toMs, window.fromMs) },
    { fromMs: window.fromMs, toMs: dayBefore.toMs },
    { fromMs: Math.max(window.fromMs, dayBefore.toMs), toMs: window.toMs },
  ].filter(({ fromMs, toMs }) => fromMs < toMs);
}

function listsSql(query: MetricQuery): { sql: string; params: QueryParams } {
  const { sql, params } = metricSql(query, BY_INTERFACE_AND_REGION);
  return {
    sql: `
SELECT *, count() OVER (PARTITION BY day, list) AS total
FROM (${sql}
)
QUALIFY row_number() OVER (PARTITION BY day, list ORDER BY requests DESC, name)
  <= if(list = 'interface', ${INTERFACES_MAX}, ${REGIONS_MAX})
ORDER BY requests DESC, name`,
    params,
  };
}

/** A list with a bound. The map keeps the order of the rows: most used first. */
export type MostUsed<Row> = { readonly rows: ReadonlyMap<string, Row>; readonly leftOut: number };

/** Of one day. */
export type DayMetrics = {
  /** By the beginning of the step, milliseconds. */
  readonly steps: ReadonlyMap<number, StepRow>;
  readonly interfaces: MostUsed<ListRow>;
  readonly regions: MostUsed<ListRow>;
};

export async function askMetrics(
  ask: Ask,
  query: MetricQuery,
  signal?: AbortSignal,
): Promise<Record<Day, DayMetrics>> {
  const bySteps = metricSql(query, BY_STEP);
  const byLists = listsSql(query);
  const [steps, lists] = await Promise.all([
    ask(STEPS, bySteps.sql, bySteps.params, signal),
    ask(LISTS, byLists.sql, byLists.params, signal),
  ]);
  const mostUsed = (day: Day, list: ListRow['list']): MostUsed<ListRow> => {
    const rows = lists.filter((row) => row.day === day && row.list === list);
    return { rows: new Map(rows.map((row) => [row.name, row])), leftOut: leftOut(rows) };
  };
  const metricsOf = (day: Day): DayMetrics => ({
    steps: new Map(steps.filter((row) => row.day === day).map((row) => [row.step_index * query.stepMs, row])),
    interfaces: mostUsed(day, 'interface'),
    regions: mostUsed(day, 'region'),
  });
  return { today: metricsOf('today'), day_before: metricsOf('day_before') };
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
  { filter, window, stepMs }: Pick<MetricQuery, 'window' | 'stepMs' | 'filter'>,
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
