/*
 * Turns the points of an answer into an even row of buckets over the window. Steps without requests have zeros, so that
 * silence is visible. The last step is left out while too little of it has passed. Rates are counted over the part of a
 * step that is within the window.
 */
import type { Window } from '@imscope/schemas/query-api/envelope.js';
import type { TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import type { LatencySummary, OutcomeCounts } from '@imscope/schemas/query-api/values.js';

export type Bucket = {
  /** Seconds since 1970: the part of the step within the window. */
  readonly fromS: number;
  readonly toS: number;
  readonly requests: number;
  readonly outcomes: OutcomeCounts;
  readonly successRate: number | null;
  readonly latencyMs: LatencySummary;
};

/** The service gives about 60 points by default; more than this is not drawn. */
export const BUCKETS_MAX = 2000;
const LAST_SHARE_MIN = 0.3;

const NO_OUTCOMES: OutcomeCounts = { success: 0, caller_error: 0, service_error: 0, unknown: 0 };
const NO_LATENCY: LatencySummary = { avg: null, p50: null, p90: null, p95: null, p99: null, max: null };

/** Times of the answer are RFC 3339 and multiples of its step apart; the result is in order of time. */
export function toBuckets(points: readonly TimePoint[], window: Window): Bucket[] {
  const step = window.step;
  const first = points[0];
  if (step === null || step <= 0 || first === undefined) return [];
  const from = Date.parse(window.from) / 1000;
  const to = Date.parse(window.to) / 1000;
  const anchor = Date.parse(first.time) / 1000;
  const start = anchor - Math.ceil((anchor - from) / step) * step;
  const byTime = new Map(points.map((point) => [Math.round(Date.parse(point.time) / 1000), point]));
  const buckets: Bucket[] = [];
  for (let at = start; at < to && buckets.length < BUCKETS_MAX; at += step) {
    if (at + step <= from) continue;
    const fromS = Math.max(at, from);
    const toS = Math.min(at + step, to);
    if (toS === to && (toS - fromS) / step < LAST_SHARE_MIN && buckets.length > 0) continue;
    const point = byTime.get(Math.round(at));
    buckets.push({
      fromS,
      toS,
      requests: point?.requests ?? 0,
      outcomes: point?.outcomes ?? NO_OUTCOMES,
      successRate: point?.success_rate ?? null,
      latencyMs: point?.latency_ms ?? NO_LATENCY,
    });
  }
  return buckets;
}

/** Where a bucket is drawn: its middle. */
export function middleS(bucket: Bucket): number {
  return (bucket.fromS + bucket.toS) / 2;
}

/** Requests of one kind per second of the bucket. */
export function perSecond(bucket: Bucket, count: number): number {
  return count / Math.max(bucket.toS - bucket.fromS, 0.001);
}

/** Complete buckets between two instants (seconds), both ends moved outwards; null where there are none. */
export function snapToBuckets(
  buckets: readonly Bucket[],
  fromS: number,
  toS: number,
): { fromMs: number; toMs: number } | null {
  const touched = buckets.filter((bucket) => bucket.toS > fromS && bucket.fromS < toS);
  const first = touched[0];
  const last = touched.at(-1);
  if (first === undefined || last === undefined) return null;
  return { fromMs: Math.round(first.fromS * 1000), toMs: Math.round(last.toS * 1000) };
}
