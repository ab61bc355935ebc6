import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CHANCE_MAX,
  compareWorstFirst,
  DEFAULT_THRESHOLDS,
  DEGRADED_FROM,
  errorShareLowerBound,
  healthOf,
  healthText,
  isInTrouble,
  successRateInterval,
  thresholdsFor,
  tierOf,
  TIERS,
} from '../src/health.js';

const counts = (success: number, serviceError: number) => ({ success, service_error: serviceError });
const row = (success: number, serviceError: number, others = 0) => ({
  requests: success + serviceError + others,
  outcomes: counts(success, serviceError),
});
const amount = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.integer({ min: 0, max: 1e6 }),
  fc.integer({ min: 0, max: 2 ** 40 }),
);
const anyRow = fc.tuple(amount, amount, amount).map((three) => row(...three));

test('many requests with errors above the bounds are degraded, then failing', () => {
  assert.equal(tierOf(counts(999_500, 500)), 'healthy');
  assert.equal(tierOf(counts(998_500, 1500)), 'degraded');
  assert.equal(tierOf(counts(985_000, 15_000)), 'failing');
});

test('errors that chance explains are no trouble', () => {
  assert.equal(tierOf(counts(3400, 5)), 'healthy');
  assert.equal(tierOf(counts(340_000, 500)), 'degraded');
});

test('fewer than five service errors are no trouble, five of five are', () => {
  assert.equal(tierOf(counts(0, 1)), 'healthy');
  assert.equal(tierOf(counts(0, 4)), 'healthy');
  assert.equal(tierOf(counts(0, 5)), 'failing');
});

test('without a success or a service error the tier is unjudged', () => {
  assert.equal(tierOf(counts(0, 0)), 'unjudged');
});

test('the interval holds the rate itself and narrows as counts grow', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (success, errors) => {
      const rate = success / (success + errors);
      const interval = successRateInterval(counts(success, errors));
      const ofMore = successRateInterval(counts(success * 100, errors * 100));
      assert.ok(interval !== null && ofMore !== null);
      assert.ok(interval.low >= 0 && interval.low <= rate && rate <= interval.high && interval.high <= 1);
      assert.ok(ofMore.high - ofMore.low < interval.high - interval.low);
    }),
  );
  assert.equal(successRateInterval(counts(0, 0)), null);
  // Wilson, 95 %: 90 of 100.
  const known = successRateInterval(counts(90, 10));
  assert.deepEqual([known?.low.toFixed(4), known?.high.toFixed(4)], ['0.8256', '0.9448']);
});

test('the lower bound of errors stays below their share and nears it as counts grow', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (success, errors) => {
      const share = errors / (success + errors);
      const bound = errorShareLowerBound(success, errors);
      const boundOfMore = errorShareLowerBound(success * 100, errors * 100);
      assert.ok(bound > 0 && bound < share);
      assert.ok(boundOfMore > bound && boundOfMore < share);
    }),
  );
});

test('an application without errors has a success rate of up to 1, and of less than its few requests show', () => {
  assert.deepEqual(successRateInterval(counts(10, 0))?.high, 1);
  assert.ok((successRateInterval(counts(10, 0))?.low ?? 1) < 0.75);
  assert.ok((successRateInterval(counts(10_000, 0))?.low ?? 0) > 0.9995);
});

test('a target of its own moves both thresholds', () => {
  assert.deepEqual(thresholdsFor(0.999), DEFAULT_THRESHOLDS);
  assert.deepEqual(thresholdsFor(0.99), { degradedFrom: 0.01, failingFrom: 0.1 });
  assert.deepEqual(thresholdsFor(0.9), { degradedFrom: 0.1, failingFrom: 0.5 });
  assert.deepEqual(thresholdsFor(0.3), { degradedFrom: 0.7, failingFrom: 0.7 });
  const lossy = counts(97_000, 3_000);
  assert.equal(tierOf(lossy), 'failing');
  assert.equal(tierOf(lossy, thresholdsFor(0.99)), 'degraded');
  assert.equal(tierOf(lossy, thresholdsFor(0.95)), 'healthy');
  assert.ok(
    compareWorstFirst({ ...row(97_000, 3_000), thresholds: thresholdsFor(0.95) }, row(998_500, 1500)) > 0,
  );
});

test('every reason is given with its tier and in words', () => {
  const explained = [
    counts(90, 10),
    counts(998_500, 1500),
    counts(3400, 5),
    counts(3, 1),
    counts(1_000_000, 1),
    counts(0, 0),
  ].map((one) => {
    const health = healthOf(one);
    return [health.tier, health.reason, healthText(health, one)];
  });
  assert.deepEqual(explained, [
    [
      'failing',
      'far_below_target',
      '90 % success of 100 requests, far below the target of 99.9 %: 10 service errors',
    ],
    [
      'degraded',
      'below_target',
      '99.85 % success of 1,000,000 requests, below the target of 99.9 %: 1,500 service errors',
    ],
    [
      'healthy',
      'within_chance',
      '99.853 % success of 3,405 requests, below the target of 99.9 %, but no more than chance explains: 5 service errors',
    ],
    ['healthy', 'too_few_errors', '1 service error of 4 requests: fewer than 5 are no evidence'],
    ['healthy', 'within_target', '99.999 % success of 1,000,001 requests, within the target of 99.9 %'],
    ['unjudged', 'no_outcome', 'no request was a success or a service error'],
  ]);
});

/** Probability that `errorsMin` or more of `requests` fail where each fails with this probability. */
function chanceOf(requests: number, errorsMin: number, share: number): number {
  let logTerm = requests * Math.log1p(-share);
  let below = errorsMin > 0 ? Math.exp(logTerm) : 0;
  let tail = 0;
  for (let errors = 1; errors <= requests; errors++) {
    logTerm += Math.log((requests - errors + 1) / errors) + Math.log(share) - Math.log1p(-share);
    if (errors < errorsMin) below += Math.exp(logTerm);
    else {
      tail += Math.exp(logTerm);
      // The terms fall quickly from here on.
      if (errors > errorsMin + 200) break;
    }
  }
  assert.ok(below + tail < 1 + 1e-6);
  return tail;
}

test('chance alone makes no number of requests at their target degraded more than once in a million', () => {
  for (const requests of [5, 6, 12, 60, 200, 1_440, 5_000, 10_080, 50_000]) {
    let errors = 0;
    while (!isInTrouble(tierOf(counts(requests - errors, errors)))) errors += 1;
    const chance = chanceOf(requests, errors, DEGRADED_FROM);
    assert.ok(chance <= CHANCE_MAX, `${errors} of ${requests}: ${chance}`);
  }
});

/** Numbers in [0, 1) that are the same at every run (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const WEEK_MINUTES = 7 * 24 * 60;
/** Five minutes, an hour and a day, in requests of an application that sends one a minute. */
const WINDOWS_MINUTES = [5, 60, 1_440];

/** How often an application that sends one request a minute is called degraded, in windows that end at each minute. */
function alarmsOf(random: () => number, failsAt: (minute: number) => number): number {
  const failed = new Uint8Array(WEEK_MINUTES);
  for (let minute = 0; minute < WEEK_MINUTES; minute++) {
    failed[minute] = random() < failsAt(minute) ? 1 : 0;
  }
  let alarms = 0;
  for (const length of WINDOWS_MINUTES) {
    let errors = 0;
    for (let minute = 0; minute < WEEK_MINUTES; minute++) {
      errors += failed[minute] ?? 0;
      if (minute >= length) errors -= failed[minute - length] ?? 0;
      const requests = Math.min(minute + 1, length);
      if (isInTrouble(tierOf(counts(requests - errors, errors)))) alarms += 1;
    }
  }
  return alarms;
}

test('of 1,000 applications at their target that send one request a minute, none is called degraded in 7 days', () => {
  const random = seededRandom(7);
  let alarms = 0;
  for (let application = 0; application < 1_000; application++) {
    alarms += alarmsOf(random, () => DEGRADED_FROM);
  }
  assert.equal(alarms, 0);
});

test('the same applications are called degraded once they really fail', () => {
  const random = seededRandom(8);
  for (let application = 0; application < 20; application++) {
    const failsAt = (minute: number): number => (minute < WEEK_MINUTES / 2 ? DEGRADED_FROM : 0.05);
    assert.ok(alarmsOf(random, failsAt) > 0);
  }
});

test('5 % of the requests of a big application are seen within a minute', () => {
  assert.equal(tierOf(counts(5_700, 300)), 'failing', '100 a second, a minute');
  assert.equal(tierOf(counts(950, 50)), 'failing', 'ten seconds');
  assert.equal(tierOf(counts(594_000, 6_000)), 'degraded', '1 % for a minute at 10,000 a second');
});

test('an outage of a small application is seen after five requests', () => {
  assert.equal(tierOf(counts(0, 5)), 'failing', 'the last five minutes');
  assert.equal(tierOf(counts(55, 5)), 'degraded', 'the last hour, of which five minutes failed');
  assert.equal(tierOf(counts(45, 15)), 'failing', 'the last hour, of which a quarter failed');
});

test('one failure of one request never comes before 2,000 of 20,000', () => {
  assert.ok(compareWorstFirst(row(18_000, 2000), row(0, 1)) < 0);
  assert.ok(compareWorstFirst(row(18_000, 2000), row(0, 4)) < 0);
});

test('within a tier the row that lost more requests comes first, then the larger one', () => {
  assert.ok(compareWorstFirst(row(90_000, 3000), row(0, 50)) < 0, 'both failing');
  assert.ok(compareWorstFirst(row(0, 50), row(998_500, 1500)) < 0, 'failing before degraded');
  assert.ok(compareWorstFirst(row(1000, 50, 10), row(1000, 50)) < 0, 'more requests');
  assert.ok(compareWorstFirst(row(1, 0), row(0, 0, 1_000_000)) < 0, 'healthy before unjudged');
});

test('the order is total: tier, then service errors, then requests', () => {
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 30 }), (rows) => {
      const sorted = rows.toSorted(compareWorstFirst);
      for (const [index, b] of sorted.entries()) {
        const a = sorted[index - 1];
        if (a === undefined) continue;
        const tiers = [a, b].map(({ outcomes }) => TIERS.indexOf(tierOf(outcomes)));
        const [tierA = 0, tierB = 0] = tiers;
        const errors = a.outcomes.service_error - b.outcomes.service_error;
        assert.ok(
          tierA < tierB || (tierA === tierB && (errors > 0 || (errors === 0 && a.requests >= b.requests))),
        );
      }
    }),
  );
});

test('more service errors of as many requests never make a row come later', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (rated, part) => {
        const fewer = Math.floor(rated * part);
        const more = fewer + Math.floor((rated - fewer) / 2);
        assert.ok(compareWorstFirst(row(rated - more, more), row(rated - fewer, fewer)) <= 0);
      },
    ),
  );
});

test('nothing in trouble has fewer than five service errors', () => {
  fc.assert(
    fc.property(amount, fc.integer({ min: 0, max: 4 }), (success, errors) => {
      assert.ok(!isInTrouble(tierOf(counts(success, errors))));
    }),
  );
});
