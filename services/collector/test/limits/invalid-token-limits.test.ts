import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { InvalidTokenLimits } from '../../src/limits/invalid-token-limits.js';

/** How many requests of the address are counted at one moment before one gets 429. */
function countUntilRefused(limits: InvalidTokenLimits, address: string, nowMs: number): number {
  for (let counted = 0; counted < 1_000; counted++) {
    try {
      limits.count(address, nowMs);
    } catch (error) {
      assert(error instanceof HttpError);
      assert.equal(error.code, 'too_many_requests');
      return counted;
    }
  }
  throw new Error('never refused');
}

test('an address gets 25 answers at once and five a second', () => {
  const limits = new InvalidTokenLimits();
  assert.equal(countUntilRefused(limits, '192.0.2.1', 0), 25);
  assert.equal(countUntilRefused(limits, '192.0.2.1', 1_000), 5);
  assert.equal(countUntilRefused(limits, '192.0.2.2', 1_000), 25);
});

test('addresses of one IPv6 /64 share a limit', () => {
  const limits = new InvalidTokenLimits();
  assert.equal(countUntilRefused(limits, '2001:db8::1', 0), 25);
  assert.equal(countUntilRefused(limits, '2001:db8::2', 0), 0);
  assert.equal(countUntilRefused(limits, '2001:db8:0:1::1', 0), 25);
});

test('beyond the bound the address used longest ago is forgotten', () => {
  const limits = new InvalidTokenLimits(2);
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) countUntilRefused(limits, address, 0);
  assert.equal(countUntilRefused(limits, '192.0.2.3', 0), 0);
  assert.equal(countUntilRefused(limits, '192.0.2.2', 0), 0);
  assert.equal(countUntilRefused(limits, '192.0.2.1', 0), 25);
});
