/*
 * The error answers of the API: which statuses there are and which codes come with each.
 */
import { type TSchema, Type } from 'typebox';
import { ErrorAnswer } from './envelope.js';

const ERRORS = {
  400: 'invalid_parameter, unknown_parameter, personal_filter_in_url, unreadable_body, empty_body or malformed_request',
  401: 'missing_token or invalid_token',
  403: 'not_allowed',
  404: 'not_found',
  405: 'method_not_allowed, with Allow',
  408: 'request_timeout',
  409: 'already_exists, wrong_state or no_database',
  412: 'precondition_failed: somebody else changed it; read it again',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  417: 'expectation_failed',
  422: 'query_too_large: ask for a shorter span or add filters; or provider_too_small: ask for a longer span or fewer filters',
  428: 'precondition_required: send If-Match with the revision you read',
  429: 'too_many_requests, with Retry-After',
  431: 'headers_too_large',
  500: 'internal_error',
  503: 'unavailable: the store is away or busy, with Retry-After',
  504: 'timeout, with Retry-After: ask for a shorter span or add filters',
} as const;

export type ErrorStatus = keyof typeof ERRORS;

/** Of every route: an unknown parameter, a refused head, a failure of the service. */
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
