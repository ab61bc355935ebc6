/*
 * `requests`, `fleetRequests`, `requestById`: list single requests, newest first, page by page.
 */
import { type Static, type TObject, Type } from 'typebox';
import { Link } from '../link-template.js';
import { REQUEST_LOG_BOUNDS } from '../request-log.js';
import { SHOWN_FIELDS } from '../shown-record.js';
import { DETAIL_FILTER_PARAMETERS, FILTER_PARAMETERS } from './filter-parameters.js';
import { WINDOW_PARAMETERS } from './parameters.js';
import { NETWORK_PARAMETER } from './network.js';
import type { QuestionContract } from './question-contract.js';
import { SEARCH_PARAMETERS } from './request-search-parameters.js';
import { Time } from './values.js';

const PLACE = {
  place: Type.String({ description: 'of the request in the store, opaque; its context is asked with it' }),
};

const LINKS = {
  links: Type.Array(Link, {
    description:
      'into the logs and traces of the operators of its application: the link templates of the registry, filled with this request and five minutes before and after it',
  }),
};

// The application is in the path. The address is masked: /24 of IPv4, /48 of IPv6.
const { sdk_app_id: _, ...SHOWN_OF_ONE } = SHOWN_FIELDS;
export const RequestRow = Type.Object({ ...SHOWN_OF_ONE, time: Time, ...PLACE, ...LINKS });
export type RequestRow = Static<typeof RequestRow>;

export const FleetRequestRow = Type.Object({
  ...SHOWN_FIELDS,
  time: Time,
  ...PLACE,
  ...LINKS,
  name: Type.String({ description: 'the name of the application; empty where none is known' }),
});
export type FleetRequestRow = Static<typeof FleetRequestRow>;

const pageOf = <T extends TObject>(row: T) =>
  Type.Object({
    /** Newest first. */
    requests: Type.Array(row),
    /** For the next, older page; null on the last. */
    next_cursor: Type.Union([Type.String(), Type.Null()]),
  });

export const RequestPage = pageOf(RequestRow);
export type RequestPage = Static<typeof RequestPage>;
export const FleetRequestPage = pageOf(FleetRequestRow);
export type FleetRequestPage = Static<typeof FleetRequestPage>;

const PAGE_PARAMETERS = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'default 100' })),
  cursor: Type.Optional(Type.String({ maxLength: 256, description: 'next_cursor of the page before' })),
};

export const RequestsQuery = Type.Object(
  {
    ...WINDOW_PARAMETERS,
    ...FILTER_PARAMETERS,
    ...DETAIL_FILTER_PARAMETERS,
    ...SEARCH_PARAMETERS,
    ...NETWORK_PARAMETER,
    ...PAGE_PARAMETERS,
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

export const fleetRequests = {
  path: '/v1/fleet/requests',
  scope: 'fleet',
  tokenScope: 'requests',
  operationId: 'listFleetRequests',
  summary:
    'Single requests of all applications the caller may read, newest first. Follow next_cursor for older ones; a cursor keeps the window of the first page',
  query: RequestsQuery,
  data: FleetRequestPage,
  isBoundedList: false,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;

export const requestById = {
  path: '/v1/requests/:request_id',
  scope: 'fleet',
  tokenScope: 'requests',
  operationId: 'getRequest',
  summary:
    'The requests with this id, of all applications the caller may read, newest first; from: default now-24h',
  inPath: Type.Object({
    request_id: Type.String({
      minLength: 1,
      maxLength: REQUEST_LOG_BOUNDS.requestIdLengthMax,
      description: 'the complete id of the request',
    }),
  }),
  query: Type.Object({ ...WINDOW_PARAMETERS, ...PAGE_PARAMETERS }, { additionalProperties: false }),
  data: FleetRequestPage,
  isBoundedList: false,
} as const satisfies QuestionContract;
