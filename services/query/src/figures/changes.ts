/*
 * The figures of a set of requests against those of the same set before, each with whether chance explains the difference.
 */
import {
  differsInAverage,
  differsInRequests,
  differsInSuccessRate,
  latencyVariance,
} from '@imscope/schemas/change.js';
import type { Changes } from '@imscope/schemas/query-api/changes.js';
import { NO_SUMS, type PerformanceRow, successRate, type Sums } from './sums.js';

/**
 * @param before undefined: no request then
 * @param isDelayCompared false for requests that wait on purpose
 */
export function changesOf(
  now: PerformanceRow & { readonly seconds: number },
  before: Sums | undefined,
  beforeSeconds: number,
  isDelayCompared: boolean,
): Changes {
  const earlier = { ...NO_SUMS, ...before, seconds: beforeSeconds };
  const [rateNow, rateBefore] = [
    successRate(now.success, now.service_error),
    successRate(earlier.success, earlier.service_error),
  ];
  return {
    requests_per_s: {
      before: earlier.requests / earlier.seconds,
      difference: now.requests / now.seconds - earlier.requests / earlier.seconds,
      is_beyond_chance: differsInRequests(now, earlier),
    },
    success_rate: {
      before: rateBefore,
      difference: difference(rateNow, rateBefore),
      is_beyond_chance: differsInSuccessRate(now, earlier),
    },
    latency_avg_ms: isDelayCompared ? changeOfDelay(now, earlier) : null,
  };
}

/** The spread of the delays is that of now: a histogram of the span before would cost as much as all else of it. */
function changeOfDelay(now: PerformanceRow, before: Sums): Changes['latency_avg_ms'] {
  const [averageNow, averageBefore] = [averageUs(now), averageUs(before)];
  const variance = latencyVariance(now.histogram, averageNow ?? 0);
  return {
    before: averageBefore === null ? null : averageBefore / 1_000,
    difference: averageNow === null || averageBefore === null ? null : (averageNow - averageBefore) / 1_000,
    is_beyond_chance: differsInAverage(
      { requests: now.requests, average: averageNow ?? 0, variance },
      { requests: before.requests, average: averageBefore ?? 0, variance },
    ),
  };
}

function averageUs({ requests, latency_sum_us: sum }: Sums): number | null {
  return requests === 0 ? null : sum / requests;
}

function difference(now: number | null, before: number | null): number | null {
  return now === null || before === null ? null : now - before;
}
