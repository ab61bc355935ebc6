import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareAmount, compareRate } from '../src/words/change-text.js';
import { whyNoRate } from '../src/words/why-no-rate.js';

const outcomes = (success: number, serviceError: number, callerError = 0, unknown = 0) => ({
  success,
  caller_error: callerError,
  service_error: serviceError,
  unknown,
});
test('an unknown rate gives its reason', () => {
  assert.match(whyNoRate(outcomes(0, 0)), /No requests/);
  assert.match(whyNoRate(outcomes(0, 0, 0, 9)), /carried a code/);
  assert.match(whyNoRate(outcomes(0, 0, 9)), /callers' own mistakes, which/);
  assert.match(whyNoRate(outcomes(0, 0, 9, 9)), /or carried no code/);
});

test('more errors are worse, a lower delay is better, more requests are neither', () => {
  assert.equal(compareAmount(120, 100, 'lower').verdict, 'worse');
  assert.equal(compareAmount(80, 100, 'lower').verdict, 'better');
  assert.equal(compareAmount(200, 100, 'neither').verdict, 'moved');
  assert.equal(compareAmount(104, 100, 'lower').verdict, 'same');
});

test('large changes are multiples, with a bound', () => {
  assert.equal(compareAmount(450, 100, 'lower').text, '4.5 times');
  assert.equal(compareAmount(1e6, 1, 'lower').text, '>99 times');
});

test('without a figure before there is no comparison', () => {
  assert.equal(compareAmount(5, null, 'lower').verdict, 'none');
  assert.equal(compareRate(0.99, null).verdict, 'none');
  assert.equal(compareAmount(5, 0, 'lower').text, 'from none');
});

test('success rates are compared in percentage points', () => {
  assert.deepEqual(compareRate(0.98, 0.999), { text: '−1.90 points', verdict: 'worse' });
  assert.deepEqual(compareRate(0.999, 0.98), { text: '+1.90 points', verdict: 'better' });
  assert.equal(compareRate(0.99901, 0.999).verdict, 'same');
});
