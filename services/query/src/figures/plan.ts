/*
 * Resolves the parameters of a question before the store is asked: the window, the step, and which requests are
 * counted. Most questions use one of the two plans here.
 */
import type { RequestFilters } from '@imscope/schemas/query-api/filter-parameters.js';
import { type Filter, filterOf, filterOver, metricsHave } from './filter.js';
import type { PersonalQuery } from './personal-filter.js';
import { previousWindow } from './previous-window.js';
import { partsOf, type Source, type Sources } from './source.js';
import type { Subject } from './subject.js';
import { countSteps, MINUTE_MS, resolveStep, resolveWindow, type TimeWindow } from './time-window.js';

export type Plan = {
  readonly window: TimeWindow;
  /** null: the answer has no steps. */
  readonly stepMs: number | null;
  /** Steps of time, or requests of a page. */
  readonly points: number;
};

/** Of a question about the requests of its subject. */
export type RequestPlan = Plan & {
  readonly filter: Filter;
  /** The window that the figures are compared with; may be empty. */
  readonly compared?: TimeWindow;
  /** Whether metrics have the filters and the steps of the question. */
  readonly metricsCan: boolean;
};

export type PlanInput<Query> = {
  readonly subject: Subject;
  readonly query: Query;
  readonly nowMs: number;
  readonly pointsMax: number;
};

type WindowQuery = { readonly from?: string; readonly to?: string };

/** Throws `HttpError` invalid_parameter. */
export function planWindow({
  subject,
  query,
  nowMs,
}: PlanInput<WindowQuery & RequestFilters & PersonalQuery>) {
  const window = resolveWindow(query, nowMs);
  const filter = filterOf(subject, window, query);
  return { window, stepMs: null, points: 0, filter, metricsCan: metricsHave(query) } satisfies RequestPlan;
}

/** The same, compared with the span just before. */
export function planCompared(input: PlanInput<WindowQuery & RequestFilters & PersonalQuery>) {
  const plan = planWindow(input);
  return { ...plan, compared: previousWindow(plan.window, input.nowMs) } satisfies RequestPlan;
}

/** Throws `HttpError` invalid_parameter, also where the window has too many steps. */
export function planSteps({
  subject,
  query,
  nowMs,
  pointsMax,
}: PlanInput<WindowQuery & RequestFilters & PersonalQuery & { readonly step?: string }>) {
  const window = resolveWindow(query, nowMs);
  const stepMs = resolveStep(query.step, window, pointsMax);
  const filter = filterOf(subject, window, query);
  const metricsCan = metricsHave(query) && stepMs % MINUTE_MS === 0;
  return { window, stepMs, points: countSteps(window, stepMs), filter, metricsCan } satisfies RequestPlan;
}

/** A window with its filter and the part of it to read from the metrics. */
export type Span = Source & { readonly window: TimeWindow; readonly filter: Filter };

const FROM_LOGS: Source = { metrics: null, loggedShare: null };
/** A window that is only compared with is not looked up in the metrics where they have less of it. */
const METRIC_SHARE_MIN = 0.05;

function isBeforeMetrics(window: TimeWindow, nowMs: number): boolean {
  const parts = partsOf(window, nowMs);
  return parts === null || parts.toMs - parts.fromMs < METRIC_SHARE_MIN * (window.toMs - window.fromMs);
}

/** The filter of a plan over a window, and where its figures come from. Chooses the source of each window once. */
export function createSpans(
  sources: Pick<Sources, 'choose'>,
  subject: Subject,
  { filter, metricsCan, window: asked }: RequestPlan,
  nowMs: number,
): (window: TimeWindow) => Promise<Span> {
  const spans = new Map<TimeWindow, Promise<Span>>();
  const find = async (window: TimeWindow): Promise<Span> => ({
    window,
    filter: filterOver(filter, window),
    ...(window !== asked && isBeforeMetrics(window, nowMs)
      ? FROM_LOGS
      : await sources.choose(subject, window, nowMs, metricsCan)),
  });
  return (window) => {
    const span = spans.get(window) ?? find(window);
    spans.set(window, span);
    return span;
  };
}
