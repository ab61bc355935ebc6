import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRefused, retryDelayMs } from '../src/api/retry.js';
import { isRefreshDue, refreshOptions } from '../src/api/server-state.js';
import { failureText } from '../src/words/failure-text.js';

test('only a question that the service refuses is not retried', () => {
  for (const status of [400, 401, 403, 404]) assert.equal(isRefused({ status }), true, `${status}`);
  for (const status of [0, 200, 429, 500, 503]) assert.equal(isRefused({ status }), false, `${status}`);
});

test('retries are 5 s to 60 s apart, doubled with each failure, with a quarter of jitter', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 50].map((failures) => retryDelayMs(failures, 0.5)),
    [5000, 10_000, 20_000, 40_000, 60_000, 60_000],
  );
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const ratio = retryDelayMs(failures, random) / retryDelayMs(failures, 0.5);
      assert.ok(ratio >= 0.75 && ratio <= 1.25);
    }),
  );
});

const answeredAt = (dataUpdatedAt: number) => ({ status: 'success', dataUpdatedAt }) as const;

test('a page that becomes visible asks only where a refresh is due', () => {
  assert.equal(isRefreshDue(answeredAt(0), 5000, 4999), false);
  assert.equal(isRefreshDue(answeredAt(0), 5000, 5000), true);
  assert.equal(isRefreshDue(answeredAt(0), null, 1e9), false);
});

test('a refused question is not refreshed until the reader asks again', () => {
  const refused = { status: 'error', dataUpdatedAt: 0 } as const;
  assert.equal(isRefreshDue(refused, 5000, 1e9), false);
  assert.equal(refreshOptions(5000).refetchInterval({ state: refused }), false);
  assert.equal(refreshOptions(5000).refetchInterval({ state: answeredAt(0) }), 5000);
});

test('a paused page has no interval, and its answers do not grow old', () => {
  const { staleTime, refetchInterval } = refreshOptions(null);
  assert.equal(staleTime, Infinity);
  assert.equal(refetchInterval({ state: answeredAt(0) }), false);
});

test('errors of the service keep its message, the client’s own have texts', () => {
  assert.equal(failureText({ code: 'invalid_window', message: 'from is after to' }), 'from is after to');
  assert.match(failureText({ code: 'timed_out', message: 'x' }), /no answer within 30 s/);
  assert.match(failureText({ code: 'network_unreachable', message: 'x' }), /cannot be reached/);
  assert.match(
    failureText({ code: 'unreadable_answer', message: 'its data is wrong' }),
    /Reload .*its data is wrong/,
  );
});
