/*
 * `timeseries` and `fleetTimeseries`: how did requests go over time? One point for each step, zeros where nothing
 * happened; split by a dimension, and beside the same time some days before.
 */
import type { Dimension, GroupValues } from '@imscope/schemas/query-api/dimensions.js';
import type { QueryOf } from '@imscope/schemas/query-api/questions.js';
import { SPLIT_LIMIT_DEFAULT, type TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import { Type } from 'typebox';
import { ratedTogether } from '../completeness/verdict.js';
import { comparedWindow, requireComparableStep } from '../figures/compared-window.js';
import { groupValuesOf, metricsGroupBy } from '../figures/dimensions.js';
import type { Minimum } from '../figures/minimum.js';
import { type Grouping, performanceQuery } from '../figures/performance.js';
import { PERFORMANCE_ROW, performanceOf, type PerformanceRow } from '../figures/sums.js';
import { type PlanInput, planSteps, type RequestPlan, type Span } from '../figures/plan.js';
import { NO_GROUPS, placesOf, type RankedGroups, rankGroups, rollupNeeds } from '../figures/ranked-groups.js';
import { type Step, stepsOf, timeText } from '../figures/time-window.js';
import type { Networks } from '../network/networks.js';
import { type AnswerBounds, HISTOGRAM_ROWS, KIB, MIB } from '../store/answer-bounds.js';
import type { NamesOf } from '../store/application-names.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { requestQuestion } from './question.js';

const QUERY = defineStoreQuery(
  'timeseries',
  Type.Object({ place: Type.Number(), step_index: Type.Number(), ...PERFORMANCE_ROW }),
);

export const TIMESERIES_BOUNDS: AnswerBounds = {
  pointsMax: 1_500,
  // The last step may be read from both sources.
  rowsMax: 2_000,
  bytes: MIB,
  bytesPerPoint: 16 * KIB,
  memoryPerByte: HISTOGRAM_ROWS,
};

type Query = QueryOf<'fleetTimeseries'>;
type SeriesPlan = RequestPlan & { readonly stepMs: number; readonly minimum: Minimum };
type Input = {
  readonly query: Query;
  readonly ask: Ask;
  readonly nowMs: number;
  readonly plan: SeriesPlan;
  readonly spanOf: (window: RequestPlan['window']) => Promise<Span>;
  readonly namesOf: NamesOf;
  readonly signal: AbortSignal;
};

/** Undefined where a step has nothing to be compared with. */
function requestsCompared(points: readonly TimePoint[]): number | undefined {
  const compared = points.flatMap((point) => point.compared ?? []);
  if (compared.length < points.length) return undefined;
  return compared.reduce((sum, { requests }) => sum + requests, 0);
}

/** Points in order of time, series by series; `requests_per_s` of a step that is cut by the window counts the part inside. */
const DEFINITION = {
  bounds: TIMESERIES_BOUNDS,
  source: 'logs_or_metrics',
  rated: (points: readonly TimePoint[]) => ({
    ...ratedTogether(points),
    requestsBefore: requestsCompared(points),
  }),
  plan: (input: PlanInput<Query> & { readonly networks: Networks }): SeriesPlan => {
    const { split_by: dimension, split_limit: limit = SPLIT_LIMIT_DEFAULT, compare } = input.query;
    const pointsOfStep = (dimension === undefined ? 1 : limit + 1) * (compare === undefined ? 1 : 2);
    const plan = planSteps({ ...input, pointsMax: Math.floor(input.pointsMax / pointsOfStep) });
    if (compare !== undefined) requireComparableStep(plan.stepMs, compare);
    return {
      ...plan,
      points: plan.points * pointsOfStep,
      minimum: input.networks.minimum,
      metricsCan: plan.metricsCan && (dimension === undefined || metricsGroupBy([dimension])),
    };
  },
  answer: async (input: Input) => {
    const { query, ask, nowMs, plan, spanOf, namesOf, signal } = input;
    const { window, stepMs, minimum } = plan;
    const span = await spanOf(window);
    const {
      split_by: dimension,
      split_sort: order = 'requests',
      split_limit: limit = SPLIT_LIMIT_DEFAULT,
    } = query;
    const ranked =
      dimension === undefined
        ? NO_GROUPS
        : await rankGroups(ask, span, { dimensions: [dimension], order, limit, minimum }, signal);
    const earlier =
      query.compare === undefined ? undefined : comparedWindow(window, stepMs, query.compare, nowMs);
    const earlierWindow = earlier?.window ?? undefined;
    const [now, before] = await Promise.all([
      askSteps(ask, span, ranked, stepMs, signal),
      earlierWindow && askSteps(ask, await spanOf(earlierWindow), ranked, stepMs, signal),
    ]);
    const compared = (place: number, { startMs, seconds }: Step): Pick<TimePoint, 'compared'> => {
      if (earlier === undefined) return {};
      const timeMs = startMs - earlier.offsetMs;
      if (before === undefined || !earlier.isKept(startMs)) return { compared: null };
      return { compared: { time: timeText(timeMs), ...performanceOf(before(place, timeMs), seconds) } };
    };
    const series = await namedSeries(ranked, dimension, namesOf, signal);
    const data = series.flatMap(({ place, shown }) =>
      stepsOf(window, stepMs).map((step): TimePoint => ({
        time: timeText(step.startMs),
        ...shown,
        ...performanceOf(now(place, step.startMs), step.seconds),
        ...compared(place, step),
      })),
    );
    return { data };
  },
} as const;

export const timeseries = requestQuestion('timeseries', DEFINITION);
export const fleetTimeseries = requestQuestion('fleetTimeseries', DEFINITION);

type RowOf = (place: number, startMs: number) => PerformanceRow | undefined;

/** The sums and histograms of each place and step. */
async function askSteps(
  ask: Ask,
  { filter, window, metrics }: Span,
  ranked: RankedGroups,
  stepMs: number,
  signal: AbortSignal,
): Promise<RowOf> {
  const places = placesOf(ranked);
  const metricColumns = [
    `${places.metrics} AS place`,
    'intDiv(toUnixTimestamp64Milli(m.window_start), {step_ms:Int64}) AS step_index',
  ];
  const grouping: Grouping = {
    key: 'place, step_index',
    logs: [`${places.logs} AS place`, 'intDiv(toUnixTimestamp64Milli(time), {step_ms:Int64}) AS step_index'],
    metrics: metricColumns,
    rollup: { needs: rollupNeeds(ranked.dimensions), stepMs, columns: metricColumns },
    outer: ['place', 'step_index'],
  };
  const { sql, params } = performanceQuery(grouping, filter, window, metrics);
  const rows = await ask(QUERY, sql, { ...params, ...places.params, step_ms: stepMs }, signal);
  const byStep = new Map(rows.map((row) => [`${row.place} ${row.step_index * stepMs}`, row]));
  return (place, startMs) => byStep.get(`${place} ${startMs}`);
}

type Series = {
  readonly place: number;
  readonly shown: Pick<TimePoint, 'group' | 'application' | 'withheld'>;
};

/** The listed groups and, where there are more, the others; one series without a group where nothing is split. */
async function namedSeries(
  { dimensions, listed, count, withheld }: RankedGroups,
  dimension: Dimension | undefined,
  namesOf: NamesOf,
  signal: AbortSignal,
): Promise<Series[]> {
  if (dimension === undefined) return [{ place: 0, shown: {} }];
  const groups: GroupValues[] = listed.map((values) => groupValuesOf(dimensions, values));
  const ids = groups.flatMap(({ application }) => (application === undefined ? [] : [application]));
  const nameOf = ids.length === 0 ? undefined : await namesOf(ids, signal);
  const series = groups.map((group, index): Series => {
    const { application: id } = group;
    const named =
      id === undefined || nameOf === undefined ? {} : { application: { sdk_app_id: id, ...nameOf(id) } };
    return { place: index + 1, shown: { group, ...named } };
  });
  return count > listed.length
    ? [...series, { place: 0, shown: { group: null, ...(withheld === 0 ? {} : { withheld }) } }]
    : series;
}
