/*
 * The description of the API: made out of the routes' own schemas, so it cannot drift from them.
 */
import swagger from '@fastify/swagger';
import { ErrorAnswer } from '@imscope/schemas/query-api/envelope.js';
import type { FastifyInstance } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { SESSION_COOKIE } from './authentication.js';

export const SECURITY = {
  /** Either a bearer token or a session. */
  reader: [{ bearer: [] }, { session: [] }],
  bearer: [{ bearer: [] }],
  session: [{ session: [] }],
  none: [],
};

const ERRORS = {
  400: 'invalid_parameter, unknown_parameter, unreadable_body, empty_body or malformed_request',
  401: 'missing_token or invalid_token',
  403: 'not_allowed',
  404: 'not_found',
  405: 'method_not_allowed, with Allow',
  408: 'request_timeout',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  417: 'expectation_failed',
  422: 'query_too_large: ask for a shorter span or add filters',
  429: 'too_many_requests, with Retry-After',
  431: 'headers_too_large',
  500: 'internal_error',
  503: 'unavailable: the store is away or busy, with Retry-After',
  504: 'timeout, with Retry-After: ask for a shorter span or add filters',
} as const;

export type ErrorStatus = keyof typeof ERRORS;

/** Of any request, whatever the route: an unknown parameter, a head that is refused, a failure of ours. */
const ALWAYS = [400, 408, 417, 431, 500] as const satisfies ErrorStatus[];

const TEMPORARY: ReadonlySet<number> = new Set([429, 503, 504]);
const RETRY_AFTER = {
  'Retry-After': { type: 'integer', minimum: 0, description: 'seconds to wait before asking again' },
};

/** The error answers of a route, by status. */
export function errorAnswers(...statuses: ErrorStatus[]): Record<ErrorStatus, typeof ErrorAnswer> {
  const entries = [...new Set([...statuses, ...ALWAYS])].map((status): [string, TSchema] => [
    String(status),
    Type.Object(ErrorAnswer.properties, {
      description: ERRORS[status],
      ...(TEMPORARY.has(status) ? { headers: RETRY_AFTER } : {}),
    }),
  ]);
  return Object.fromEntries(entries) as Record<ErrorStatus, typeof ErrorAnswer>;
}

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
          description: 'Answers out of the request logs, kept 7 days, and the metrics, kept 2 days',
        },
        { name: 'session', description: 'Signing in to the dashboard' },
        { name: 'description', description: 'This description' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'a token of scope read' },
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
