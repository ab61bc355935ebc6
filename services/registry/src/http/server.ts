/*
 * The HTTP side: security headers, cookies, metrics, the description, one route an operation.
 */
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import { answerFrameworkError, ERROR_STATUS, installErrorAnswers } from '@imscope/runtime/http-errors.js';
import { HEAD_BYTES_MAX } from '@imscope/runtime/http-protocol-errors.js';
import { checkHead } from '@imscope/runtime/http-request-head.js';
import { countRequests, type HttpMetrics } from '@imscope/runtime/http-metrics.js';
import { createHttpServer } from '@imscope/runtime/http-server.js';
import { installParameterReading } from '@imscope/runtime/read-parameters.js';
import { errorAnswers } from '@imscope/schemas/query-api/error-answers.js';
import Fastify, { type FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { requestError } from './body-error.js';
import { installJsonReading } from './json-body.js';
import { describeApi } from './openapi.js';
import { operationRoutes, type OperationRouteOptions } from './operation-routes.js';

export type ServerOptions = OperationRouteOptions & {
  readonly trustProxy: boolean;
  readonly metrics: HttpMetrics;
  /** Called after each request that may have changed something. */
  readonly onChange: () => void;
  /** Further routes, without authentication: signed links of a folder. */
  readonly addRoutes: (app: FastifyInstance) => void;
};

/** The largest is a token of 10,000 applications, or a state with all its codes. An import has a bound of its own. */
const BODY_BYTES_MAX = 262_144;
/** At the bound further connections are closed at once. */
const CONNECTIONS_MAX = 512;
/** An import is read as fast as its rows are written: 100,000 take up to some minutes. */
const REQUEST_TIMEOUT_MS = 600_000;

/** The server with all its routes, not yet listening. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { metrics } = options;
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: options.trustProxy,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    serverFactory: (handler) =>
      createHttpServer(handler, {
        connectionsMax: CONNECTIONS_MAX,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
        onProtocolError: (error) =>
          metrics.requests.inc({ route: 'none', status: String(ERROR_STATUS[error]) }),
      }),
    // The HTTP server has written its answer already; Fastify would destroy the socket before it is sent.
    clientErrorHandler: () => undefined,
    // Ids of any length reach the check of the schema, which says what is allowed.
    routerOptions: { maxParamLength: HEAD_BYTES_MAX },
    // Parameters of addresses are converted as they are read; Ajv neither converts nor removes anything.
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, verbose: true },
    },
    schemaErrorFormatter: requestError,
    // Addresses that cannot even be decoded never reach the error handler.
    frameworkErrors: (error, request, reply) => answerFrameworkError(error, request, reply, 'not_found'),
  });
  // The compiler checks handlers against the schemas of answers, so nothing has to be removed when sending.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.addHook('onRequest', async (request) => checkHead(request.raw));
  app.removeContentTypeParser('text/plain');
  installJsonReading(app);
  installErrorAnswers(app, options.logger);
  installParameterReading(app);
  app.decorateRequest('grant', null);
  countRequests(app, metrics);
  // A change is committed before its request is answered.
  app.addHook('onResponse', async ({ method }) => {
    if (method !== 'GET' && method !== 'HEAD') options.onChange();
  });
  await app.register(helmet, SECURITY_HEADERS);
  await app.register(cookie);
  await describeApi(app);
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.get('/v1/registry/openapi.json', { schema: DESCRIPTION }, async () => ({ ...app.swagger() }));
  await app.register(operationRoutes, options);
  options.addRoutes(app);
  await app.ready();
  return app;
}

const DESCRIPTION = {
  operationId: 'getDescription',
  summary: 'This description',
  tags: ['description'],
  security: [],
  response: {
    200: Type.Object({}, { additionalProperties: true, description: 'OpenAPI 3.1' }),
    ...errorAnswers(),
  },
};

/** Answers are data: a browser that opens one runs nothing of it and frames it nowhere. */
const SECURITY_HEADERS = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  referrerPolicy: { policy: 'no-referrer' as const },
  xFrameOptions: { action: 'deny' as const },
};
