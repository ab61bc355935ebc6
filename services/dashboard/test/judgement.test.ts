import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareAmount, compareRate } from '../src/compare.js';
import { tierOf, vouchedErrorShare, whyUnjudged } from '../src/health.js';

const outcomes = (success: number, serviceError: number, callerError = 0, unknown = 0) => ({
  success,
  caller_error: callerError,
  service_error: serviceError,
  unknown,
});
const judged = (success: number, serviceError: number) => ({
  outcomes: outcomes(success, serviceError),
  success_rate: success / (success + serviceError),
});

test('many requests with errors above the bounds are degraded, then failing', () => {
  assert.equal(tierOf(judged(999_500, 500)), 'healthy');
  assert.equal(tierOf(judged(998_500, 1500)), 'degraded');
  assert.equal(tierOf(judged(985_000, 15_000)), 'failing');
});

test('what chance explains is no trouble: the counts must vouch for it', () => {
  assert.equal(tierOf(judged(3400, 5)), 'healthy');
  assert.equal(tierOf(judged(340_000, 500)), 'degraded');
});

test('fewer than five service errors are no trouble, five of five are', () => {
  assert.equal(tierOf(judged(0, 4)), 'healthy');
  assert.equal(tierOf(judged(0, 5)), 'failing');
});

test('the vouched share stays below the share itself and nears it as counts grow', () => {
  assert.equal(vouchedErrorShare(10, 0), 0);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (success, errors) => {
      const share = errors / (success + errors);
      const vouched = vouchedErrorShare(success, errors);
      const vouchedOfMore = vouchedErrorShare(success * 100, errors * 100);
      assert.ok(vouched > 0 && vouched < share);
      assert.ok(vouchedOfMore > vouched && vouchedOfMore < share);
    }),
  );
});

test('a rate that cannot be known is its own tier and gives its reason', () => {
  assert.equal(tierOf({ outcomes: outcomes(0, 0, 0, 9), success_rate: null }), 'unjudged');
  assert.match(whyUnjudged(outcomes(0, 0)), /No requests/);
  assert.match(whyUnjudged(outcomes(0, 0, 0, 9)), /carried a code/);
  assert.match(whyUnjudged(outcomes(0, 0, 9)), /callers' own mistakes, which/);
  assert.match(whyUnjudged(outcomes(0, 0, 9, 9)), /or carried no code/);
});

test('more errors are worse, a lower delay is better, more requests are neither', () => {
  assert.equal(compareAmount(120, 100, 'lower').verdict, 'worse');
  assert.equal(compareAmount(80, 100, 'lower').verdict, 'better');
  assert.equal(compareAmount(200, 100, 'neither').verdict, 'moved');
  assert.equal(compareAmount(104, 100, 'lower').verdict, 'same');
});

test('great changes are told in times, with a bound', () => {
  assert.equal(compareAmount(450, 100, 'lower').text, '4.5 times');
  assert.equal(compareAmount(1e6, 1, 'lower').text, '>99 times');
});

test('nothing before is said, not compared with', () => {
  assert.equal(compareAmount(5, null, 'lower').verdict, 'none');
  assert.equal(compareRate(0.99, null).verdict, 'none');
  assert.equal(compareAmount(5, 0, 'lower').text, 'from none');
});

test('success rates are compared in percentage points', () => {
  assert.deepEqual(compareRate(0.98, 0.999), { text: '−1.90 points', verdict: 'worse' });
  assert.deepEqual(compareRate(0.999, 0.98), { text: '+1.90 points', verdict: 'better' });
  assert.equal(compareRate(0.99901, 0.999).verdict, 'same');
});
