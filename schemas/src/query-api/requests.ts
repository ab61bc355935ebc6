/*
 * `requests`: lists single requests, newest first, page by page.
 */
import { type Static, Type } from 'typebox';
import { REQUEST_LOG_BOUNDS } from '../request-log.js';
import { DETAIL_FILTER_PARAMETERS, FILTER_PARAMETERS } from './filter-parameters.js';
import { WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { SHOWN_FIELDS } from '../shown-record.js';
import { Time } from './values.js';

// The application is in the path. The address is masked: /24 of IPv4, /48 of IPv6.
const { sdk_app_id: _, ...SHOWN_OF_ONE } = SHOWN_FIELDS;
export const RequestRow = Type.Object({ ...SHOWN_OF_ONE, time: Time });
export type RequestRow = Static<typeof RequestRow>;

export const RequestPage = Type.Object({
  /** Newest first. */
  requests: Type.Array(RequestRow),
  /** For the next, older page; null on the last. */
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export type RequestPage = Static<typeof RequestPage>;

export const RequestsQuery = Type.Object(
  {
    ...WINDOW_PARAMETERS,
    ...FILTER_PARAMETERS,
    ...DETAIL_FILTER_PARAMETERS,
    request_id: Type.Optional(
      Type.String({ minLength: 1, maxLength: REQUEST_LOG_BOUNDS.requestIdLengthMax }),
    ),
    latency_ms_min: Type.Optional(
      Type.Number({ minimum: 0, maximum: REQUEST_LOG_BOUNDS.durationUsMax / 1_000 }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'default 100' })),
    cursor: Type.Optional(Type.String({ maxLength: 256, description: 'next_cursor of the page before' })),
  },
  { additionalProperties: false },
);
export type RequestsQuery = Static<typeof RequestsQuery>;

export const requests = {
  path: '/v1/applications/:sdk_app_id/requests',
  scope: 'application',
  tokenScope: 'requests',
  operationId: 'listRequests',
  summary:
    'Single requests, newest first. Follow next_cursor for older ones; a cursor keeps the window of the first page',
  query: RequestsQuery,
  data: RequestPage,
  isBoundedList: false,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;
