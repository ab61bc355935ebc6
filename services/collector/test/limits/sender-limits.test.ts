import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Grant } from '@imscope/access/grant.js';
import { rateLimitFields } from '../../src/limits/limits.js';
import { SenderLimits } from '../../src/limits/sender-limits.js';

function grantOf(name: string, recordsPerSecondMax: number): Grant {
  return {
    name,
    scope: 'write',
    applications: 'all',
    tokenHash: '0'.repeat(64),
    recordsPerSecondMax,
    expiresMs: Number.POSITIVE_INFINITY,
  };
}

/** Seconds to wait, or undefined where the request is let in. */
function refused(limits: SenderLimits, grant: Grant, nowMs: number): number | undefined {
  try {
    limits.enter(grant, 300, nowMs).refund();
    return undefined;
  } catch (error) {
    assert(error instanceof HttpError);
    assert.equal(error.code, 'too_many_requests');
    return error.retryAfterS;
  }
}

test('a sender over its limit is refused until its debt is gone, as Retry-After says to the second', () => {
  const limits = new SenderLimits();
  const grant = grantOf('a', 100);
  // 5 seconds of 100 may come at once; 800 more are owed.
  limits.enter(grant, undefined, 0).settle(1_300, 400_000);
  assert.equal(refused(limits, grant, 0), 9);
  assert.equal(refused(limits, grant, 8_000), 1);
  assert.equal(refused(limits, grant, 9_000), undefined);
});

test('requests in progress count by their declared size, so that many at once cannot exceed the limit', () => {
  const limits = new SenderLimits();
  const grant = grantOf('a', 100);
  let admitted = 0;
  for (let n = 0; n < 100; n++) {
    try {
      limits.enter(grant, 30_000, 0);
      admitted += 1;
    } catch {
      break;
    }
  }
  assert.equal(admitted, 5);
});

test('a refund returns the estimate', () => {
  const limits = new SenderLimits();
  const grant = grantOf('a', 10);
  for (let n = 0; n < 100; n++) limits.enter(grant, 1_000_000, 0).refund();
  assert.deepEqual(limits.headroom(grant, 0), { left: 50, most: 50, fullInS: 0 });
});

test('in the long run a sender that never waits is accepted at its rate', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 1_000 }),
      fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 50 }),
      (rate, sizes) => {
        const limits = new SenderLimits();
        const grant = grantOf('a', rate);
        let taken = 0;
        for (let step = 0; step < 6_000; step++) {
          const records = sizes[step % sizes.length] ?? 0;
          try {
            limits.enter(grant, records * 300, step * 10).settle(records, records * 300);
            taken += records;
          } catch (error) {
            assert(error instanceof HttpError);
          }
        }
        // A minute, 5 seconds at once, and the one request that goes into debt.
        return taken <= rate * 65 + 2_000;
      },
    ),
    { numRuns: 30 },
  );
});

test('senders have separate limits, and one without a limit is never refused', () => {
  const limits = new SenderLimits();
  limits.enter(grantOf('a', 1), undefined, 0).settle(10_000, 1);
  assert.equal(refused(limits, grantOf('b', 1), 0), undefined);
  const free = grantOf('c', Number.POSITIVE_INFINITY);
  limits.enter(free, undefined, 0).settle(1e9, 1);
  assert.equal(refused(limits, free, 0), undefined);
  assert.equal(limits.headroom(free, 0), undefined);
  assert.deepEqual(
    limits.tightest(0, 1).map(({ name }) => name),
    ['a'],
  );
});

test('headroom is reported as RateLimit fields', () => {
  const limits = new SenderLimits();
  const grant = grantOf('a', 100);
  limits.enter(grant, undefined, 0).settle(120, 40_000);
  const application = { sdkAppId: 7, left: 3, most: 10, fullInS: 4 };
  assert.deepEqual(rateLimitFields(limits.headroom(grant, 0), application), {
    'ratelimit-policy': '"token";q=500;w=5, "application";q=10;w=5',
    ratelimit: '"token";r=380;t=2, "application";r=3;t=4',
  });
  assert.deepEqual(rateLimitFields(undefined, undefined), {});
});
