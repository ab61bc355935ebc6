import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BatchIntervals } from '../src/batch-intervals.js';

test('whatever the order of arrival, exactly what was added is known, and the holes are named', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60), { minLength: 1 }), (sequences) => {
      const seen = new BatchIntervals();
      for (const sequence of sequences) seen.add('boot0001', sequence, sequence, 0);
      const expected = new Set(sequences);
      for (let sequence = 0; sequence <= 61; sequence++)
        assert.equal(seen.has('boot0001', sequence), expected.has(sequence));
      const holes = (seen.gaps().get('boot0001') ?? []).flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, i) => first + i),
      );
      const missing = Array.from({ length: Math.max(...sequences) }, (_, i) => i).filter(
        (sequence) => !expected.has(sequence),
      );
      assert.deepEqual(holes, missing);
    }),
  );
});

test('a boot unheard for longer than the topic keeps anything is forgotten, others stay', () => {
  const seen = new BatchIntervals();
  seen.add('old00001', 0, 5, 0);
  seen.add('new00001', 0, 5, 70 * 3_600_000);
  seen.forgetBefore(74 * 3_600_000);
  assert.equal(seen.has('old00001', 3), false);
  assert.equal(seen.has('new00001', 3), true);
  assert.equal(seen.boots, 1);
});
