/*
 * `network`: how well does each network do that requests come from, and which does worse than usual? A row is a provider,
 * an autonomous system, a network prefix (/24 of IPv4, /48 of IPv6) or a region of the gateways. No row is about fewer
 * requests and addresses than the minimum (services/query/docs/network.md).
 */
import { type Static, Type } from 'typebox';
import { FILTER_PARAMETERS } from './filter-parameters.js';
import { WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { CodeCount, Count, NullableNumber, OutcomeCounts, Time } from './values.js';

export const NETWORK_KINDS = ['isp', 'asn', 'prefix', 'region'] as const;
export type NetworkKind = (typeof NETWORK_KINDS)[number];

const FIGURES = {
  requests: Count,
  outcomes: OutcomeCounts,
  success_rate: NullableNumber,
  success_rate_bounds: Type.Union([Type.Object({ low: Type.Number(), high: Type.Number() }), Type.Null()], {
    description: '95 % confidence, as far as these requests tell; null without successes and service errors',
  }),
  latency_ms: Type.Object({ avg: NullableNumber, p95: NullableNumber }),
  rtt_ms: Type.Object({
    avg: NullableNumber,
    p95: NullableNumber,
    known_share: Type.Number({ description: 'of the requests, those whose round trip is known, 0 to 1' }),
  }),
};
export const NetworkFigures = Type.Object(FIGURES);
export type NetworkFigures = Static<typeof NetworkFigures>;

export const Usual = Type.Object({
  source: Type.Enum(['day_before', 'overall'], {
    description:
      'day_before: the same row in the same window of the day before (of as many days before as the window is long); ' +
      'overall: all requests of the window, where that is not known',
  }),
  requests: Count,
  success_rate: NullableNumber,
  latency_avg_ms: NullableNumber,
});
export type Usual = Static<typeof Usual>;

const COMPARED = {
  usual: Usual,
  lost_requests: Type.Number({
    description: 'service errors beyond those that the usual rate would give; below 0: fewer',
  }),
  fails_more: Type.Boolean({
    description: 'there are more service errors than usual, and chance does not explain it',
  }),
  extra_delay_ms: NullableNumber,
};

export const NetworkRow = Type.Object({
  name: Type.String({
    description:
      'provider, AS and number, prefix, or region; empty: not known, or too small a network to be named',
  }),
  asn: Type.Union([Type.Integer(), Type.Null()], { description: 'of a system or prefix; 0: not known' }),
  isp: Type.Union([Type.String(), Type.Null()], { description: 'of a provider, system or prefix' }),
  id: Type.Union([Type.String(), Type.Null()], {
    description: 'of a prefix, for network=…: it may be in a URL, and expires with the data',
  }),
  ...FIGURES,
  share: Type.Number({ description: 'of all requests in the window that the filters keep, 0 to 1' }),
  ...COMPARED,
});
export type NetworkRow = Static<typeof NetworkRow>;

export const PrefixDetail = Type.Object({
  steps: Type.Array(Type.Object({ time: Time, ...FIGURES }), {
    description:
      'hours, or five minutes of a window below three hours; without those that are below the minimum',
  }),
  interfaces: Type.Array(Type.Object({ interface: Type.String(), ...FIGURES })),
  codes: Type.Array(CodeCount),
});
export type PrefixDetail = Static<typeof PrefixDetail>;

export const Network = Type.Object({
  by: Type.Enum(NETWORK_KINDS),
  minimum: Type.Object(
    { requests: Count, addresses: Count },
    {
      description: 'the logged requests and addresses that a row has at least',
    },
  ),
  overall: NetworkFigures,
  rows: Type.Array(NetworkRow, {
    description: 'what does worse than usual first: by requests lost, then by delay added',
  }),
  rows_left_out: Type.Integer({ minimum: 0, description: 'rows beyond the bound of the list' }),
  not_shown: Type.Object(
    {
      requests: Count,
      share: Type.Number(),
      outcomes: OutcomeCounts,
      success_rate: NullableNumber,
    },
    { description: 'requests that are in no row, because there are too few of their network, all together' },
  ),
  prefix: Type.Union([PrefixDetail, Type.Null()], { description: 'with network=…: more about this prefix' }),
});
export type Network = Static<typeof Network>;

/** The id of a prefix, out of an answer of `network`. */
export const NETWORK_PARAMETER = {
  network: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'the id of a network prefix, as network answers it: requests of this prefix alone',
    }),
  ),
};

export const NetworkQuery = Type.Object(
  {
    ...WINDOW_PARAMETERS,
    ...FILTER_PARAMETERS,
    by: Type.Optional(Type.Enum(NETWORK_KINDS, { description: 'default isp, or prefix with network=…' })),
    ...NETWORK_PARAMETER,
  },
  { additionalProperties: false },
);
export type NetworkQuery = Static<typeof NetworkQuery>;

const SUMMARY =
  'by provider, autonomous system, network prefix or region, each against its own usual, worst first, 200 at most. ' +
  'No row is about fewer requests and addresses than the minimum; prefixes are filtered by interface alone';

export const network = {
  path: '/v1/applications/:sdk_app_id/network',
  scope: 'application',
  operationId: 'getNetwork',
  summary: `How well an application’s networks do: success, delay and round trip ${SUMMARY}`,
  query: NetworkQuery,
  data: Network,
  isBoundedList: false,
} as const satisfies QuestionContract;

export const fleetNetwork = {
  path: '/v1/fleet/network',
  scope: 'fleet',
  operationId: 'getFleetNetwork',
  summary: `How well the networks of all applications the caller may see do: success, delay and round trip ${SUMMARY}`,
  query: NetworkQuery,
  data: Network,
  isBoundedList: false,
} as const satisfies QuestionContract;
