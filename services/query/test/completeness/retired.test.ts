/*
 * Completeness of windows that a retired collector concerns: known and lower, never more than what is stored.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bookedLoss } from '@imscope/accounting/retirement/booked-retirement.js';
import { greatestLoss } from '@imscope/accounting/running/greatest-loss.js';
import type { RunningBalance } from '@imscope/accounting/running/running-balance.js';
import { ARRIVAL_MS, assess } from '../../src/completeness/assess.js';
import type { TimeWindow } from '../../src/figures/time-window.js';
import { balanceOf, blocksOf, bootName, historyOf, MINUTE_MS, START_MS } from './history.js';

const MINUTES = 6;
const LIVE = Array.from({ length: MINUTES }, () => [100, 100, 100, 100]);
/** Twelve batches of 50 records a minute. */
const LOST = Array.from({ length: 2 }, () => Array.from({ length: 12 }, () => 50));
const history = historyOf([LIVE, LOST]);
const GONE = bootName(1);
const GONE_MS = START_MS + 2 * MINUTE_MS;
const NOW_MS = START_MS + MINUTES * MINUTE_MS + 30_000;
const FACTS = { accountIntervalMs: MINUTE_MS, spoolBytesMax: 1 << 20, sentBytes: 1_200 * 64 };

/** The last two batches of the second minute are lost with the disk. */
function balance(): RunningBalance {
  const kept = history.batches.filter(({ boot, sequence }) => boot !== GONE || sequence < 11);
  return balanceOf({ blocks: blocksOf(kept), accounts: history.accounts });
}

function retire(one: RunningBalance): { missing: number; unaccounted: number } {
  const track = [...one.incarnations].find(({ boot }) => boot === GONE);
  assert.ok(track);
  const loss = greatestLoss(track, FACTS, undefined);
  const booked = {
    ...loss,
    boot: GONE,
    collector: 'edge-1',
    atMs: NOW_MS,
    lastAccount: track.accountSequence,
    newestAccount: track.accountSequence,
    keyedMissing: new Map<number, number>(),
    by: 'operator',
    reason: 'its disk is lost',
  };
  one.setRetirements(new Map([[GONE, booked]]));
  return bookedLoss(booked);
}

const window = (fromMinute: number, toMinute: number): TimeWindow => ({
  fromMs: START_MS + fromMinute * MINUTE_MS,
  toMs: START_MS + toMinute * MINUTE_MS - ARRIVAL_MS,
});

test('the greatest loss is what accounts report, and two intervals of accounts at the greatest rate', () => {
  assert.deepEqual(retire(balance()), { missing: 100, unaccounted: 2 * 600 });
});

test('an operator who knows when it stopped lowers the bound, and the spool bounds what nobody knows', () => {
  const track = [...balance().incarnations].find(({ boot }) => boot === GONE);
  assert.ok(track);
  const loss = greatestLoss(track, FACTS, GONE_MS + 6_000);
  assert.deepEqual([loss.missing, loss.acceptedMax, loss.spoolRecordsMax], [100, 60, (1 << 20) / 64]);
});

test('windows are unknown until it is retired, then known and lower by the loss', () => {
  const one = balance();
  const before = assess(one, window(0, 4), NOW_MS);
  assert.deepEqual([before.status, before.missing_max, before.retired], ['unknown', null, undefined]);
  assert.equal(before.silent_estimate, 2 * 600);
  retire(one);
  const after = assess(one, window(0, 4), NOW_MS);
  const sent = 4 * 400 + 2 * 600 + 2 * 600;
  assert.deepEqual(
    [after.status, after.missing_max, after.retired],
    ['partial', 1_300, { collectors: 1, lost_max: 1_300 }],
  );
  assert.equal(after.ratio, 1 - 1_300 / sent);
  assert.deepEqual(after.silent_collectors, []);
});

test('windows outside the loss are complete once it is retired', () => {
  const one = balance();
  assert.equal(assess(one, window(4.5, 6), NOW_MS).status, 'unknown');
  retire(one);
  const { status, ratio, missing_max, retired } = assess(one, window(4.5, 6), NOW_MS);
  assert.deepEqual([status, ratio, missing_max, retired], ['complete', 1, 0, undefined]);
});

test('a batch that arrives after the retirement is taken off the loss, and counts once', () => {
  const one = balance();
  retire(one);
  const late = history.batches.filter(({ boot, sequence }) => boot === GONE && sequence === 11);
  for (const block of blocksOf(late)) one.addBlock({ ...block, lastOffset: 1_000 });
  const { missing_max, retired } = assess(one, window(0, 4), NOW_MS);
  assert.deepEqual([missing_max, retired?.lost_max], [1_200, 1_200]);
});

test('an account after the retirement takes it back: its figures count, not the bound', () => {
  const one = balance();
  retire(one);
  const [last] = history.accounts.filter(({ boot }) => boot === GONE).slice(-1);
  assert.ok(last);
  one.addAccount({ ...last, sequence: last.sequence + 1, timeMs: GONE_MS + 9_000, final: true }, START_MS);
  const { missing_max, retired, status } = assess(one, window(0, 4), NOW_MS);
  assert.deepEqual([status, missing_max, retired], ['partial', 100, undefined]);
});

test('of one application no more is missing than was accepted of it between the two accounts', () => {
  const one = balance();
  const of = (accepted: number) =>
    assess(one, window(0, 2), NOW_MS, new Map([[`${GONE} 2`, accepted]])).missing_max;
  assert.deepEqual([of(7), of(5_000), of(0)], [7, 100, 0]);
});
