/*
 * Sums of requests of a network, and the figures that answers show of them.
 */
import { successRateInterval } from '@imscope/schemas/health.js';
import { bucketMiddleUs } from '@imscope/schemas/latency-histogram.js';
import type { NetworkFigures } from '@imscope/schemas/query-api/network.js';
import { type Static, Type } from 'typebox';
import { averageMs, inMs, NO_OUTCOMES, OUTCOME_SUMS, successRate } from '../figures/sums.js';

/** The columns of `PUBLISHED_COLUMNS_SQL` and `LOGGED_COLUMNS_SQL`. Buckets are of the latency histogram. */
export const NETWORK_SUMS = {
  rows: Type.Number(),
  ...OUTCOME_SUMS,
  latency_sum_us: Type.Number(),
  rtt_requests: Type.Number(),
  rtt_sum_us: Type.Number(),
  latency_p95_bucket: Type.Number(),
  rtt_p95_bucket: Type.Number(),
};
const NetworkSums = Type.Object(NETWORK_SUMS);
export type NetworkSums = Static<typeof NetworkSums>;

export const NO_SUMS: NetworkSums = {
  rows: 0,
  ...NO_OUTCOMES,
  latency_sum_us: 0,
  rtt_requests: 0,
  rtt_sum_us: 0,
  latency_p95_bucket: 0,
  rtt_p95_bucket: 0,
};

export function networkFiguresOf(sums: NetworkSums): NetworkFigures {
  const { requests, rtt_requests: timed } = sums;
  return {
    requests,
    outcomes: outcomesOf(sums),
    success_rate: successRate(sums.success, sums.service_error),
    success_rate_bounds: successRateInterval(sums),
    latency_ms: {
      avg: averageMs(sums.latency_sum_us, requests),
      p95: requests === 0 ? null : inMs(bucketMiddleUs(sums.latency_p95_bucket)),
    },
    rtt_ms: {
      avg: averageMs(sums.rtt_sum_us, timed),
      p95: timed === 0 ? null : inMs(bucketMiddleUs(sums.rtt_p95_bucket)),
      known_share: shareOf(timed, requests),
    },
  };
}

export function outcomesOf({ success, caller_error, service_error, unknown }: NetworkSums) {
  return { success, caller_error, service_error, unknown };
}

export function shareOf(part: number, all: number): number {
  return all === 0 ? 0 : part / all;
}

/** Counts and sums of `all` without those of `some`, which are part of it. Percentiles do not subtract. */
export function without(all: NetworkSums, some: readonly NetworkSums[]): NetworkSums {
  const less = (name: keyof NetworkSums): number => some.reduce((left, sums) => left - sums[name], all[name]);
  return {
    ...NO_SUMS,
    rows: less('rows'),
    requests: less('requests'),
    success: less('success'),
    caller_error: less('caller_error'),
    service_error: less('service_error'),
    unknown: less('unknown'),
    latency_sum_us: less('latency_sum_us'),
  };
}
