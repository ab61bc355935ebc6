/*
 * `heatmap` and `fleetHeatmap`: how were delays spread over time? Requests by step and by delay, and where the delay was
 * spent as far as logs tell.
 */
import { type Static, Type } from 'typebox';
import { DETAIL_FILTER_PARAMETERS, FILTER_PARAMETERS } from './filter-parameters.js';
import { STEP_PARAMETER, WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { Count, NullableNumber, Time } from './values.js';

export const HEATMAP_ROWS_MAX = 40;

/** What is known of a part of the delay, from those logged requests that state it. */
const DelayPart = Type.Object({
  requests: Type.Integer({ minimum: 0, description: 'requests that state it' }),
  share_known: Type.Union([Type.Number(), Type.Null()], {
    description: 'of all requests, the share that states it; null without requests',
  }),
  avg_ms: NullableNumber,
  share_of_delay: Type.Union([Type.Number(), Type.Null()], {
    description:
      'of the whole delay of the requests that state it, 0 to 1: a part counts at most as long as its request took',
  }),
});
export type DelayPart = Static<typeof DelayPart>;

export const Heatmap = Type.Object({
  /** Adjacent, shortest first, 40 at most, each as many times as long as the one before. A delay is above from_ms. */
  buckets: Type.Array(Type.Object({ from_ms: Type.Number(), to_ms: Type.Number() })),
  steps: Type.Array(
    Type.Object({
      time: Time,
      requests: Count,
      /** Requests in each bucket, in the same order. They add up to requests. */
      counts: Type.Array(Count),
      /** Of the delay, as below; null where no request states it. */
      share_upstream: NullableNumber,
      share_network: NullableNumber,
    }),
  ),
  delay: Type.Object({
    /** After the gateway: the time in its upstreams. */
    upstream: DelayPart,
    /** The network round trip between the gateway and the caller. */
    network: DelayPart,
  }),
});
export type Heatmap = Static<typeof Heatmap>;

export const heatmap = {
  path: '/v1/applications/:sdk_app_id/heatmap',
  scope: 'application',
  operationId: 'getHeatmap',
  summary:
    'The delays of an application over time: requests by step and by delay, 300 steps and 40 buckets of delay at most, and the share of the delay in upstreams and on the network',
  query: Type.Object(
    { ...WINDOW_PARAMETERS, step: STEP_PARAMETER, ...FILTER_PARAMETERS, ...DETAIL_FILTER_PARAMETERS },
    { additionalProperties: false },
  ),
  data: Heatmap,
  isBoundedList: false,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;

export const fleetHeatmap = {
  ...heatmap,
  path: '/v1/fleet/heatmap',
  scope: 'fleet',
  operationId: 'getFleetHeatmap',
  summary: 'The delays of all applications the caller may see over time, as the heatmap of one application',
} as const satisfies QuestionContract;
