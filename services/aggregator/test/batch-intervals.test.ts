import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyedBoot } from '@imscope/schemas/batch-headers.js';
import { BatchIntervals } from '../src/blocks/batch-intervals.js';

test('whatever the order of arrival, exactly the batches that were added are known', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60), { minLength: 1 }), (sequences) => {
      const seen = new BatchIntervals();
      for (const sequence of sequences) seen.add('boot0001', sequence, sequence, 0);
      const expected = new Set(sequences);
      for (let sequence = 0; sequence <= 61; sequence++)
        assert.equal(seen.has('boot0001', sequence, 0), expected.has(sequence));
    }),
  );
});

test('an incarnation without a batch for longer than the topic’s retention is forgotten, others stay', () => {
  const seen = new BatchIntervals();
  seen.add('old00001', 0, 5, 0);
  seen.add('new00001', 0, 5, 70 * 3_600_000);
  seen.forgetBefore(74 * 3_600_000);
  assert.equal(seen.has('old00001', 3, 0), false);
  assert.equal(seen.has('new00001', 3, 0), true);
  assert.equal(seen.incarnations, 1);
});

test('a keyed id counts as seen for an hour of the log or a little more, then as new', () => {
  const seen = new BatchIntervals();
  const key = keyedBoot(Buffer.alloc(32, 7));
  const hour = 3_600_000;
  seen.add(key, 0, 1, 1_000);
  seen.add('boot0001', 0, 0, 1_000);
  assert.deepEqual([seen.has(key, 0, 1_000 + hour), seen.has(key, 1, 1_000 + hour)], [true, true]);
  assert.equal(seen.has(key, 2, 1_000), false);
  assert.equal(seen.has(key, 0, 1_000 + 1.2 * hour), false);
  assert.equal(seen.has('boot0001', 0, 1_000 + 1.2 * hour), true);
  seen.add(key, 1, 1, 2_000 + 1.2 * hour);
  const known = [0, 1].map((sequence) => seen.has(key, sequence, 2_000 + 1.2 * hour));
  assert.deepEqual(known, [false, true]);
  seen.forgetBefore(3_000 + 2.4 * hour);
  assert.equal(seen.incarnations, 1);
});
