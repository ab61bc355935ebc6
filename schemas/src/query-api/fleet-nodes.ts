/*
 * `fleetNodes`: how well does each gateway node do for all applications together, and which one fell silent?
 */
import { type Static, Type } from 'typebox';
import { HEALTH_REASONS, TIERS } from '../health.js';
import { SuccessRateInterval } from './applications.js';
import { FILTER_PARAMETERS } from './filter-parameters.js';
import { WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { Count, LeftOut, PERFORMANCE, Time } from './values.js';

/**
 * `fell_silent`: no request for longer than chance explains, while other nodes of its region had some.
 * `no_traffic`: the same, and its region had none. `telemetry_silent`: the same, but a collector is silent or records
 * are late, so that its requests may only be missing here.
 */
export const NODE_STATUSES = ['fell_silent', 'telemetry_silent', 'no_traffic', 'heard'] as const;
export type NodeStatus = (typeof NODE_STATUSES)[number];

export const NodeRow = Type.Object({
  /** Empty: of records that name no node. */
  node: Type.String(),
  /** Of its last request. */
  region: Type.String(),
  status: Type.Enum([...NODE_STATUSES]),
  /** In the window, or in the 6 hours before its end. */
  last_seen: Time,
  /** Seconds without a request at the end of what is stored; null where it is heard. */
  silent_s: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  ...PERFORMANCE,
  success_rate_interval: SuccessRateInterval,
  health: Type.Object({
    tier: Type.Enum([...TIERS]),
    reason: Type.Enum([...HEALTH_REASONS]),
    text: Type.String(),
  }),
  /** Of the requests of all nodes, 0 to 1. */
  share: Type.Number(),
  /** Applications with a request on it. */
  applications: Count,
});
export type NodeRow = Static<typeof NodeRow>;

export const FleetNodes = Type.Object({
  totals: Type.Object({
    nodes: Count,
    requests: Count,
    by_status: Type.Object({
      fell_silent: Count,
      telemetry_silent: Count,
      no_traffic: Count,
      heard: Count,
    }),
  }),
  /** Silent ones first, then worst first. */
  nodes: Type.Array(NodeRow),
  nodes_left_out: LeftOut,
});
export type FleetNodes = Static<typeof FleetNodes>;

export const fleetNodes = {
  path: '/v1/fleet/nodes',
  scope: 'fleet',
  operationId: 'listNodes',
  summary:
    'The gateway nodes for all applications the caller may see: those that fell silent first, then worst first; 1,000 at most',
  query: Type.Object(
    {
      ...WINDOW_PARAMETERS,
      ...FILTER_PARAMETERS,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'default 1000' })),
    },
    { additionalProperties: false },
  ),
  data: FleetNodes,
  isBoundedList: false,
} as const satisfies QuestionContract;
