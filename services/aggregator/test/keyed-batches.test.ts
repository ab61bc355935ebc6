import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { KeyedBatches } from '../src/blocks/keyed-batches.js';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2024, 4, 6, 7, 10);

test('a batch is known for an hour of the log at least and seventy minutes at most, then it is new', () => {
  fc.assert(
    fc.property(fc.nat({ max: 10 * MINUTE_MS - 1 }), fc.nat({ max: 90 * MINUTE_MS }), (beginMs, laterMs) => {
      const seen = new KeyedBatches();
      const addedMs = START_MS + beginMs;
      seen.add('k1', 0, addedMs);
      const known = seen.has('k1', 0, addedMs + laterMs);
      if (laterMs <= 60 * MINUTE_MS) assert.equal(known, true);
      if (laterMs >= 70 * MINUTE_MS) assert.equal(known, false);
      seen.forgetBefore(addedMs + laterMs);
      assert.equal(seen.has('k1', 0, addedMs + laterMs), known, 'forgetting changes no answer');
      assert.equal(seen.size, known ? 1 : 0);
    }),
  );
});

test('exactly the ids that were added are known, however many there are', () => {
  const seen = new KeyedBatches();
  const count = 100_000;
  for (let index = 0; index < count; index++) seen.add(`k${index}`, index % 3, START_MS);
  for (let index = 0; index < count; index++) seen.add(`k${index}`, index % 3, START_MS);
  assert.equal(seen.size, count);
  for (let index = 0; index < count; index++) {
    assert.equal(seen.has(`k${index}`, index % 3, START_MS), true);
    assert.equal(seen.has(`k${index}`, (index + 1) % 3, START_MS), false);
    assert.equal(seen.has(`n${index}`, index % 3, START_MS), false);
  }
});

test('a million of them take less than 50 bytes each', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const before = process.memoryUsage().arrayBuffers;
  const seen = new KeyedBatches();
  for (let index = 0; index < 1_000_000; index++) seen.add(`k${index}`, 0, START_MS);
  collect();
  const bytes = process.memoryUsage().arrayBuffers - before;
  assert.ok(bytes < 50_000_000, `${bytes} bytes`);
  assert.equal(seen.size, 1_000_000);
});
