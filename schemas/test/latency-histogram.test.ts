import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketMiddleUs, latencyBucket, percentilesUs } from '../src/latency-histogram.js';

test('every latency up to two seconds lies within its bucket, and its middle is off by 1.1 % at most', () => {
  for (let latencyUs = 1; latencyUs <= 2_000_000; latencyUs++) {
    const bucket = latencyBucket(latencyUs);
    const error = Math.abs(bucketMiddleUs(bucket) - latencyUs) / latencyUs;
    if (error > 0.011) assert.fail(`${latencyUs} µs in bucket ${bucket} is off by ${error}`);
  }
});

test('a power of two is the upper bound of its bucket: (2^(i/32), 2^((i+1)/32)]', () => {
  for (let power = 0; power <= 40; power++) {
    assert.equal(latencyBucket(2 ** power), power * 32 - 1);
    assert.equal(latencyBucket(2 ** power + 0.0001 * 2 ** power), power * 32);
  }
  assert.equal(latencyBucket(0), -1);
});

test('percentiles are the nearest rank of the values within 1.1 %', () => {
  const latencies = fc.array(fc.integer({ min: 1, max: 60_000_000 }), { minLength: 1, maxLength: 400 });
  fc.assert(
    fc.property(latencies, fc.constantFrom(0.5, 0.9, 0.95, 0.99, 1), (values, quantile) => {
      const counts = new Map<number, number>();
      for (const value of values)
        counts.set(latencyBucket(value), (counts.get(latencyBucket(value)) ?? 0) + 1);
      const [estimate] = percentilesUs(counts, [quantile], Math.max(...values));
      const exact =
        values.toSorted((a, b) => a - b)[Math.ceil(Number((quantile * values.length).toFixed(9))) - 1] ?? 0;
      assert.ok(estimate !== null && estimate !== undefined);
      assert.ok(Math.abs(estimate - exact) <= exact * 0.011 + 1e-9, `${estimate} for ${exact}`);
      assert.ok(estimate <= Math.max(...values), 'above the greatest value');
    }),
  );
});

test('without any value there is no percentile', () => {
  assert.deepEqual(percentilesUs([], [0.5, 0.99]), [null, null]);
});
