import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SampledLog } from '../../src/clients/sampled-log.js';

test('the first event of a kind is written at once, those of the next ten seconds with the next one', () => {
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

test('a flush writes counts without a line, with the detail of the last event', () => {
  const written: [string, number, string | undefined][] = [];
  const log = new SampledLog<string>((kind, times, detail) => written.push([kind, times, detail]));
  log.note('a', 0, 3, 'first');
  log.note('a', 5_000, 4, 'second');
  log.note('a', 9_000, 5, 'third');
  log.note('b', 9_000);
  log.flush(9_999);
  assert.deepEqual(written, [
    ['a', 3, 'first'],
    ['b', 1, undefined],
  ]);
  log.flush(10_000);
  assert.deepEqual(written.at(-1), ['a', 9, 'third']);
  log.note('a', 19_999);
  log.flush(20_000);
  assert.deepEqual(written.at(-1), ['a', 1, undefined]);
  log.note('a', 20_001, 2);
  log.flush(Number.POSITIVE_INFINITY);
  log.flush(Number.POSITIVE_INFINITY);
  assert.deepEqual(written.slice(4), [['a', 2, undefined]]);
});

test('after a flush a kind is counted for ten seconds again', () => {
  const told: number[] = [];
  const log = new SampledLog((_, times) => told.push(times));
  log.note('a', 0);
  log.note('a', 1, 2);
  log.flush(10_000);
  log.note('a', 10_001, 3);
  log.note('a', 19_999, 4);
  assert.deepEqual(told, [1, 2]);
  log.note('a', 20_000, 5);
  assert.deepEqual(told, [1, 2, 12]);
});

test('lines stay bounded for any number of kinds, and old kinds are replaced by new ones', () => {
  const told: string[] = [];
  const log = new SampledLog((kind) => told.push(kind));
  for (let kind = 0; kind < 100_000; kind++) log.note(`kind ${kind}`, 0);
  assert.equal(told.length, 501);
  assert.equal(told.at(-1), 'others');
  log.note('new', 10_000);
  assert.equal(told.at(-1), 'new');
});
