import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AliasTable, NORMAL_QUANTILES, Random } from '../random.js';

test('an alias table chooses by weight and never an item of weight 0', () => {
  const table = new AliasTable([5, 0, 3, 2]);
  const random = new Random(1);
  const counts = [0, 0, 0, 0];
  for (let draw = 0; draw < 100_000; draw++) {
    const index = table.pick(random.unit());
    counts[index] = (counts[index] ?? 0) + 1;
  }
  assert.equal(counts[1], 0);
  [0.5, 0, 0.3, 0.2].forEach((share, index) => {
    assert.ok(Math.abs((counts[index] ?? 0) / 100_000 - share) < 0.01, `${index}: ${counts[index]}`);
  });
});

test('weights with the sum 0 are refused', () => {
  assert.throws(() => new AliasTable([0, 0]), /must add up to more than 0/);
});

test('sources of different seeds give different numbers', () => {
  const [one, two] = [new Random(1, 'a'), new Random(1, 'b')];
  const same = Array.from({ length: 1000 }, () => one.uint32() === two.uint32()).filter(Boolean).length;
  assert.ok(same < 3);
});

test('the normal quantiles are symmetric, rise, and have a standard deviation of 1', () => {
  const last = NORMAL_QUANTILES.length - 1;
  let squares = 0;
  NORMAL_QUANTILES.forEach((value, index) => {
    squares += value * value;
    assert.ok(Math.abs(value + (NORMAL_QUANTILES[last - index] ?? 0)) < 1e-6);
    if (index > 0) assert.ok(value > (NORMAL_QUANTILES[index - 1] ?? Infinity));
  });
  assert.ok(Math.abs(Math.sqrt(squares / (last + 1)) - 1) < 0.001);
});
