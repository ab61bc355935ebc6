import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { differsInAverage, differsInRequests, differsInSuccessRate, latencyVariance } from '../src/change.js';
import { bucketMiddleUs, latencyBucket } from '../src/latency-histogram.js';

const rated = (success: number, serviceErrors: number) => ({ success, service_error: serviceErrors });

const averageOf = (requests: number, average: number) => ({ requests, average, variance: 100 });

/** Numbers in [0, 1) that are the same at every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('one error more of a thousand is chance, fifty more are not', () => {
  assert.equal(differsInSuccessRate(rated(998, 2), rated(999, 1)), false);
  assert.equal(differsInSuccessRate(rated(949, 51), rated(999, 1)), true);
});

test('a success rate that recovers differs as well', () => {
  assert.equal(differsInSuccessRate(rated(10_000, 0), rated(9_000, 1_000)), true);
});

test('a set without successes and service errors is not compared', () => {
  assert.equal(differsInSuccessRate(rated(0, 0), rated(0, 1_000)), false);
  assert.equal(differsInSuccessRate(rated(0, 1_000), rated(0, 0)), false);
});

test('a difference beyond chance stays one as counts grow', () => {
  const count = fc.integer({ min: 0, max: 100_000 });
  fc.assert(
    fc.property(count, count, count, count, (a, b, c, d) => {
      if (!differsInSuccessRate(rated(a, b), rated(c, d))) return;
      assert.ok(differsInSuccessRate(rated(10 * a, 10 * b), rated(10 * c, 10 * d)));
    }),
  );
});

test('both directions agree', () => {
  const count = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(count, count, count, count, (a, b, c, d) => {
      assert.equal(
        differsInSuccessRate(rated(a, b), rated(c, d)),
        differsInSuccessRate(rated(c, d), rated(a, b)),
      );
      const [one, other] = [
        { requests: a, seconds: 1 + b },
        { requests: c, seconds: 1 + d },
      ];
      assert.equal(differsInRequests(one, other), differsInRequests(other, one));
    }),
  );
});

test('of 10,000 pairs of spans with the same rates fewer than 1 % differ', () => {
  const random = seeded(7);
  let inRate = 0;
  let inRequests = 0;
  for (let pair = 0; pair < 10_000; pair += 1) {
    const draw = () => {
      let errors = 0;
      let requests = 0;
      for (let request = 0; request < 60; request += 1) {
        if (random() < 0.5) continue;
        requests += 1;
        if (random() < 0.02) errors += 1;
      }
      return { requests, errors };
    };
    const [now, before] = [draw(), draw()];
    if (
      differsInSuccessRate(
        rated(now.requests - now.errors, now.errors),
        rated(before.requests - before.errors, before.errors),
      )
    )
      inRate += 1;
    if (
      differsInRequests({ requests: now.requests, seconds: 60 }, { requests: before.requests, seconds: 60 })
    )
      inRequests += 1;
  }
  assert.ok(inRate < 100, `${inRate} success rates differ`);
  assert.ok(inRequests < 100, `${inRequests} numbers of requests differ`);
});

test('requests are compared by the second: half the span with half the requests is the same', () => {
  assert.equal(differsInRequests({ requests: 500, seconds: 30 }, { requests: 1_000, seconds: 60 }), false);
  assert.equal(differsInRequests({ requests: 500, seconds: 60 }, { requests: 1_000, seconds: 60 }), true);
  assert.equal(differsInRequests({ requests: 0, seconds: 60 }, { requests: 0, seconds: 60 }), false);
  assert.equal(differsInRequests({ requests: 5, seconds: 60 }, { requests: 5, seconds: 0 }), false);
});

test('averages differ by their errors, and of few requests not at all', () => {
  assert.equal(differsInAverage(averageOf(100, 50), averageOf(100, 52)), false);
  assert.equal(differsInAverage(averageOf(10_000, 50), averageOf(10_000, 52)), true);
  assert.equal(differsInAverage(averageOf(29, 50), averageOf(10_000, 5_000)), false);
});

test('the variance of a histogram is that of its latencies, within the width of a bucket', () => {
  const latencies = [900, 1_000, 5_000, 20_000, 20_000, 100_000];
  const average = latencies.reduce((sum, latency) => sum + latency, 0) / latencies.length;
  const exact = latencies.reduce((sum, latency) => sum + (latency - average) ** 2, 0) / latencies.length;
  const buckets = latencies.map((latency) => [latencyBucket(latency), 1] as const);
  const found = latencyVariance(buckets, average);
  assert.ok(Math.abs(found - exact) / exact < 0.05, `${found} against ${exact}`);
  assert.equal(latencyVariance([], 0), 0);
  assert.equal(latencyVariance([[300, 5]], bucketMiddleUs(300)), 0);
});
