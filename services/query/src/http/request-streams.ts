/*
 * Routes of the live tail and of exports, of one application and of the fleet, by GET and by POST. Both want a token of scope
 * `requests`. They write to the connection themselves, because a stream outlives the time in which an answer is sent.
 */
import type { Applications } from '@imscope/access/applications.js';
import { mayUse, requireScope } from '@imscope/access/grant.js';
import type { Tokens } from '@imscope/access/tokens.js';
import { describeFaultWithout } from '@imscope/runtime/parameter-error.js';
import { errorAnswers } from '@imscope/schemas/query-api/error-answers.js';
import { ApplicationPath } from '@imscope/schemas/query-api/parameters.js';
import { PERSONAL_FILTER_NAMES, PERSONAL_FILTERS } from '@imscope/schemas/query-api/personal-filters.js';
import {
  EXPORT_ROWS_HEADER,
  ExportQuery,
  TAIL_EVENTS,
  TailQuery,
} from '@imscope/schemas/query-api/request-streams.js';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { type Static, type TObject, Type } from 'typebox';
import { Value } from 'typebox/value';
import { SECURITY } from '../access/security.js';
import { searchOf } from '../figures/request-search.js';
import { readScope, requireReadable, type Subject } from '../figures/subject.js';
import { resolveWindow, timeText } from '../figures/time-window.js';
import { type AnswerBounds, KIB, MIB } from '../store/answer-bounds.js';
import type { AskWithin } from '../store/ask-store.js';
import { UNREAD_BYTES_MAX } from '../streams/event-sink.js';
import { STORE_FORMATS } from '../streams/export-sql.js';
import type { SendExport } from '../streams/exports.js';
import type { Tails } from '../streams/tails.js';
import { addCallerHooks, type CallerOptions } from './caller-hooks.js';

export type RequestStreamOptions = CallerOptions & {
  readonly ask: AskWithin;
  readonly streams: { readonly tails: Tails; readonly sendExport: SendExport };
  readonly tokens: Pick<Tokens, 'find'>;
  readonly terminated: Applications['terminated'];
};

const BODY_BYTES_MAX = 64 * KIB;
/** The buffer of the caller, and what waits to be shown. */
const TAIL_BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 0,
  bytes: UNREAD_BYTES_MAX + MIB,
  bytesPerPoint: 0,
  memoryPerByte: 1,
};
/** The buffers of two sockets. */
const EXPORT_BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 1,
  bytes: MIB,
  bytesPerPoint: 0,
  memoryPerByte: 1,
};

const STRICT = { additionalProperties: false };
const TailBody = Type.Object({ ...TailQuery.properties, ...PERSONAL_FILTERS }, STRICT);
const ExportBody = Type.Object({ ...ExportQuery.properties, ...PERSONAL_FILTERS }, STRICT);

type Scope = 'application' | 'fleet';
type StreamRoute = {
  readonly url: string;
  readonly scope: Scope;
  readonly operationId: string;
  readonly summary: string;
  readonly query: TObject;
  /** The same with personal filters. */
  readonly body: TObject;
  readonly bounds: AnswerBounds;
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
  readonly headers?: Readonly<Record<string, object>>;
  readonly isEndless: boolean;
  readonly handler: (request: FastifyRequest, reply: FastifyReply, scope: Scope) => Promise<void>;
};

export const requestStreams: FastifyPluginAsync<RequestStreamOptions> = async (app, options) => {
  addCallerHooks(app, options);
  // Before the server waits for its connections.
  app.addHook('preClose', async () => options.streams.tails.endAll());
  for (const scope of ['application', 'fleet'] as const) {
    addRoutes(app, tailRoute(scope, options));
    addRoutes(app, exportRoute(scope, options));
  }
};

const PREFIXES: Readonly<Record<Scope, string>> = {
  application: '/v1/applications/:sdk_app_id',
  fleet: '/v1/fleet',
};

function tailRoute(scope: Scope, options: RequestStreamOptions): StreamRoute {
  return {
    url: `${PREFIXES[scope]}/tail`,
    scope,
    operationId: scope === 'application' ? 'tailRequests' : 'tailFleetRequests',
    summary:
      'Requests as they are stored, as server-sent events, for an hour at most; the client closes the connection',
    query: TailQuery,
    body: TailBody,
    bounds: TAIL_BOUNDS,
    content: {
      'text/event-stream': {
        schema: Type.String({
          contentMediaType: 'text/event-stream',
          description: `Events ${Object.keys(TAIL_EVENTS).join(', ')}; their data are JSON of these forms`,
          contentSchema: Type.Object(TAIL_EVENTS),
        }),
      },
    },
    isEndless: true,
    handler: (request, reply, about) => openTail(request, reply, about, options),
  };
}

function exportRoute(scope: Scope, options: RequestStreamOptions): StreamRoute {
  const contents = Object.values(STORE_FORMATS).map(({ contentType }) => [
    contentType.split(';', 1)[0] ?? '',
    { schema: { type: 'string' } },
  ]);
  return {
    url: `${PREFIXES[scope]}/export`,
    scope,
    operationId: scope === 'application' ? 'exportRequests' : 'exportFleetRequests',
    summary:
      'Requests as a file, oldest first; of the fleet by application. A connection that closes early means that the file is not complete',
    query: ExportQuery,
    body: ExportBody,
    bounds: EXPORT_BOUNDS,
    content: Object.fromEntries(contents),
    headers: {
      [EXPORT_ROWS_HEADER]: {
        type: 'integer',
        description: 'requests in the file, counted right before it is read',
      },
    },
    isEndless: false,
    handler: (request, reply, about) => answerExport(request, reply, about, options),
  };
}

function addRoutes(app: FastifyInstance, route: StreamRoute): void {
  for (const method of ['GET', 'POST'] as const) {
    app.route({
      method,
      url: route.url,
      // A stream has no length to tell.
      exposeHeadRoute: false,
      schema: describeStream(route, method),
      schemaErrorFormatter: (failures) => describeFaultWithout(PERSONAL_FILTER_NAMES, failures),
      bodyLimit: BODY_BYTES_MAX,
      config: { bounds: route.bounds },
      preHandler: async (request) => requireScope(grantOf(request), 'requests'),
      handler: async (request, reply) => {
        await route.handler(request, reply, route.scope);
        // Everything is written; Fastify adds nothing.
        reply.hijack();
      },
    });
  }
}

function describeStream(route: StreamRoute, method: 'GET' | 'POST') {
  const { operationId, summary, query, body, content, headers = {}, isEndless, scope } = route;
  return {
    operationId: method === 'GET' ? operationId : `${operationId}ByPost`,
    summary: method === 'GET' ? summary : `${summary}. The same with its parameters in the body`,
    tags: ['applications'],
    security: SECURITY.requestReader,
    response: {
      200: { description: 'a stream', headers, content },
      ...errorAnswers(...(method === 'GET' ? [] : ([413, 415] as const)), 400, 401, 403, 422, 429, 503, 504),
    },
    ...(isEndless ? { 'x-endless': true } : {}),
    ...(scope === 'application' ? { params: ApplicationPath } : {}),
    ...(method === 'GET' ? { querystring: query } : { body }),
  };
}

async function openTail(
  request: FastifyRequest,
  reply: FastifyReply,
  scope: Scope,
  { streams, tokens, terminated, now }: RequestStreamOptions,
): Promise<void> {
  const query = parametersOf(TailBody, request);
  const { name: caller, tokenHash } = grantOf(request);
  // Throws for what is not allowed, before the stream begins.
  const first = subjectOf(request, scope, terminated());
  searchOf(first, { fromMs: now(), toMs: now() }, query);
  const subject = (): Subject | undefined => {
    const grant = tokens.find(tokenHash, 'requests');
    if (grant === undefined) return undefined;
    if (first.kind === 'fleet') return { kind: 'fleet', scope: readScope(grant, terminated()) };
    const readable = mayUse(grant, first.sdkAppId) && !terminated().has(first.sdkAppId);
    return readable ? first : undefined;
  };
  await streams.tails.open({ caller, query, subject }, reply.raw);
}

async function answerExport(
  request: FastifyRequest,
  reply: FastifyReply,
  scope: Scope,
  { ask, streams, terminated, now }: RequestStreamOptions,
): Promise<void> {
  const { format = 'csv', ...query } = parametersOf(ExportBody, request);
  const subject = subjectOf(request, scope, terminated());
  const window = resolveWindow(query, now());
  const whose = subject.kind === 'application' ? String(subject.sdkAppId) : 'fleet';
  const from = timeText(window.fromMs).replaceAll(/[^\dTZ]/g, '');
  await streams.sendExport(
    {
      search: searchOf(subject, window, query),
      format,
      fileName: `imscope-requests-${whose}-${from}`,
      caller: grantOf(request).name,
      ask: ask.within({ rowsMax: 1, bytesMax: MIB }),
    },
    reply.raw,
  );
}

function subjectOf(request: FastifyRequest, scope: Scope, terminated: ReadonlySet<number>): Subject {
  const grant = grantOf(request);
  if (scope === 'fleet') return { kind: 'fleet', scope: readScope(grant, terminated) };
  const { params } = request;
  if (!Value.Check(ApplicationPath, params)) throw new Error('the path of a stream was not checked');
  requireReadable(grant, params.sdk_app_id, terminated);
  return { kind: 'application', sdkAppId: params.sdk_app_id };
}

function grantOf({ grant }: FastifyRequest) {
  if (grant === null) throw new Error('a request came through without authentication');
  return grant;
}

/** The parameters of the query or of the body, which the schemas of the route have checked. */
function parametersOf<T extends TObject>(schema: T, { method, query, body }: FastifyRequest): Static<T> {
  const given: unknown = method === 'GET' ? query : body;
  if (Value.Check(schema, given)) return given;
  throw new Error('the parameters of a stream were not checked');
}
