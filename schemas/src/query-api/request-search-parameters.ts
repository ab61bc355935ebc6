/*
 * Query parameters of the questions about single requests, beside the filters that all questions have. The search of
 * requests, the live tail and the exports take the same.
 */
import { type Static, Type } from 'typebox';
import { REQUEST_LOG_BOUNDS } from '../request-log.js';
import { DETAIL_FILTER_PARAMETERS, FILTER_PARAMETERS } from './filter-parameters.js';

const { requestIdLengthMax, durationUsMax } = REQUEST_LOG_BOUNDS;
const VALUES_MAX = 20;
const CAUSE_LENGTH_MAX = 256;

const durationMs = (description: string) =>
  Type.Optional(Type.Number({ minimum: 0, maximum: durationUsMax / 1_000, description }));

export const SEARCH_PARAMETERS = {
  request_id: Type.Optional(
    Type.String({ minLength: 1, maxLength: requestIdLengthMax, description: 'the complete id' }),
  ),
  http_status: Type.Optional(
    Type.Array(Type.String({ pattern: '^(0|[1-5][0-9]{2})$' }), {
      maxItems: VALUES_MAX,
      description: 'HTTP statuses; 0: unknown; any of several',
    }),
  ),
  cause: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: CAUSE_LENGTH_MAX,
      description: 'a part of the cause; the case of Latin letters does not matter',
    }),
  ),
  latency_ms_min: durationMs('requests that took at least so long'),
  latency_ms_max: durationMs('requests that took at most so long'),
  upstream_ms_min: durationMs('requests that were at least so long in upstreams of the gateway'),
  rtt_ms_min: durationMs('requests of callers with a network round trip of at least so long'),
};

const AllParameters = Type.Object({
  ...FILTER_PARAMETERS,
  ...DETAIL_FILTER_PARAMETERS,
  ...SEARCH_PARAMETERS,
});
export type RequestSearchParameters = Static<typeof AllParameters>;
