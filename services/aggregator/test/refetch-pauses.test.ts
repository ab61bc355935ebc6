import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefetchPauses } from '../src/consume/refetch-pauses.js';

const AT = { topic: 'im.request-log', partition: 0 };
const pausesOf = (random: number, times: number): number[] => {
  const pauses = new RefetchPauses({ random: () => random });
  return Array.from({ length: times }, () => pauses.next(AT).afterMs);
};

test('the first fetch again is at once, the next ones after pauses that double up to a second', () => {
  assert.deepEqual(pausesOf(1, 8), [0, 50, 100, 200, 400, 800, 1_000, 1_000]);
  assert.deepEqual(pausesOf(0, 8), [0, 25, 50, 100, 200, 400, 500, 500]);
});

test('progress of a partition ends its pauses, and those of no other', () => {
  const pauses = new RefetchPauses({ random: () => 1 });
  const other = { ...AT, partition: 1 };
  for (const at of [AT, AT, other, other]) pauses.next(at);
  pauses.forget(AT);
  assert.deepEqual([pauses.lastMs(AT), pauses.lastMs(other)], [0, 50]);
  assert.deepEqual([pauses.next(AT).afterMs, pauses.next(other).afterMs], [0, 100]);
});
