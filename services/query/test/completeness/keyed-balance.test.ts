import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARRIVAL_MS, assess } from '../../src/completeness/assess.js';
import type { TimeWindow } from '../../src/figures/time-window.js';
import {
  blocksOf,
  balanceOf,
  bootName,
  historyOf,
  MINUTE_MS,
  START_MS,
  appendedAt,
  withKeyed,
} from './history.js';

const MINUTES = 4;
const NOW_MS = START_MS + MINUTES * MINUTE_MS + 30_000;
const SENT = MINUTES * (10 + 20 + 30 + 40 + 50 + 60);
const each = (...records: number[]): number[][] => Array.from({ length: MINUTES }, () => records);
const steady = historyOf([each(10, 20, 30, 40), each(50, 60)]);
const window = (fromMinute: number, toMinute: number): TimeWindow => ({
  fromMs: START_MS + fromMinute * MINUTE_MS,
  toMs: START_MS + toMinute * MINUTE_MS - ARRIVAL_MS,
});

test('keyed batches are balanced by their sums: records in accounts that are not in the ledger are missing', () => {
  const accounts = withKeyed(steady.accounts, { boot: bootName(1), partition: 0, minute: 1, records: 90 });
  const blocks = blocksOf(steady.batches);
  const [last] = blocks.filter(({ partition }) => partition === 0).slice(-1);
  assert.ok(last);
  const sent = SENT + 90;
  const balance = balanceOf({ blocks, accounts });
  const assessed = () => {
    const { status, ratio } = assess(balance, window(0, 4), NOW_MS);
    return { status, ratio };
  };
  assert.deepEqual(assessed(), { status: 'partial', ratio: 1 - 90 / sent });
  assert.equal(assess(balance, window(2, 4), NOW_MS).ratio, 1);
  const keyed = { ...last, lastOffset: last.lastOffset + 1, batches: [] };
  balance.addBlock({ ...keyed, keyedStored: 60 });
  balance.addBlock({ ...keyed, keyedStored: 60 });
  assert.deepEqual(assessed(), { status: 'partial', ratio: 1 - 30 / sent });
  balance.addBlock({ ...keyed, lastOffset: keyed.lastOffset + 1, keyedStored: 30 });
  assert.deepEqual(assessed(), { status: 'complete', ratio: 1 });
});

test('a key that was sent through two collectors is stored once, and nothing is missing', () => {
  const twice = [0, 1].reduce(
    (accounts, index) => withKeyed(accounts, { boot: bootName(index), partition: 0, minute: 1, records: 90 }),
    [...steady.accounts],
  );
  const [first, ...rest] = blocksOf(steady.batches);
  assert.ok(first);
  // 90 records stored, and 90 as a duplicate.
  const keyed = {
    boot: `k${'0'.repeat(24)}`,
    first: 0,
    last: 0,
    records: 90,
    ...appendedAt(first.appendedMs),
  };
  const block = { ...first, batches: [...first.batches, keyed], keyedStored: 180 };
  const balance = balanceOf({ blocks: [block, ...rest], accounts: twice });
  const { status, ratio } = assess(balance, window(0, 4), NOW_MS);
  assert.deepEqual([status, ratio], ['complete', 1]);
});

test('keyed batches that are not in the ledger hold back the watermark of a partition without other batches', () => {
  const quiet = { boot: bootName(1), partition: 7, minute: 1, records: 90 };
  const accounts = withKeyed(steady.accounts, quiet);
  const { watermark } = assess(
    balanceOf({ blocks: blocksOf(steady.batches), accounts }),
    window(0, 4),
    NOW_MS,
  );
  assert.equal(watermark, new Date(START_MS + MINUTE_MS).toISOString());
});
