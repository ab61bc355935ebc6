/*
 * The HTTP side: security headers, cookies, compression, metrics, the description, the routes, the dashboard.
 */
import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import {
  answerFrameworkError,
  ERROR_STATUS,
  HttpError,
  installErrorAnswers,
} from '@imscope/runtime/http-errors.js';
import { HEAD_BYTES_MAX } from '@imscope/runtime/http-protocol-errors.js';
import { checkHead } from '@imscope/runtime/http-request-head.js';
import { countRequests, type HttpMetrics } from '@imscope/runtime/http-metrics.js';
import { createHttpServer } from '@imscope/runtime/http-server.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { describeParameterFault } from '@imscope/runtime/parameter-error.js';
import { installParameterReading } from '@imscope/runtime/read-parameters.js';
import { errorAnswers } from '@imscope/schemas/query-api/error-answers.js';
import Fastify, { type FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { SECURITY } from '../access/security.js';
import { MIB, SMALL_ANSWER } from '../store/answer-bounds.js';
import type { AnswerBudget } from '../store/answer-budget.js';
import { questionRoutes, type QuestionRouteOptions } from './question-routes.js';
import { serveDashboard } from './dashboard-files.js';
import { describeApi } from './openapi.js';
import { requestStreams, type RequestStreamOptions } from './request-streams.js';
import { passOnToRegistry } from './registry-proxy.js';
import { muteRoutes, type MuteRouteOptions } from './mute-routes.js';
import { sessionRoutes, type SessionRouteOptions } from '../access/session-routes.js';

export type ServerOptions = QuestionRouteOptions &
  RequestStreamOptions &
  SessionRouteOptions &
  MuteRouteOptions & {
    /** Empty: the API alone. */
    readonly dashboardDir: string;
    /** Empty: no registry. */
    readonly registryUrl: string;
    readonly trustProxy: boolean;
    readonly budget: AnswerBudget;
    readonly metrics: HttpMetrics;
    readonly logger: Logger;
  };

/** The only body is a code or a token, but for those passed on to the registry. */
const BODY_ALLOWED = 'the body must be a JSON object {"code":"…"} or {"token":"…"} with 16 to 256 characters';
const BODY_BYTES_MAX = 4_096;
/** Every schema and example, 1 MiB in November 2026; the service's tests fail where it is more than this. */
const DESCRIPTION = { ...SMALL_ANSWER, bytes: 4 * MIB };
/** At the bound further connections are closed at once. */
const CONNECTIONS_MAX = 1_024;
const COMPRESSED_FROM_BYTES = 1_024;
/** The plugin's own quality, with a window of 256 kB instead of 4 MB: that much is held for each answer that is sent. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 } };

/** The server with all its routes, not yet listening. Throws where the dashboard's files are missing. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: options.trustProxy,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    serverFactory: (handler) =>
      createHttpServer(handler, {
        connectionsMax: CONNECTIONS_MAX,
        onProtocolError: (error) =>
          options.metrics.requests.inc({ route: 'none', status: String(ERROR_STATUS[error]) }),
      }),
    // The HTTP server has written its answer already; Fastify would destroy the socket before it is sent.
    clientErrorHandler: () => undefined,
    // Ids of any length reach the check of the schema, which says what is allowed.
    routerOptions: { maxParamLength: HEAD_BYTES_MAX },
    // `read-parameters.ts` converts parameters of addresses; Ajv neither converts nor removes anything.
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, verbose: true },
    },
    schemaErrorFormatter: (failures, part) =>
      part === 'body' ? new HttpError('invalid_parameter', BODY_ALLOWED) : describeParameterFault(failures),
    // Addresses that cannot even be decoded never reach the error handler.
    frameworkErrors: (error, request, reply) => answerFrameworkError(error, request, reply, 'not_found'),
  }).withTypeProvider<TypeBoxTypeProvider>();
  // The compiler checks handlers against the schemas of answers, so nothing has to be removed when sending.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.addHook('onRequest', async (request) => checkHead(request.raw));
  installErrorAnswers(app, options.logger);
  installParameterReading(app);
  app.decorateRequest('grant', null);
  options.budget.install(app);
  countRequests(app, options.metrics);
  await app.register(helmet, securityHeaders(options.cookieSecure));
  await app.register(compress, {
    threshold: COMPRESSED_FROM_BYTES,
    encodings: ['br', 'gzip'],
    brotliOptions: BROTLI,
  });
  await app.register(cookie);
  await describeApi(app);
  app.addHook('onSend', async (request, reply) => {
    if (request.url.startsWith('/v1/')) reply.header('cache-control', 'no-store');
  });
  app.get(
    '/v1/openapi.json',
    {
      config: { bounds: DESCRIPTION },
      schema: {
        operationId: 'getDescription',
        summary: 'This description',
        tags: ['description'],
        security: SECURITY.none,
        response: {
          200: Type.Object({}, { additionalProperties: true, description: 'OpenAPI 3.1' }),
          ...errorAnswers(),
        },
      },
    },
    async () => ({ ...app.swagger() }),
  );
  await app.register(questionRoutes, options);
  await app.register(muteRoutes, options);
  await app.register(requestStreams, options);
  await app.register(sessionRoutes, options);
  await passOnToRegistry(app, options.registryUrl);
  if (options.dashboardDir !== '') await serveDashboard(app, options.dashboardDir);
  await app.ready();
  return app;
}

/** The dashboard loads nothing from other origins, and other pages may not frame it. */
function securityHeaders(secure: boolean) {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // Browsers apply these two over HTTPS only.
    strictTransportSecurity: secure,
    crossOriginOpenerPolicy: secure,
    referrerPolicy: { policy: 'no-referrer' as const },
    xFrameOptions: { action: 'deny' as const },
  };
}
