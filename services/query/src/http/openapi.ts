/*
 * The OpenAPI document, generated from the schemas of the routes, so that it cannot drift from them.
 */
import { SESSION_COOKIE } from '@imscope/access/session-seal.js';
import { TERM_HOURS, termText } from '@imscope/schemas/retention.js';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';

/** Register before any route. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'imscope query API',
        description:
          'How well do the interfaces of an application do, why do they fail, and where? Counts are requests: ' +
          'exact from the metrics, sums of weights from the logs. Durations are milliseconds, times are UTC, spans are half open: [from, to).',
        version: '1',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'this service' }],
      tags: [
        {
          name: 'applications',
          description:
            `Answers out of the request logs, kept ${termText(TERM_HOURS.requestLog)}, and the metrics, ` +
            `kept ${termText(TERM_HOURS.interfaceMetric)}`,
        },
        { name: 'session', description: 'Signing in to the dashboard' },
        { name: 'description', description: 'This description' },
      ],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description:
              'a token of scope read; a route that names the scope requests wants one of that scope, or admin',
          },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: SESSION_COOKIE,
            description: 'set by POST /v1/session',
          },
        },
      },
    },
  });
}
