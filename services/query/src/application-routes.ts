/*
 * The answers about applications. Each request goes one way: who asks, for which application, over which
 * window, then one question, then the envelope with window and completeness.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Grant } from '@imscope/runtime/tokens.js';
import type {
  Answer,
  ApplicationRow,
  Completeness,
  ExceptionRow,
  InterfaceRow,
  Overview,
  RequestPage,
  TimePoint,
} from '@imscope/schemas/query-api/answers.js';
import type {
  AnalysisQuery,
  ApplicationPath,
  ApplicationsQuery,
  RequestsQuery,
  SteppedQuery,
} from '@imscope/schemas/query-api/parameters.js';
import {
  APPLICATIONS,
  EXCEPTIONS,
  INTERFACES,
  OVERVIEW,
  REQUESTS,
  TIMESERIES,
} from './application-schemas.js';
import { askApplications, SPARKLINE_STEPS_MAX } from './applications.js';
import type { Ask } from './ask-store.js';
import { type Authentication, requireApplication } from './authentication.js';
import { askExceptions } from './exceptions.js';
import { filterOf } from './filter.js';
import { askInterfaces } from './interfaces.js';
import { askOverview } from './overview.js';
import { decodeCursor, encodeCursor } from './request-cursor.js';
import { askRequests } from './requests.js';
import {
  clipToTerm,
  resolveStep,
  resolveWindow,
  timeText,
  type TimeWindow,
  windowSeconds,
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
  readonly completeness: (nowMs: number) => Promise<Completeness>;
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
  return answer(askApplications(options.ask, scope, window, stepMs, signal), window, stepMs, options);
}

function overview(
  { query, params, grant, signal }: AskedOfOne<AnalysisQuery>,
  options: ApplicationRouteOptions,
): Promise<Answer<Overview>> {
  const sdkAppId = allowedApplication(grant, params);
  const nowMs = options.now();
  const window = resolveWindow(query, nowMs);
  const filterFor = (span: TimeWindow) => filterOf(sdkAppId, span, query);
  return answer(askOverview(options.ask, filterFor, window, nowMs, signal), window, null, options);
}

function interfaces(
  { query, params, grant, signal }: AskedOfOne<AnalysisQuery>,
  options: ApplicationRouteOptions,
): Promise<Answer<InterfaceRow[]>> {
  const sdkAppId = allowedApplication(grant, params);
  const window = resolveWindow(query, options.now());
  const rows = askInterfaces(options.ask, filterOf(sdkAppId, window, query), windowSeconds(window), signal);
  return answer(rows, window, null, options);
}

function timeseries(
  { query, params, grant, signal }: AskedOfOne<SteppedQuery>,
  options: ApplicationRouteOptions,
): Promise<Answer<TimePoint[]>> {
  const sdkAppId = allowedApplication(grant, params);
  const window = resolveWindow(query, options.now());
  const stepMs = resolveStep(query.step, window, TIMESERIES_STEPS_MAX);
  const filter = filterOf(sdkAppId, window, query);
  return answer(askTimeseries(options.ask, filter, window, stepMs, signal), window, stepMs, options);
}

function exceptions(
  { query, params, grant, signal }: AskedOfOne<AnalysisQuery>,
  options: ApplicationRouteOptions,
): Promise<Answer<ExceptionRow[]>> {
  const sdkAppId = allowedApplication(grant, params);
  const window = resolveWindow(query, options.now());
  const rows = askExceptions(options.ask, filterOf(sdkAppId, window, query), signal);
  return answer(rows, window, null, options);
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
  const begun = cursor === undefined ? undefined : decodeCursor(cursor, question);
  const window = begun === undefined ? resolveWindow(query, nowMs) : clipToTerm(begun.window, nowMs);
  const read = async (): Promise<RequestPage> => {
    const { rows, end } = await askRequests(options.ask, sdkAppId, window, query, begun?.after, signal);
    const cursorOf = () => end && encodeCursor({ window: begun?.window ?? window, after: end }, question);
    return { requests: rows, next_cursor: cursorOf() };
  };
  return answer(read(), window, null, options);
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

/** The envelope. @param stepMs null where the answer has no steps */
async function answer<T>(
  data: Promise<T>,
  window: TimeWindow,
  stepMs: number | null,
  { completeness, now }: ApplicationRouteOptions,
): Promise<Answer<T>> {
  const [found, complete] = await Promise.all([data, completeness(now())]);
  return {
    data: found,
    window: {
      from: timeText(window.fromMs),
      to: timeText(window.toMs),
      step: stepMs === null ? null : stepMs / 1000,
      source: 'logs',
    },
    completeness: complete,
  };
}
