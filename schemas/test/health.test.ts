import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareWorstFirst, errorShareLowerBound, isInTrouble, tierOf, TIERS } from '../src/health.js';

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

test('the lower bound stays below the share itself and nears it as counts grow', () => {
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
