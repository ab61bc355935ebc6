/*
 * The answers about applications. Each request goes one way: who asks, for which application, over which
 * window, then one question, then the envelope with window and completeness.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Grant } from '@imscope/runtime/tokens.js';
import type {
  Answer,
  ApplicationRow,
  ExceptionRow,
  InterfaceRow,
  Monitor,
  Overview,
  RequestPage,
  TimePoint,
} from '@imscope/schemas/query-api/answers.js';
import type {
  AnalysisQuery,
  ApplicationPath,
  ApplicationsQuery,
  MonitorQuery,
  RequestsQuery,
  SteppedQuery,
} from '@imscope/schemas/query-api/parameters.js';
import {
  APPLICATIONS,
  EXCEPTIONS,
  INTERFACES,
  MONITOR,
  OVERVIEW,
  REQUESTS,
  TIMESERIES,
} from './application-schemas.js';
import { askApplications, SPARKLINE_STEPS_MAX } from './applications.js';
import type { Ask } from './ask-store.js';
import { type Authentication, requireApplication } from './authentication.js';
import { type CompletenessOf, withMissing } from './completeness/completeness.js';
import { askExceptions } from './exceptions.js';
import { filterOf, metricsHave } from './filter.js';
import { askInterfaces } from './interfaces.js';
import { askMonitor } from './monitor.js';
import { askOverview, previousWindow, type Span } from './overview.js';
import { decodeCursor, encodeCursor, requirePlaceInWindow } from './request-cursor.js';
import { askRequests } from './requests.js';
import { firstKeptMs, type Source, type Sources } from './source.js';
import {
  clipWindow,
  MINUTE_MS,
  resolveMonitorStep,
  resolveMonitorWindow,
  resolveStep,
  resolveWindow,
  timeText,
  type TimeWindow,
} from './time-window.js';
import { askTimeseries } from './timeseries.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null until authenticated. */
    grant: Grant | null;
  }
}

export type ApplicationRouteOptions = {
  readonly ask: Ask;
  readonly sources: Sources;
  readonly completeness: CompletenessOf;
  readonly authentication: Authentication;
  readonly now: () => number;
};

/** What a handler takes of a request. */
type Asked<Query> = { readonly query: Query; readonly grant: Grant | null; readonly signal: AbortSignal };
type AskedOfOne<Query> = Asked<Query> & { readonly params: ApplicationPath };

const TIMESERIES_STEPS_MAX = 1_500;

export const applicationRoutes: FastifyPluginAsyncTypebox<ApplicationRouteOptions> = async (app, options) => {
  app.decorateRequest('grant', null);
  app.addHook('onRequest', async (request) => {
    request.grant = options.authentication.grantOf(request, options.now());
  });
  const one = '/v1/applications/:sdk_app_id';
  app.get('/v1/applications', { schema: APPLICATIONS }, (request) => applications(request, options));
  app.get(`${one}/overview`, { schema: OVERVIEW }, (request) => overview(request, options));
  app.get(`${one}/interfaces`, { schema: INTERFACES }, (request) => interfaces(request, options));
  app.get(`${one}/timeseries`, { schema: TIMESERIES }, (request) => timeseries(request, options));
  app.get(`${one}/monitor`, { schema: MONITOR }, (request) => monitor(request, options));
  app.get(`${one}/exceptions`, { schema: EXCEPTIONS }, (request) => exceptions(request, options));
  app.get(`${one}/requests`, { schema: REQUESTS }, (request) => requests(request, options));
};

function applications(
  { query, grant, signal }: Asked<ApplicationsQuery>,
  options: ApplicationRouteOptions,
): Promise<Answer<ApplicationRow[]>> {
  const window = resolveWindow(query, options.now());
  const stepMs = resolveStep(query.step, window, SPARKLINE_STEPS_MAX);
  const scope = authenticated(grant).applications;
  const find = async () => {
    const { rows: data, loggedShare } = await askApplications(options.ask, scope, window, stepMs, signal);
    return { data, window, stepMs, metrics: null, loggedShare };
  };
  return answer({ window }, find, options);
}

function overview(
  { query, params, grant, signal }: AskedOfOne<AnalysisQuery>,
  options: ApplicationRouteOptions,
): Promise<Answer<Overview>> {
  const sdkAppId = allowedApplication(grant, params);
  const { ask } = options;
  const nowMs = options.now();
  const current = resolveWindow(query, nowMs);
  const spanOf = (window: TimeWindow) => ({ window, filter: filterOf(sdkAppId, window, query) });
  const spans = [spanOf(current), spanOf(previousWindow(current, nowMs))] as const;
  const choose = async (span: (typeof spans)[number]): Promise<Span & Source> => ({
    ...span,
    ...(await options.sources.choose(sdkAppId, span.window, nowMs, metricsHave(query))),
  });
  const find = async () => {
    const [now, before] = await Promise.all([choose(spans[0]), choose(spans[1])]);
    return { data: await askOverview(ask, now, before, signal), ...now, stepMs: null };
  };
  return answer({ window: current, sdkAppId }, find, options);
}

function interfaces(
  { query, params, grant, signal }: AskedOfOne<AnalysisQuery>,
  options: ApplicationRouteOptions,
): Promise<Answer<InterfaceRow[]>> {
  const sdkAppId = allowedApplication(grant, params);
  const { ask } = options;
  const nowMs = options.now();
  const window = resolveWindow(query, nowMs);
  const filter = filterOf(sdkAppId, window, query);
  const find = async () => {
    const source = await options.sources.choose(sdkAppId, window, nowMs, metricsHave(query));
    const data = await askInterfaces(ask, filter, window, source.metrics, signal);
    return { data, window, stepMs: null, ...source };
  };
  return answer({ window, sdkAppId }, find, options);
}

function timeseries(
  { query, params, grant, signal }: AskedOfOne<SteppedQuery>,
  options: ApplicationRouteOptions,
): Promise<Answer<TimePoint[]>> {
  const sdkAppId = allowedApplication(grant, params);
  const { ask } = options;
  const nowMs = options.now();
  const window = resolveWindow(query, nowMs);
  const stepMs = resolveStep(query.step, window, TIMESERIES_STEPS_MAX);
  const filter = filterOf(sdkAppId, window, query);
  const metricsCan = metricsHave(query) && stepMs % MINUTE_MS === 0;
  const find = async () => {
    const source = await options.sources.choose(sdkAppId, window, nowMs, metricsCan);
    const data = await askTimeseries(ask, filter, window, stepMs, source.metrics, signal);
    return { data, window, stepMs, ...source };
  };
  return answer({ window, sdkAppId }, find, options);
}

async function monitor(
  { query, params, grant, signal }: AskedOfOne<MonitorQuery>,
  options: ApplicationRouteOptions,
): Promise<Answer<Monitor>> {
  const sdkAppId = allowedApplication(grant, params);
  const nowMs = options.now();
  const window = resolveMonitorWindow(query, nowMs, firstKeptMs(nowMs));
  const stepMs = resolveMonitorStep(query.step, window, TIMESERIES_STEPS_MAX);
  const asked = { sdkAppId, window, query, stepMs, nowMs };
  const find = async () => {
    const found = await askMonitor(options.ask, options.sources, asked, signal);
    return { ...found, window, stepMs, metrics: window };
  };
  const answered = await answer({ window, sdkAppId }, find, options);
  return { ...answered, completeness: withMissing(answered.completeness, answered.data) };
}

function exceptions(
  { query, params, grant, signal }: AskedOfOne<AnalysisQuery>,
  options: ApplicationRouteOptions,
): Promise<Answer<ExceptionRow[]>> {
  const sdkAppId = allowedApplication(grant, params);
  const window = resolveWindow(query, options.now());
  const filter = filterOf(sdkAppId, window, query);
  const find = async () => {
    const data = await askExceptions(options.ask, filter, signal);
    return { data, window, ...FROM_LOGS };
  };
  return answer({ window, sdkAppId }, find, options);
}

function requests(
  { query, params, grant, signal }: AskedOfOne<RequestsQuery>,
  options: ApplicationRouteOptions,
): Promise<Answer<RequestPage>> {
  const sdkAppId = allowedApplication(grant, params);
  const nowMs = options.now();
  const { from: _from, to: _to, limit: _limit, cursor, ...filters } = query;
  const sorted = Object.entries(filters).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const question = JSON.stringify([sdkAppId, sorted]);
  const begun = cursor === undefined ? undefined : requirePlaceInWindow(decodeCursor(cursor, question));
  const window = begun === undefined ? resolveWindow(query, nowMs) : clipWindow(begun.window, nowMs);
  const find = async () => {
    const { rows, end } = await askRequests(options.ask, sdkAppId, window, query, begun?.after, signal);
    const next = end && encodeCursor({ window: begun?.window ?? window, after: end }, question);
    return { data: { requests: rows, next_cursor: next }, window, ...FROM_LOGS };
  };
  return answer({ window, sdkAppId }, find, options);
}

function authenticated(grant: Grant | null): Grant {
  if (grant === null) throw new Error('a request came through without authentication');
  return grant;
}

/** Throws `HttpError` not_allowed. */
function allowedApplication(grant: Grant | null, params: ApplicationPath): number {
  requireApplication(authenticated(grant), params.sdk_app_id);
  return params.sdk_app_id;
}

/** Data with what they cover: the window, the step (null where there is none) and where the figures come from. */
type Found<T> = Source & { readonly data: T; readonly window: TimeWindow; readonly stepMs: number | null };

/** Single requests and failures: all from the logs, and what was sampled shows in their weights. */
const FROM_LOGS = { stepMs: null, metrics: null, loggedShare: null };

/** The envelope. Completeness is looked up before the data, lest it tell of more than they hold. */
async function answer<T>(
  asked: { readonly window: TimeWindow; readonly sdkAppId?: number },
  find: () => Promise<Found<T>>,
  options: ApplicationRouteOptions,
): Promise<Answer<T>> {
  const completeness = await options.completeness(asked.window, options.now(), asked.sdkAppId);
  const { data, window, stepMs, metrics, loggedShare } = await find();
  const span = { from: timeText(window.fromMs), to: timeText(window.toMs) };
  const part = metrics && { from: timeText(metrics.fromMs), to: timeText(metrics.toMs) };
  const wholly = part !== null && part.from === span.from && part.to === span.to;
  return {
    data,
    window: {
      ...span,
      step: stepMs === null ? null : stepMs / 1000,
      source: part === null ? 'logs' : wholly ? 'metrics' : 'both',
      metrics: part,
      logged_share: loggedShare,
    },
    completeness,
  };
}
