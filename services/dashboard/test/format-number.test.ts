import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatCount,
  formatDuration,
  formatQuantity,
  formatRate,
  formatShare,
  formatSuccessRate,
} from '../src/words/format-number.js';

/** Narrow no-break spaces read as plain ones here. */
const plain = (text: string): string => text.replaceAll('\u202f', ' ');

test('counts keep every digit below ten thousand and three significant ones above', () => {
  const expected: readonly (readonly [number, string])[] = [
    [0, '0'],
    [999, '999'],
    [9999, '9,999'],
    [10_000, '10 k'],
    [12_345, '12.3 k'],
    [999_499, '999 k'],
    [999_500, '1 M'],
    [1_240_000, '1.24 M'],
    [2_000_000_000, '2 B'],
  ];
  for (const [value, text] of expected) assert.equal(plain(formatCount(value)), text);
});

test('a success rate reads 100 % only when it is exactly one', () => {
  assert.equal(plain(formatSuccessRate(1)), '100 %');
  assert.equal(plain(formatSuccessRate(0.9999999)), '99.999 %');
  assert.equal(plain(formatSuccessRate(0.99999)), '99.999 %');
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.9999999, noNaN: true }), (rate) => {
      assert.notEqual(plain(formatSuccessRate(rate)), '100 %');
    }),
  );
});

test('a success rate is cut off, never rounded up, whatever binary noise it carries', () => {
  assert.equal(plain(formatSuccessRate(0.98765)), '98.76 %');
  assert.equal(plain(formatSuccessRate(0.99)), '99.00 %');
  assert.equal(plain(formatSuccessRate(0.9995)), '99.950 %');
  assert.equal(plain(formatSuccessRate(0.29)), '29.00 %');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9999 }), (hundredths) => {
      const shown = Number.parseFloat(formatSuccessRate(hundredths / 10_000));
      assert.ok(Math.abs(shown - hundredths / 100) < 1e-9);
    }),
  );
});

test('an unknown success rate reads as a dash', () => {
  assert.equal(formatSuccessRate(null), '—');
});

test('a share or a rate above zero never reads as zero, and below one never as 100 %', () => {
  assert.equal(formatRate(0), '0');
  assert.equal(formatRate(0.0004), '<0.01');
  assert.equal(plain(formatShare(0)), '0 %');
  assert.equal(plain(formatShare(0.00001)), '<0.1 %');
  assert.equal(plain(formatShare(0.999)), '>99 %');
  assert.equal(plain(formatShare(1)), '100 %');
});

test('rates keep about three significant digits', () => {
  assert.deepEqual([0.5, 1.234, 12.34, 123.4, 12_345].map(formatRate).map(plain), [
    '0.5',
    '1.23',
    '12.3',
    '123',
    '12.3 k',
  ]);
});

test('durations go from milliseconds to minutes with the digits that matter', () => {
  const expected: readonly (readonly [number | null, string])[] = [
    [null, '—'],
    [0, '0 ms'],
    [0.42, '0.42 ms'],
    [4.24, '4.2 ms'],
    [9.96, '10 ms'],
    [420.4, '420 ms'],
    [999.6, '1.00 s'],
    [1240, '1.24 s'],
    [12_340, '12.3 s'],
    [59_960, '1 min 0 s'],
    [125_000, '2 min 5 s'],
  ];
  for (const [ms, text] of expected) assert.equal(plain(formatDuration(ms)), text);
});

test('a quantity of one is singular', () => {
  assert.equal(formatQuantity(1, 'node'), '1 node');
  assert.equal(formatQuantity(0, 'node'), '0 nodes');
});
