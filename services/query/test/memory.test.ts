import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemory } from '../src/store/memory.js';

const failing = () => Promise.reject(new Error('away'));

test('callers within the time share one look-up, later ones look up again', async () => {
  const memory = createMemory<number>(1_000, 10);
  let looks = 0;
  const look = async (): Promise<number> => ++looks;
  assert.deepEqual(await Promise.all([memory('a', 0, look), memory('a', 999, look)]), [1, 1]);
  assert.equal(await memory('b', 999, look), 2);
  assert.equal(await memory('a', 1_000, look), 3);
});

test('a clock that goes back causes a new look-up', async () => {
  const memory = createMemory<number>(1_000, 10);
  let looks = 0;
  const look = async (): Promise<number> => ++looks;
  await memory('a', 5_000, look);
  assert.equal(await memory('a', 4_999, look), 2);
});

test('a failed look-up rejects for its callers, and the next caller looks up again', async () => {
  const memory = createMemory<string>(1_000, 10);
  await Promise.all([
    assert.rejects(memory('a', 0, failing), /away/),
    assert.rejects(memory('a', 0, failing), /away/),
  ]);
  assert.equal(await memory('a', 1, async () => 'there'), 'there');
});

test('beyond the bound the oldest is forgotten', async () => {
  const memory = createMemory<string>(1_000, 2);
  for (const key of ['a', 'b', 'a', 'c']) await memory(key, 0, async () => `first ${key}`);
  assert.equal(await memory('c', 0, async () => 'second'), 'first c');
  assert.equal(await memory('b', 0, async () => 'second'), 'first b');
  assert.equal(await memory('a', 0, async () => 'second'), 'second');
});
