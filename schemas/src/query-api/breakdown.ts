/*
 * `breakdown` and `fleetBreakdown`: which node, version, code … do failures come from? The requests of a window by one
 * or two dimensions, each group with its share of all failures beside its share of all successes.
 */
import { type Static, Type } from 'typebox';
import { NamedApplication } from './application-name.js';
import { DIMENSIONS, FLEET_DIMENSIONS, GroupValues, PREFIX_DIMENSION } from './dimensions.js';
import { DETAIL_FILTER_PARAMETERS, FILTER_PARAMETERS } from './filter-parameters.js';
import { WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { Count, NullableNumber, PERFORMANCE } from './values.js';

export const BREAKDOWN_SORTS = ['lost', 'requests', 'success_rate', 'latency_avg'] as const;
export type BreakdownSort = (typeof BREAKDOWN_SORTS)[number];
export const BREAKDOWN_LIMIT_DEFAULT = 50;
export const BREAKDOWN_LIMIT_MAX = 1_000;

/** 0 to 1, of what the filters keep; null where there is none in all. */
const SHARES = {
  share_of_requests: NullableNumber,
  /** Failures are service errors. */
  share_of_failures: NullableNumber,
  /** Far below its share of failures: the failures come from here. */
  share_of_successes: NullableNumber,
};

export const BreakdownRow = Type.Object({
  group: GroupValues,
  /** Of groups by application. */
  application: Type.Optional(NamedApplication),
  /** Of groups by code: its name in the catalogue; empty where it has none. */
  code_name: Type.Optional(Type.String()),
  /** Of groups by prefix: its id for the parameter network of network and requests. It may be in a URL, and expires with the data. */
  network: Type.Optional(Type.String()),
  ...PERFORMANCE,
  ...SHARES,
});
export type BreakdownRow = Static<typeof BreakdownRow>;

const WITHHELD = Type.Union([Count, Type.Null()], {
  description:
    'groups among them that are not listed whatever the limit: they name a provider and have too few requests or addresses, or are needed to hide one that has; null of groups by prefix, whose requests are withheld in part',
});

export const Breakdown = Type.Object({
  /** The first in the order asked for. */
  groups: Type.Array(BreakdownRow),
  /** All groups that are not listed, as one; null where all are listed. */
  other: Type.Union([
    Type.Object({ groups: Count, withheld: WITHHELD, ...PERFORMANCE, ...SHARES }),
    Type.Null(),
  ]),
  /** All groups: what is listed and the others add up to it. */
  total: Type.Object({ groups: Count, ...PERFORMANCE }),
});
export type Breakdown = Static<typeof Breakdown>;

const PARAMETERS = {
  ...WINDOW_PARAMETERS,
  sort: Type.Optional(
    Type.Enum(BREAKDOWN_SORTS, {
      description:
        'lost: most service errors first (default); requests: most first; success_rate: lowest first; latency_avg: longest first',
    }),
  ),
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: BREAKDOWN_LIMIT_MAX,
      description: `groups that are listed, default ${BREAKDOWN_LIMIT_DEFAULT}; all further ones are summed in other`,
    }),
  ),
  ...FILTER_PARAMETERS,
  ...DETAIL_FILTER_PARAMETERS,
};

const groupBy = { minItems: 1, maxItems: 2, uniqueItems: true } as const;
const DESCRIPTION =
  'one or two dimensions; give it twice for two. prefix stands alone, or with interface, isp or application; it is filtered by interface alone, and windows are whole five minutes';

export const breakdown = {
  path: '/v1/applications/:sdk_app_id/breakdown',
  scope: 'application',
  operationId: 'getBreakdown',
  summary:
    'The requests of an application by one or two dimensions, with the share of each group in all failures and in all successes; the groups that are not listed are summed in one',
  query: Type.Object(
    {
      group_by: Type.Array(Type.Enum([...DIMENSIONS, PREFIX_DIMENSION]), {
        ...groupBy,
        description: DESCRIPTION,
      }),
      ...PARAMETERS,
    },
    { additionalProperties: false },
  ),
  data: Breakdown,
  isBoundedList: false,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;

export const fleetBreakdown = {
  ...breakdown,
  path: '/v1/fleet/breakdown',
  scope: 'fleet',
  operationId: 'getFleetBreakdown',
  summary:
    'The requests of all applications the caller may see by one or two dimensions, as the breakdown of one application',
  query: Type.Object(
    {
      group_by: Type.Array(Type.Enum([...FLEET_DIMENSIONS, PREFIX_DIMENSION]), {
        ...groupBy,
        description: DESCRIPTION,
      }),
      ...PARAMETERS,
    },
    { additionalProperties: false },
  ),
} as const satisfies QuestionContract;
