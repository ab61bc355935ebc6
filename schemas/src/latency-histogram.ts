/*
 * The latency histogram: base-2 exponential at scale 5 (OpenTelemetry's data model, Prometheus
 * native histograms' schema 5). Bucket i holds latencies in (2^(i/32), 2^((i+1)/32)] microseconds; a latency
 * of 0 counts as 1. A bucket is 2.2 % wide, so its geometric middle is off by 1.1 % at most.
 */
const BUCKETS_PER_DOUBLING = 32;

/** The bucket of a latency in microseconds: -1 for 0 and 1, 0 for none, then upward. */
export function latencyBucket(latencyUs: number): number {
  return Math.ceil(Math.log2(Math.max(latencyUs, 1)) * BUCKETS_PER_DOUBLING) - 1;
}

/** The same formula for ClickHouse, over an expression in microseconds. */
export function latencyBucketSql(latencyUs: string): string {
  return `toInt16(ceil(log2(greatest(${latencyUs}, 1)) * ${BUCKETS_PER_DOUBLING}) - 1)`;
}

/** A bucket holds latencies above this one, microseconds; 0 for the first. */
export function bucketLowerBoundUs(bucket: number): number {
  return bucket < 0 ? 0 : 2 ** (bucket / BUCKETS_PER_DOUBLING);
}

/** The geometric middle of a bucket, microseconds. */
export function bucketMiddleUs(bucket: number): number {
  return bucket < 0 ? 1 : 2 ** ((bucket + 0.5) / BUCKETS_PER_DOUBLING);
}

/**
 * Percentiles by nearest rank.
 * @param buckets pairs of bucket and count, in any order
 * @param quantiles each within (0, 1]
 * @param maxUs the greatest latency where known: no percentile is above it
 * @returns one latency in microseconds for each quantile, off by 1.1 % at most; null where nothing was counted
 */
export function percentilesUs(
  buckets: Iterable<readonly [bucket: number, count: number]>,
  quantiles: readonly number[],
  maxUs = Number.POSITIVE_INFINITY,
): (number | null)[] {
  const sorted = [...buckets].toSorted((a, b) => a[0] - b[0]);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return quantiles.map(() => null);
  return quantiles.map((quantile) => {
    // The small term keeps 0.95 * 20 = 19.000000000000004 from becoming rank 20.
    const rank = Math.max(1, Math.ceil(quantile * total - 1e-9));
    let seen = 0;
    for (const [bucket, count] of sorted) {
      seen += count;
      if (seen >= rank) return Math.min(bucketMiddleUs(bucket), maxUs);
    }
    return maxUs;
  });
}
