import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SampledLog } from '../../src/clients/sampled-log.js';

test('the first of a kind is told at once, those of the next ten seconds with the one that follows', () => {
  const told: [string, number][] = [];
  const log = new SampledLog((kind, times) => told.push([kind, times]));
  for (const [kind, nowMs] of [
    ['a', 0],
    ['a', 1],
    ['b', 2],
    ['a', 9_999],
    ['a', 10_000],
    ['a', 10_001],
    ['b', 30_000],
  ] as const)
    log.note(kind, nowMs);
  assert.deepEqual(told, [
    ['a', 1],
    ['b', 1],
    ['a', 3],
    ['b', 1],
  ]);
});

test('however many kinds there are, lines stay bounded, and old kinds make room for new ones', () => {
  const told: string[] = [];
  const log = new SampledLog((kind) => told.push(kind));
  for (let kind = 0; kind < 100_000; kind++) log.note(`kind ${kind}`, 0);
  assert.equal(told.length, 501);
  assert.equal(told.at(-1), 'others');
  log.note('new', 10_000);
  assert.equal(told.at(-1), 'new');
});
