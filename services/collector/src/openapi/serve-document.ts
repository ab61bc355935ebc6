/*
 * `GET /v1/openapi.json`: the OpenAPI document, assembled from the operations that the registered routes carry, so that
 * it has exactly the routes there are. Built at each request, a fraction of a millisecond: examples have times that are
 * accepted now.
 */
import type { FastifyInstance, RouteOptions } from 'fastify';
import { Type } from 'typebox';
import { errorResponses } from './error-answers.js';
import { type DescribeOperation, type DocumentContext, HEAD_ERRORS, SECURITY } from './operation.js';
import { RecordSchema } from './record-schema.js';

type DescribedRoute = {
  readonly method: string;
  readonly path: string;
  readonly describe: DescribeOperation;
};

const describeDocument: DescribeOperation = () => ({
  operationId: 'getDescription',
  summary: 'This document',
  tags: ['description'],
  security: SECURITY.none,
  responses: {
    200: {
      description: 'OpenAPI 3.1',
      content: { 'application/json': { schema: Type.Object({ openapi: Type.Literal('3.1.0') }) } },
    },
    ...errorResponses(HEAD_ERRORS),
  },
});

/** Register before any other route: those without an operation are refused from here on. */
export function serveDocument(app: FastifyInstance, context: Omit<DocumentContext, 'nowMs'>): void {
  const routes: DescribedRoute[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(describedRoute(route));
  });
  app.get('/v1/openapi.json', { exposeHeadRoute: false, config: { operation: describeDocument } }, async () =>
    document(routes, { ...context, nowMs: Date.now() }),
  );
}

/** Throws where a route has no operation. */
function describedRoute({ method, url, config }: RouteOptions): DescribedRoute {
  const describe = config?.operation;
  if (describe === undefined) throw new Error(`route ${String(method)} ${url} has no OpenAPI operation`);
  return { method: String(method).toLowerCase(), path: url, describe };
}

function document(routes: readonly DescribedRoute[], context: DocumentContext): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const { method, path, describe } of routes) (paths[path] ??= {})[method] = describe(context);
  return {
    openapi: '3.1.0',
    info: {
      title: 'imscope collector API',
      description:
        'Interface request logs of gateways come in here. An answer of success says that every accepted record is ' +
        'durable and counted; 429 and 503 say that nothing of the request was accepted.',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'this service' }],
    tags: [
      { name: 'intake', description: 'Sending request logs' },
      { name: 'tap', description: 'What comes in, live' },
      { name: 'description', description: 'This document' },
    ],
    paths,
    components: {
      schemas: { RequestLog: RecordSchema },
      securitySchemes: {
        write: { type: 'http', scheme: 'bearer', description: 'a token of scope write' },
        requests: { type: 'http', scheme: 'bearer', description: 'a token of scope requests' },
      },
    },
  };
}
