/*
 * `breakdown` and `fleetBreakdown`: which node, version, code … do failures come from? Each group has its share of all
 * failures beside its share of all successes; the groups beyond the limit are summed in one.
 */
import { describeCode } from '@imscope/schemas/codes/catalogue.js';
import {
  type Breakdown,
  BREAKDOWN_LIMIT_DEFAULT,
  BREAKDOWN_LIMIT_MAX,
  type BreakdownRow,
} from '@imscope/schemas/query-api/breakdown.js';
import type { Dimension } from '@imscope/schemas/query-api/dimensions.js';
import type { NamedApplication } from '@imscope/schemas/query-api/application-name.js';
import type { QueryOf } from '@imscope/schemas/query-api/questions.js';
import { Type } from 'typebox';
import { ratedTogether } from '../completeness/verdict.js';
import { groupValuesOf, metricsGroupBy } from '../figures/dimensions.js';
import type { Minimum } from '../figures/minimum.js';
import { type Grouping, performanceQuery } from '../figures/performance.js';
import { addUp, PERFORMANCE_ROW, performanceOf, type PerformanceRow } from '../figures/sums.js';
import { type PlanInput, planWindow, type RequestPlan, type Span } from '../figures/plan.js';
import { placesOf, type RankedGroups, rankGroups, rollupNeeds } from '../figures/ranked-groups.js';
import { sharesOf } from '../figures/shares.js';
import { windowSeconds } from '../figures/time-window.js';
import type { Networks } from '../network/networks.js';
import { type AnswerBounds, HISTOGRAM_ROWS, MIB } from '../store/answer-bounds.js';
import type { NamesOf } from '../store/application-names.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { answerByPrefix, planByPrefix, type PrefixPlan } from './breakdown-by-prefix.js';
import { requestQuestion } from './question.js';

/** 1,000 groups and the others, each with a histogram. */
const BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: BREAKDOWN_LIMIT_MAX + 1,
  bytes: 16 * MIB,
  bytesPerPoint: 0,
  memoryPerByte: HISTOGRAM_ROWS,
};

const QUERY = defineStoreQuery('breakdown', Type.Object({ place: Type.Number(), ...PERFORMANCE_ROW }));

type Query = QueryOf<'fleetBreakdown'>;
type BreakdownPlan = RequestPlan & {
  readonly dimensions: readonly Dimension[];
  readonly minimum: Minimum;
  /** undefined: not by prefix. */
  readonly byPrefix: PrefixPlan | undefined;
};
type Input = {
  readonly query: Query;
  readonly ask: Ask;
  readonly plan: BreakdownPlan;
  readonly spanOf: (window: RequestPlan['window']) => Promise<Span>;
  readonly namesOf: NamesOf;
  readonly signal: AbortSignal;
};

const DEFINITION = {
  bounds: BOUNDS,
  source: 'logs_or_metrics',
  rated: ({ total }: Breakdown) => ratedTogether([total]),
  plan: (input: PlanInput<Query> & { readonly networks: Networks }): BreakdownPlan => {
    const { minimum } = input.networks;
    const dimensions = input.query.group_by.filter((dimension) => dimension !== 'prefix');
    if (dimensions.length < input.query.group_by.length) {
      const byPrefix = planByPrefix(input);
      return { ...byPrefix, dimensions, minimum, byPrefix };
    }
    const plan = planWindow(input);
    const metricsCan = plan.metricsCan && metricsGroupBy(dimensions);
    return { ...plan, metricsCan, dimensions, minimum, byPrefix: undefined };
  },
  answer: async ({ query, ask, plan, spanOf, namesOf, signal }: Input) => {
    const { window, dimensions, minimum, byPrefix } = plan;
    const { sort: order = 'lost', limit = BREAKDOWN_LIMIT_DEFAULT } = query;
    const listing = { dimensions, order, limit, minimum };
    const data =
      byPrefix === undefined
        ? await answerByColumns(ask, await spanOf(window), listing, signal)
        : await answerByPrefix({ ask, signal }, byPrefix, listing);
    return { data: { ...data, groups: await withNames(data.groups, namesOf, signal) } };
  },
} as const;

export const breakdown = requestQuestion('breakdown', DEFINITION);
export const fleetBreakdown = requestQuestion('fleetBreakdown', DEFINITION);

async function answerByColumns(
  ask: Ask,
  span: Span,
  listing: Parameters<typeof rankGroups>[2],
  signal: AbortSignal,
): Promise<Breakdown> {
  const ranked = await rankGroups(ask, span, listing, signal);
  const rows = await askPlaces(ask, span, ranked, signal);
  return breakdownOf(ranked, rows, windowSeconds(span.window));
}

type PlaceRow = PerformanceRow & { readonly place: number };

/** The sums and histograms of each listed group, and of the others together at place 0. */
function askPlaces(
  ask: Ask,
  { filter, window, metrics }: Span,
  ranked: RankedGroups,
  signal: AbortSignal,
): Promise<readonly PlaceRow[]> {
  const places = placesOf(ranked);
  const grouping: Grouping = {
    key: 'place',
    logs: [`${places.logs} AS place`],
    metrics: [`${places.metrics} AS place`],
    rollup: {
      needs: rollupNeeds(ranked.dimensions),
      columns: [`${places.metrics} AS place`],
    },
    outer: ['place'],
  };
  const { sql, params } = performanceQuery(grouping, filter, window, metrics);
  return ask(QUERY, sql, { ...params, ...places.params }, signal);
}

/** Pure. @param seconds of the window */
function breakdownOf(
  { dimensions, listed, count, withheld }: RankedGroups,
  rows: readonly PlaceRow[],
  seconds: number,
): Breakdown {
  const byPlace = new Map(rows.map((row) => [row.place, row]));
  const all = addUp(rows);
  const figuresOf = (row: PerformanceRow | undefined) => ({
    ...performanceOf(row, seconds),
    ...sharesOf(row, all),
  });
  const others = byPlace.get(0);
  return {
    groups: listed.map((values, index): BreakdownRow => {
      const group = groupValuesOf(dimensions, values);
      return {
        group,
        ...(group.code === undefined ? {} : { code_name: describeCode(group.code).name }),
        ...figuresOf(byPlace.get(index + 1)),
      };
    }),
    other: others === undefined ? null : { groups: count - listed.length, withheld, ...figuresOf(others) },
    total: { groups: count, ...performanceOf(all, seconds) },
  };
}

async function withNames(
  rows: readonly BreakdownRow[],
  namesOf: NamesOf,
  signal: AbortSignal,
): Promise<BreakdownRow[]> {
  const ids = rows.flatMap(({ group: { application } }) => (application === undefined ? [] : [application]));
  if (ids.length === 0) return [...rows];
  const nameOf = await namesOf([...new Set(ids)], signal);
  return rows.map((row) => {
    const { application: id } = row.group;
    if (id === undefined) return row;
    const application: NamedApplication = { sdk_app_id: id, ...nameOf(id) };
    return { ...row, application };
  });
}
