/*
 * What changed between two sets of requests, such as a span and the one before it, and whether chance explains the
 * difference. The bounds are those of `health.ts`: Wilson scores of z = 3. They cover the noise of counting alone; a
 * daily rhythm or a release is a change as well.
 */
import { errorShareLowerBound } from './health.js';
import { bucketMiddleUs } from './latency-histogram.js';

/** Standard errors by which two averages have to differ. */
const Z = 3;
/** Averages of fewer requests are not compared: delays are too uneven for it. */
const REQUESTS_MIN = 30;

type Rated = { readonly success: number; readonly service_error: number };
type Counted = { readonly requests: number; readonly seconds: number };
/** The average of this many delays and their variance, in one unit. */
export type Average = { readonly requests: number; readonly average: number; readonly variance: number };

/** Whether the share of service errors differs by more than chance (Newcombe's interval of a difference). */
export function differsInSuccessRate(now: Rated, before: Rated): boolean {
  if (now.success + now.service_error === 0 || before.success + before.service_error === 0) return false;
  const [a, b] = [errorShare(now), errorShare(before)];
  const lower = a.share - b.share - Math.hypot(a.share - a.lower, b.upper - b.share);
  const upper = a.share - b.share + Math.hypot(a.upper - a.share, b.share - b.lower);
  return lower > 0 || upper < 0;
}

/**
 * Whether requests a second differ by more than chance: of all requests of both spans, the share of the second one is
 * compared with its share of the time.
 */
export function differsInRequests(now: Counted, before: Counted): boolean {
  if (now.requests + before.requests === 0 || now.seconds <= 0 || before.seconds <= 0) return false;
  const { lower, upper } = errorShare({ success: before.requests, service_error: now.requests });
  const shareOfTime = now.seconds / (now.seconds + before.seconds);
  return shareOfTime < lower || shareOfTime > upper;
}

/** Whether two averages differ by more than three standard errors of their difference. */
export function differsInAverage(now: Average, before: Average): boolean {
  if (now.requests < REQUESTS_MIN || before.requests < REQUESTS_MIN) return false;
  const error = Math.sqrt(now.variance / now.requests + before.variance / before.requests);
  return Math.abs(now.average - before.average) > Z * error;
}

/** The variance of latencies in microseconds, squared, from their histogram; 0 without requests. */
export function latencyVariance(
  buckets: Iterable<readonly [bucket: number, count: number]>,
  averageUs: number,
): number {
  let requests = 0;
  let sum = 0;
  for (const [bucket, count] of buckets) {
    requests += count;
    sum += count * (bucketMiddleUs(bucket) - averageUs) ** 2;
  }
  return requests === 0 ? 0 : sum / requests;
}

/** The share of service errors and its bounds. There is at least one success or service error. */
function errorShare({ success, service_error: errors }: Rated) {
  return {
    share: errors / (success + errors),
    lower: errorShareLowerBound(success, errors),
    upper: 1 - errorShareLowerBound(errors, success),
  };
}
