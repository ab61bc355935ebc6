/*
 * The answers about applications: for each question who asks, for which application, over which window, and what is
 * asked then. `question.ts` has the order in which that happens.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Grant, requireApplication } from '@imscope/access/grant.js';
import type { ApplicationRow } from '@imscope/schemas/query-api/applications.js';
import type { ExceptionRow } from '@imscope/schemas/query-api/exceptions.js';
import type { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import type { Monitor } from '@imscope/schemas/query-api/monitor.js';
import type { Overview } from '@imscope/schemas/query-api/overview.js';
import type { RequestPage } from '@imscope/schemas/query-api/requests.js';
import type { TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import type { ApplicationPath, FilteredQuery, WindowQuery } from '@imscope/schemas/query-api/parameters.js';
import type { QueryOf } from '@imscope/schemas/query-api/questions.js';
import type { RequestsQuery } from '@imscope/schemas/query-api/requests.js';
import type { FleetRefusals } from '@imscope/schemas/query-api/fleet-refusals.js';
import type { Refusals } from '@imscope/schemas/query-api/refusals.js';
import {
  APPLICATIONS,
  EXCEPTIONS,
  FLEET_REFUSALS,
  INTERFACES,
  MONITOR,
  OVERVIEW,
  REFUSALS,
  REQUESTS,
  TIMESERIES,
} from './application-schemas.js';
import { askApplications } from '../questions/applications.js';
import type { Authentication } from '../access/authentication.js';
import { withMissing } from '../completeness/completeness.js';
import { askExceptions } from '../questions/exceptions.js';
import { filterOf, metricsHave } from '../figures/filter.js';
import { askInterfaces } from '../questions/interfaces.js';
import { askMonitor } from '../questions/monitor.js';
import { askOverview, previousWindow, type Span } from '../questions/overview.js';
import { decodeCursor, encodeCursor, requirePlaceInWindow } from '../questions/request-cursor.js';
import { createQuestion, type Plan, type QuestionOptions } from '../questions/question.js';
import {
  APPLICATIONS_BOUNDS,
  EXCEPTIONS_BOUNDS,
  INTERFACES_BOUNDS,
  MONITOR_BOUNDS,
  OVERVIEW_BOUNDS,
  REFUSALS_BOUNDS,
  REQUESTS_BOUNDS,
  TIMESERIES_BOUNDS,
} from '../questions/question-bounds.js';
import { askApplicationRefusals, askFleetRefusals } from '../questions/refusals.js';
import { askRequests, LIMIT_DEFAULT } from '../questions/requests.js';
import { firstKeptMs, type Source, type Sources } from '../figures/source.js';
import {
  clipWindow,
  countSteps,
  MINUTE_MS,
  resolveMonitorStep,
  resolveMonitorWindow,
  resolveStep,
  resolveWindow,
  type TimeWindow,
} from '../figures/time-window.js';
import { askTimeseries } from '../questions/timeseries.js';

export type ApplicationRouteOptions = QuestionOptions & {
  readonly sources: Sources;
  readonly authentication: Authentication;
};

/** What a plan is made of. */
type Asked<Query> = { readonly query: Query; readonly grant: Grant | null };
type AskedOfOne<Query> = Asked<Query> & { readonly params: ApplicationPath };

export const applicationRoutes: FastifyPluginAsyncTypebox<ApplicationRouteOptions> = async (app, options) => {
  app.addHook('onRequest', async (request) => {
    request.grant = options.authentication.grantOf(request, options.now());
  });
  const one = '/v1/applications/:sdk_app_id';
  const all = createQuestion(APPLICATIONS_BOUNDS, options, planApplications(options));
  app.get('/v1/applications', { schema: APPLICATIONS, ...all.route }, all.handler);
  const overview = createQuestion(OVERVIEW_BOUNDS, options, planOverview(options));
  app.get(`${one}/overview`, { schema: OVERVIEW, ...overview.route }, overview.handler);
  const interfaces = createQuestion(INTERFACES_BOUNDS, options, planInterfaces(options));
  app.get(`${one}/interfaces`, { schema: INTERFACES, ...interfaces.route }, interfaces.handler);
  const timeseries = createQuestion(TIMESERIES_BOUNDS, options, planTimeseries(options));
  app.get(`${one}/timeseries`, { schema: TIMESERIES, ...timeseries.route }, timeseries.handler);
  const monitor = createQuestion(MONITOR_BOUNDS, options, planMonitor(options));
  app.get(`${one}/monitor`, { schema: MONITOR, ...monitor.route }, monitor.handler);
  const exceptions = createQuestion(EXCEPTIONS_BOUNDS, options, planExceptions(options));
  app.get(`${one}/exceptions`, { schema: EXCEPTIONS, ...exceptions.route }, exceptions.handler);
  const requests = createQuestion(REQUESTS_BOUNDS, options, planRequests(options));
  app.get(`${one}/requests`, { schema: REQUESTS, ...requests.route }, requests.handler);
  const refusals = createQuestion(REFUSALS_BOUNDS, options, planRefusals(options));
  app.get(`${one}/refusals`, { schema: REFUSALS, ...refusals.route }, refusals.handler);
  const fleet = createQuestion(REFUSALS_BOUNDS, options, planFleetRefusals(options));
  app.get('/v1/refusals', { schema: FLEET_REFUSALS, ...fleet.route }, fleet.handler);
};

function planApplications({ now }: ApplicationRouteOptions) {
  return ({ query, grant }: Asked<QueryOf<'applications'>>): Plan<ApplicationRow[]> => {
    const window = resolveWindow(query, now());
    const stepMs = resolveStep(query.step, window, APPLICATIONS_BOUNDS.pointsMax);
    const scope = authenticated(grant).applications;
    return {
      window,
      points: countSteps(window, stepMs),
      find: async (ask, signal) => {
        const { rows: data, ...found } = await askApplications(ask, scope, window, stepMs, signal);
        return { data, ...found, window, stepMs, metrics: null };
      },
    };
  };
}

function planOverview({ now, sources }: ApplicationRouteOptions) {
  return ({ query, params, grant }: AskedOfOne<FilteredQuery>): Plan<Overview> => {
    const sdkAppId = allowedApplication(grant, params);
    const nowMs = now();
    const current = resolveWindow(query, nowMs);
    const spanOf = (window: TimeWindow) => ({ window, filter: filterOf(sdkAppId, window, query) });
    const spans = [spanOf(current), spanOf(previousWindow(current, nowMs))] as const;
    const choose = async (span: (typeof spans)[number]): Promise<Span & Source> => ({
      ...span,
      ...(await sources.choose(sdkAppId, span.window, nowMs, metricsHave(query))),
    });
    return {
      window: current,
      sdkAppId,
      points: 0,
      find: async (ask, signal) => {
        const [current, before] = await Promise.all([choose(spans[0]), choose(spans[1])]);
        return { data: await askOverview(ask, current, before, signal), ...current, stepMs: null };
      },
    };
  };
}

function planInterfaces({ now, sources }: ApplicationRouteOptions) {
  return ({ query, params, grant }: AskedOfOne<FilteredQuery>): Plan<InterfaceRow[]> => {
    const sdkAppId = allowedApplication(grant, params);
    const nowMs = now();
    const window = resolveWindow(query, nowMs);
    const filter = filterOf(sdkAppId, window, query);
    return {
      window,
      sdkAppId,
      points: 0,
      find: async (ask, signal) => {
        const source = await sources.choose(sdkAppId, window, nowMs, metricsHave(query));
        const { rows: data, leftOut } = await askInterfaces(ask, filter, window, source.metrics, signal);
        return { data, leftOut, window, stepMs: null, ...source };
      },
    };
  };
}

function planTimeseries({ now, sources }: ApplicationRouteOptions) {
  return ({ query, params, grant }: AskedOfOne<QueryOf<'timeseries'>>): Plan<TimePoint[]> => {
    const sdkAppId = allowedApplication(grant, params);
    const nowMs = now();
    const window = resolveWindow(query, nowMs);
    const stepMs = resolveStep(query.step, window, TIMESERIES_BOUNDS.pointsMax);
    const filter = filterOf(sdkAppId, window, query);
    const metricsCan = metricsHave(query) && stepMs % MINUTE_MS === 0;
    return {
      window,
      sdkAppId,
      points: countSteps(window, stepMs),
      find: async (ask, signal) => {
        const source = await sources.choose(sdkAppId, window, nowMs, metricsCan);
        const data = await askTimeseries(ask, filter, window, stepMs, source.metrics, signal);
        return { data, window, stepMs, ...source };
      },
    };
  };
}

function planMonitor({ now, sources }: ApplicationRouteOptions) {
  return ({ query, params, grant }: AskedOfOne<QueryOf<'monitor'>>): Plan<Monitor> => {
    const sdkAppId = allowedApplication(grant, params);
    const nowMs = now();
    const window = resolveMonitorWindow(query, nowMs, firstKeptMs(nowMs));
    const stepMs = resolveMonitorStep(query.step, window, MONITOR_BOUNDS.pointsMax);
    const asked = { sdkAppId, window, query, stepMs, nowMs };
    return {
      window,
      sdkAppId,
      points: countSteps(window, stepMs),
      find: async (ask, signal) => {
        const found = await askMonitor(ask, sources, asked, signal);
        return { ...found, window, stepMs, metrics: window };
      },
      assess: withMissing,
    };
  };
}

function planExceptions({ now }: ApplicationRouteOptions) {
  return ({ query, params, grant }: AskedOfOne<FilteredQuery>): Plan<ExceptionRow[]> => {
    const sdkAppId = allowedApplication(grant, params);
    const window = resolveWindow(query, now());
    const filter = filterOf(sdkAppId, window, query);
    return {
      window,
      sdkAppId,
      points: 0,
      find: async (ask, signal) => {
        const { rows: data, leftOut } = await askExceptions(ask, filter, signal);
        return { data, leftOut, window, ...FROM_LOGS };
      },
    };
  };
}

function planRequests({ now }: ApplicationRouteOptions) {
  return ({ query, params, grant }: AskedOfOne<RequestsQuery>): Plan<RequestPage> => {
    const sdkAppId = allowedApplication(grant, params);
    const nowMs = now();
    const { from: _from, to: _to, limit: _limit, cursor, ...filters } = query;
    const sorted = Object.entries(filters).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const question = JSON.stringify([sdkAppId, sorted]);
    const begun = cursor === undefined ? undefined : requirePlaceInWindow(decodeCursor(cursor, question));
    const window = begun === undefined ? resolveWindow(query, nowMs) : clipWindow(begun.window, nowMs);
    // The filters are checked here, so that a code beyond 32 bits is refused before anything is reserved.
    filterOf(sdkAppId, window, query);
    return {
      window,
      sdkAppId,
      points: query.limit ?? LIMIT_DEFAULT,
      find: async (ask, signal) => {
        const { rows, end } = await askRequests(ask, sdkAppId, window, query, begun?.after, signal);
        const next = end && encodeCursor({ window: begun?.window ?? window, after: end }, question);
        return { data: { requests: rows, next_cursor: next }, window, ...FROM_LOGS };
      },
    };
  };
}

function planRefusals({ now }: ApplicationRouteOptions) {
  return ({ query, params, grant }: AskedOfOne<WindowQuery>): Plan<Refusals> => {
    const sdkAppId = allowedApplication(grant, params);
    const window = resolveWindow(query, now());
    return {
      window,
      sdkAppId,
      points: 0,
      find: async (ask, signal) => {
        const data = await askApplicationRefusals(ask, sdkAppId, window, signal);
        return { data, window, ...FROM_ACCOUNTS };
      },
    };
  };
}

function planFleetRefusals({ now }: ApplicationRouteOptions) {
  return ({ query, grant }: Asked<WindowQuery>): Plan<FleetRefusals> => {
    const window = resolveWindow(query, now());
    const scope = authenticated(grant).applications;
    return {
      window,
      points: 0,
      find: async (ask, signal) => {
        const data = await askFleetRefusals(ask, scope, window, signal);
        return { data, window, ...FROM_ACCOUNTS };
      },
    };
  };
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

/** Single requests and failures: all from the logs, and what was sampled shows in their weights. */
const FROM_LOGS = { stepMs: null, metrics: null, loggedShare: null };

const FROM_ACCOUNTS = { ...FROM_LOGS, fromAccounts: true } as const;
