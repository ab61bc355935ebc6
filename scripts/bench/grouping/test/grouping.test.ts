import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { normaliseCause } from '@imscope/query/grouping/normalise-shape.js';
import { readLabelledSet } from '../labelled-set.js';
import { scoreGroups } from '../score.js';

test('a group counts only where it holds all messages of a label and no other', () => {
  const labels = ['a', 'a', 'b', 'b', 'c'];
  const exact = scoreGroups(['1', '1', '2', '2', '3'], labels);
  assert.deepEqual([exact.groupingAccuracy, exact.groupF1], [1, 1]);
  const split = scoreGroups(['1', '1', '2', '3', '4'], labels);
  assert.deepEqual([split.groupingAccuracy, split.groupF1], [3 / 5, 4 / 7]);
  const joined = scoreGroups(['1', '1', '2', '2', '2'], labels);
  assert.deepEqual([joined.groupingAccuracy, joined.groupF1], [2 / 5, 2 / 5]);
});

test('causes of our own kind are grouped as an engineer labelled them: F1 of 0.98 or more', async () => {
  const own = await readLabelledSet(fileURLToPath(new URL('../own-messages.csv', import.meta.url)));
  assert.ok(own !== undefined && own.messages.length >= 200);
  const { groupF1 } = scoreGroups(
    own.messages.map(({ content }) => normaliseCause(content)),
    own.messages.map(({ label }) => label),
  );
  assert.ok(groupF1 >= 0.98, `F1 is ${groupF1}`);
});
