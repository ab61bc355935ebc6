import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Outcome } from '@imscope/schemas/outcome.js';
import { Sampler } from '../../src/limits/sampler.js';

type Second = { readonly successes: number; readonly errors: number };
type Sampled = {
  readonly logged: number;
  readonly weight: number;
  readonly weightMax: number;
  errors: number;
};

/** Chance that can be repeated: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What is logged of each second, errors spread among the successes. */
function sample(seconds: readonly Second[], quota: number, random: () => number, loggedShare = 1): Sampled[] {
  const sampler = new Sampler();
  const settings = { quotaPerSecond: quota, loggedShare };
  return seconds.map(({ successes, errors }, second) => {
    const sampled = { logged: 0, weight: 0, weightMax: 1, errors: 0 };
    const total = successes + errors;
    let errorsSent = 0;
    for (let n = 0; n < total; n++) {
      const isError = errorsSent < Math.floor(((n + 1) * errors) / total);
      if (isError) errorsSent += 1;
      const outcome: Outcome = isError ? 'service_error' : 'success';
      const weight = sampler.weigh(
        outcome,
        settings,
        second * 1_000 + Math.floor((n * 1_000) / total),
        random,
      );
      if (isError) assert.equal(weight, 1);
      if (weight === 0) continue;
      sampled.logged += 1;
      sampled.weight += weight;
      sampled.weightMax = Math.max(sampled.weightMax, weight);
      if (isError) sampled.errors += 1;
    }
    return sampled;
  });
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const shareOf = (loggedShare: number) => ({ quotaPerSecond: Number.POSITIVE_INFINITY, loggedShare });
const quota = (quotaPerSecond: number) => ({ quotaPerSecond, loggedShare: 1 });

const seconds = fc.array(
  fc.record({ successes: fc.integer({ min: 0, max: 3_000 }), errors: fc.integer({ min: 0, max: 200 }) }),
  { minLength: 1, maxLength: 12 },
);

test('errors and unknowns are all logged with weight 1', () => {
  fc.assert(
    fc.property(seconds, fc.integer({ min: 1, max: 500 }), fc.integer(), (load, quota, seed) => {
      const sampled = sample(load, quota, seeded(seed));
      return sampled.every(({ errors }, second) => errors === load[second]?.errors);
    }),
  );
  const sampler = new Sampler();
  for (const outcome of ['caller_error', 'service_error', 'unknown'] as const) {
    for (let n = 0; n < 1_000; n++) assert.equal(sampler.weigh(outcome, quota(1), 0, Math.random), 1);
  }
});

test('within the quota nothing is sampled', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 20 }), (counts) => {
      const load = counts.map((successes) => ({ successes, errors: 0 }));
      return sample(load, 100, Math.random).every(({ logged }, second) => logged === counts[second]);
    }),
  );
});

test('a sender that flushes every few seconds is within its quota', () => {
  const load = Array.from({ length: 50 }, (_, second) => ({
    successes: second % 5 === 0 ? 500 : 0,
    errors: 0,
  }));
  for (const { logged, weight } of sample(load, 100, Math.random)) assert.equal(logged, weight);
});

test('the expected sum of weights is the number of requests', () => {
  fc.assert(
    fc.property(seconds, fc.integer({ min: 1, max: 300 }), fc.integer(), (load, quota, seed) => {
      const random = seeded(seed);
      const runs = 60;
      let deviation = 0;
      let bound = 0;
      for (let run = 0; run < runs; run++) {
        for (const [second, { weight, weightMax }] of sample(load, quota, random).entries()) {
          const { successes, errors } = load[second] ?? { successes: 0, errors: 0 };
          deviation += weight - successes - errors;
          bound += weightMax ** 2;
        }
      }
      // One cut run a change of weight, each off by less than its weight; some 6 standard deviations.
      return Math.abs(deviation) <= 6 * Math.sqrt(4 * bound);
    }),
    { numRuns: 40 },
  );
});

test('under a steady load the sum of weights is off by less than one weight, at 10, 100 and 1,000 times the quota', () => {
  for (const times of [10, 100, 1_000]) {
    const load = Array.from({ length: 10 }, () => ({ successes: times * 20, errors: 0 }));
    const settled = sample(load, 20, Math.random).slice(6);
    for (const { logged, weight, weightMax } of settled) {
      assert(Math.abs(weight - times * 20) < 2 * weightMax, `${times}: ${weight}`);
      assert(logged <= 21, `${times}: ${logged} logged`);
      assert(logged >= 18, `${times}: ${logged} logged`);
    }
  }
});

test('a sudden load logs a few times its quota in the first second, and the quota from then on', () => {
  const load = [
    { successes: 10, errors: 0 },
    ...Array.from({ length: 5 }, () => ({ successes: 100_000, errors: 0 })),
  ];
  const [, first, ...later] = sample(load, 100, Math.random);
  // 5 seconds of quota saved up, and 1 + ln 200 of it.
  assert(first !== undefined && first.logged <= 500 * 6.4, String(first?.logged));
  for (const { logged } of later) assert(logged <= 510, String(logged));
});

test('every part of the traffic is represented, also if two alternate', () => {
  const random = seeded(1);
  const sampler = new Sampler();
  const sums = [0, 0];
  for (let n = 0; n < 200_000; n++) {
    sums[n % 2] = (sums[n % 2] ?? 0) + sampler.weigh('success', quota(100), Math.floor(n / 10), random);
  }
  // Half of 200,000 each; a sample of every tenth record would see one half only.
  for (const sum of sums) assert(Math.abs(sum - 100_000) < 10_000, String(sums));
});

test('a clock that goes back or jumps leaves errors and weights correct', () => {
  const sampler = new Sampler();
  for (const nowMs of [5_000, 4_000, 4_999, 1e15, 0]) {
    assert.equal(sampler.weigh('service_error', quota(1), nowMs, Math.random), 1);
    assert(sampler.weigh('success', quota(1), nowMs, Math.random) >= 0);
  }
});

const share = fc.double({ min: 0.001, max: 1, noNaN: true });

test('of a logged share errors are all logged, and totals are off by less than one weight', () => {
  fc.assert(
    fc.property(seconds, share, fc.integer(), (load, loggedShare, seed) => {
      const sampled = sample(load, Number.POSITIVE_INFINITY, seeded(seed), loggedShare);
      const total = sumOf(load.map(({ successes, errors }) => successes + errors));
      const weights = sumOf(sampled.map(({ weight }) => weight));
      const errorsLogged = sampled.every(({ errors }, second) => errors === load[second]?.errors);
      return errorsLogged && Math.abs(weights - total) <= Math.ceil(1 / loggedShare);
    }),
  );
});

test('as many successes are logged as the share says', () => {
  for (const loggedShare of [0.001, 0.1, 0.3, 0.75, 0.999]) {
    const load = [{ successes: 100_000, errors: 0 }];
    const [sampled] = sample(load, Number.POSITIVE_INFINITY, seeded(2), loggedShare);
    assert(Math.abs((sampled?.logged ?? 0) - 100_000 * loggedShare) <= 1, String(loggedShare));
  }
});

test('of share and quota the one that logs less decides', () => {
  const load = Array.from({ length: 10 }, () => ({ successes: 1_000, errors: 0 }));
  const loggedOf = (quotaPerSecond: number, loggedShare: number): number | undefined =>
    sample(load, quotaPerSecond, seeded(3), loggedShare).at(-1)?.logged;
  assert.equal(loggedOf(500, 0.1), 100);
  assert.equal(loggedOf(100, 0.5), 100);
});

test('with share and quota together the expected sum of weights is the number of requests', () => {
  fc.assert(
    fc.property(seconds, fc.integer({ min: 1, max: 300 }), share, fc.integer(), (load, rate, part, seed) => {
      const random = seeded(seed);
      let deviation = 0;
      let bound = 0;
      for (let run = 0; run < 60; run++) {
        for (const [second, { weight, weightMax }] of sample(load, rate, random, part).entries()) {
          const { successes, errors } = load[second] ?? { successes: 0, errors: 0 };
          deviation += weight - successes - errors;
          bound += Math.max(weightMax, 1 / part) ** 2;
        }
      }
      return Math.abs(deviation) <= 6 * Math.sqrt(4 * bound);
    }),
    { numRuns: 40 },
  );
});

test('a changed share is in force at the next success', () => {
  const sampler = new Sampler();
  for (let n = 0; n < 10; n++) sampler.weigh('success', shareOf(0.001), 0, () => 0.99);
  assert.equal(sampler.weigh('success', shareOf(1), 0, Math.random), 1);
  const logged = Array.from({ length: 1_000 }, () => sampler.weigh('success', shareOf(0.01), 0, Math.random));
  assert.equal(logged.filter((weight) => weight > 0).length, 10);
});
