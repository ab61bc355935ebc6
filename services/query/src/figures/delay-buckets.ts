/*
 * Latency histograms with fewer, wider buckets: neighbours are summed, so counts stay exact. A width is a power of two of
 * fine buckets, and wide buckets begin at multiples of it: those of two windows are the same or divide each other.
 */
import { bucketLowerBoundUs } from '@imscope/schemas/latency-histogram.js';
import { HEATMAP_ROWS_MAX } from '@imscope/schemas/query-api/heatmap.js';

export type DelayBuckets = {
  /** Of the first bucket, in units of the width. */
  readonly first: number;
  readonly count: number;
  /** Fine buckets in each. */
  readonly width: number;
};

type Histogram = readonly (readonly [bucket: number, count: number])[];

/** The narrowest buckets that hold all of these histograms in `HEATMAP_ROWS_MAX` of them. */
export function delayBuckets(histograms: readonly Histogram[]): DelayBuckets {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const histogram of histograms) {
    for (const [bucket] of histogram) {
      least = Math.min(least, bucket);
      most = Math.max(most, bucket);
    }
  }
  if (least > most) return { first: 0, count: 0, width: 1 };
  for (let width = 1; ; width *= 2) {
    const first = Math.floor(least / width);
    const count = Math.floor(most / width) - first + 1;
    if (count <= HEATMAP_ROWS_MAX) return { first, count, width };
  }
}

/** Their bounds in milliseconds: a delay is above the lower one. The fine bucket -1 begins at 0. */
export function boundsOf({ first, count, width }: DelayBuckets): { from_ms: number; to_ms: number }[] {
  const boundMs = (index: number): number => bucketLowerBoundUs(index * width) / 1_000;
  return Array.from({ length: count }, (_, at) => ({
    from_ms: boundMs(first + at),
    to_ms: boundMs(first + at + 1),
  }));
}

/** Requests in each. */
export function countsIn(histogram: Histogram, { first, count, width }: DelayBuckets): number[] {
  const counts = Array.from({ length: count }, () => 0);
  for (const [bucket, requests] of histogram) {
    const at = Math.floor(bucket / width) - first;
    counts[at] = (counts[at] ?? 0) + requests;
  }
  return counts;
}
