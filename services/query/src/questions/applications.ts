/*
 * `applications`: which applications lose requests right now, and since when? Worst first, by the order of
 * schemas/src/health.ts: tier, then service errors, then requests. So 2,000 failures of 20,000 come before 1 of 1.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { FleetQuery, FleetSort } from '@imscope/schemas/query-api/applications.js';
import { ratedTogether } from '../completeness/verdict.js';
import { filterOf, metricsHave } from '../figures/filter.js';
import type { Minimum } from '../figures/minimum.js';
import type { PlanInput, RequestPlan } from '../figures/plan.js';
import { askShownApplications } from '../figures/provider-filter.js';
import { resolveSharedWindow } from '../figures/shared-window.js';
import { namesProviders } from '../figures/shown-groups.js';
import {
  clipWindow,
  DAY_MS,
  LOG_TERM_MS,
  METRIC_TERM_MS,
  MINUTE_MS,
  resolveStep,
  stepsOf,
  timeText,
  type TimeWindow,
  windowSeconds,
} from '../figures/time-window.js';
import { decodeFleetCursor, encodeFleetCursor } from '../fleet/fleet-cursor.js';
import { createFleetFigures, type FleetFigures, type FleetSums } from '../fleet/fleet-figures.js';
import {
  applicationsOf,
  arrange,
  type FleetApplication,
  type Knowledge,
  totalsOf,
} from '../fleet/fleet-order.js';
import { rowOf } from '../fleet/fleet-row.js';
import { type AnswerBounds, FLAT_ROWS, KIB, MIB } from '../store/answer-bounds.js';
import type { Networks } from '../network/networks.js';
import type { Ask } from '../store/ask-store.js';
import { requestQuestion } from './question.js';

const LIMIT = 100;
const LIMIT_MAX = 1_000;
const STEPS_MAX = 120;
/** The span before is compared where both spans lie in the term of the metrics. Longer ones would read logs of days. */
const COMPARED_MS_MAX = DAY_MS;
/** The sums of a page are those of the page before, if it was asked for within this time. */
const PAGE_REUSE_MS = MINUTE_MS;
/** The first page of a span that is still being filled. */
const LIVE_REUSE_MS = 5_000;
/** Records reach the store within seconds; metrics within minutes. */
const LIVE_MS = 5 * MINUTE_MS;

/**
 * Sums of 25,000 applications over two spans. A point is an application of the page: its histograms, 120 steps, and
 * texts and links of the largest size.
 */
const BOUNDS: AnswerBounds = {
  pointsMax: LIMIT_MAX,
  rowsMax: LIMIT_MAX * (STEPS_MAX + 1),
  bytes: 12 * MIB,
  bytesPerPoint: 44 * KIB,
  memoryPerByte: FLAT_ROWS,
};

type FleetPlan = RequestPlan & {
  readonly stepMs: number;
  readonly offset: number;
  /** null: not compared. */
  readonly windowBefore: TimeWindow | null;
  readonly reuseMs: number;
  readonly minimum: Minimum;
};

export const applications = requestQuestion('applications', {
  bounds: BOUNDS,
  source: 'logs_or_metrics',
  rated: ({ totals }) => ratedTogether([totals]),
  plan: planFleet,
  answer: async ({ query, plan, fleet, descriptionsOf, signal, ...asked }) => {
    const { window, windowBefore, stepMs, offset, points: limit } = plan;
    const figures = createFleetFigures({ ...asked, ...plan, memory: fleet.memory, signal });
    const [sums, before] = await Promise.all([
      figures.sumsOver(window),
      windowBefore === null ? null : figures.sumsOver(windowBefore),
    ]);
    const all = applicationsOf(sums.rows, before?.rows ?? null, fleet.thresholdsOf);
    const listed = await listedOf(all, plan, asked.ask, signal);
    const found = arrange(listed, query, await knowledgeFor(query, figures, sums, before));
    const page = found.slice(offset, offset + limit);
    const ids = page.map((one) => one.sums.sdk_app_id);
    const [shown, describe] = await Promise.all([
      figures.shownOf(ids, { sums, stepMs }),
      descriptionsOf(ids, signal),
    ]);
    const context = { window, windowBefore, steps: stepsOf(window, stepMs), stepMs };
    const next = offset + page.length;
    const data = {
      totals: totalsOf(all, windowSeconds(window)),
      compared_with: windowBefore && { from: timeText(windowBefore.fromMs), to: timeText(windowBefore.toMs) },
      ...(listed.length < all.length ? { withheld: all.length - listed.length } : {}),
      found: found.length,
      applications: page.map((one) => {
        const id = one.sums.sdk_app_id;
        return rowOf(one, shown.get(id), describe(id), context);
      }),
      next_cursor:
        next < found.length ? encodeFleetCursor({ window, offset: next }, identityOf(query)) : null,
    };
    return { data, source: sums.span, completeness: sums.completeness };
  },
});

/** With the filter by provider, an application is listed like a row about a network: where it meets the minimum. */
async function listedOf(
  all: readonly FleetApplication[],
  { filter, minimum }: FleetPlan,
  ask: Ask,
  signal: AbortSignal,
): Promise<readonly FleetApplication[]> {
  if (!namesProviders([], filter)) return all;
  const shown = await askShownApplications(ask, filter, minimum, signal);
  return all.filter(({ sums }) => shown.has(sums.sdk_app_id));
}

function planFleet({
  subject,
  query,
  nowMs,
  networks,
}: PlanInput<FleetQuery> & { readonly networks: Networks }): FleetPlan {
  const { cursor, limit = LIMIT, sort } = query;
  if (cursor !== undefined && query.offset !== undefined) {
    throw new HttpError('invalid_parameter', 'cursor and offset are both given: give one of them');
  }
  const place = cursor === undefined ? undefined : decodeFleetCursor(cursor, identityOf(query));
  const window = place === undefined ? resolveSharedWindow(query, nowMs) : keptWindow(place.window, nowMs);
  const offset = place?.offset ?? query.offset ?? 0;
  const spanMs = window.toMs - window.fromMs;
  const windowBefore = { fromMs: window.fromMs - spanMs, toMs: window.fromMs };
  const isCompared =
    (spanMs <= COMPARED_MS_MAX || sort === 'change') && windowBefore.fromMs >= nowMs - LOG_TERM_MS;
  const isLive = spanMs <= METRIC_TERM_MS && window.toMs > nowMs - LIVE_MS;
  return {
    window,
    stepMs: resolveStep(query.step, window, STEPS_MAX),
    points: limit,
    filter: filterOf(subject, window, query),
    metricsCan: metricsHave(query),
    offset,
    minimum: networks.minimum,
    windowBefore: isCompared ? windowBefore : null,
    reuseMs: isLive && offset === 0 ? LIVE_REUSE_MS : PAGE_REUSE_MS,
  };
}

/** What a cursor is bound to: all that decides which applications come in which order. */
function identityOf({
  limit: _limit,
  step: _step,
  cursor: _cursor,
  offset: _offset,
  ...query
}: FleetQuery): string {
  const { from: _from, to: _to, ...order } = query;
  return JSON.stringify(Object.entries(order).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The window of a first page, for as long as its pages are asked for: the term passes on meanwhile.
 * @throws `HttpError` invalid_parameter where nothing of it is kept
 */
function keptWindow(window: TimeWindow, nowMs: number): TimeWindow {
  const clipped = clipWindow(window, nowMs);
  return clipped.fromMs - window.fromMs <= 2 * PAGE_REUSE_MS && clipped.toMs === window.toMs
    ? window
    : clipped;
}

/** Asks only for what the search and the order need. */
async function knowledgeFor(
  { search, sort }: FleetQuery,
  figures: FleetFigures,
  sums: FleetSums,
  before: FleetSums | null,
): Promise<Knowledge> {
  const isByPercentile = sort !== undefined && PERCENTILE_SORTS.has(sort);
  const [nameOf, nameBefore, percentiles] = await Promise.all([
    search === undefined && sort !== 'name' ? undefined : figures.namesOf(sums),
    before === null || (search === undefined && sort !== 'name') ? undefined : figures.namesOf(before),
    isByPercentile ? figures.percentilesOver(sums.span.window) : undefined,
  ]);
  const known = new Set(sums.rows.map((row) => row.sdk_app_id));
  return {
    nameOf: (sdkAppId) => (known.has(sdkAppId) ? nameOf : nameBefore)?.(sdkAppId) ?? NO_NAME,
    percentilesOf: (sdkAppId) => percentiles?.get(sdkAppId),
  };
}

const PERCENTILE_SORTS: ReadonlySet<FleetSort> = new Set(['delay_p50', 'delay_p95', 'delay_p99']);
const NO_NAME = { name: '', package: '', owner: '' };
