import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PartitionState, ProgressWatch } from '../src/consume/progress-watch.js';

const AT = { topic: 'im.request-log', partition: 0 };
const log = (end: number, stable = end, observedMs = 0): PartitionState['log'] => ({
  start: 0,
  stable,
  end,
  observedMs,
});
const IDLE: PartitionState = {
  nextOffset: 10,
  progressMs: 0,
  holdsUnstored: false,
  log: log(10),
  fetchingWaits: true,
};

test('a partition without work is not stalled, however long nothing happens', () => {
  const watch = new ProgressWatch();
  for (const nowMs of [0, 60_000, 3_600_000]) assert.equal(watch.observe(AT, IDLE, nowMs).stillMs, 0);
});

test('time counts since there is work, or since the last progress, and ends with the work', () => {
  const watch = new ProgressWatch();
  const lagging = { ...IDLE, log: log(12) };
  assert.equal(watch.observe(AT, IDLE, 100_000).stillMs, 0);
  assert.equal(watch.observe(AT, lagging, 100_000).stillMs, 0);
  const still = watch.observe(AT, lagging, 130_000);
  assert.deepEqual([still.stillMs, still.mayRestart], [30_000, true]);
  assert.match(still.text, /2 offsets after 9 are not read/);
  assert.equal(
    watch.observe(AT, { ...lagging, nextOffset: 11, progressMs: 125_000 }, 131_000).stillMs,
    6_000,
  );
  assert.equal(watch.observe(AT, { ...IDLE, nextOffset: 12, log: log(12) }, 132_000).stillMs, 0);
});

test('messages that an open transaction holds back are named, and are no reason to restart', () => {
  const watch = new ProgressWatch();
  watch.observe(AT, { ...IDLE, log: log(15, 10) }, 0);
  const still = watch.observe(AT, { ...IDLE, log: log(15, 10) }, 40_000);
  assert.deepEqual([still.stillMs, still.mayRestart], [40_000, false]);
  assert.match(still.text, /an open transaction holds back 5 offsets after 9/);
});

test('messages that were read and are not stored are work', () => {
  const watch = new ProgressWatch();
  watch.observe(AT, { ...IDLE, holdsUnstored: true }, 0);
  const still = watch.observe(AT, { ...IDLE, holdsUnstored: true }, 40_000);
  assert.deepEqual([still.stillMs, still.mayRestart], [40_000, false]);
});

test('a broker that does not answer fetches is named, unless fetching waits for this process', () => {
  const watch = new ProgressWatch();
  const silent = { ...IDLE, fetchingWaits: false };
  assert.equal(watch.observe(AT, silent, 4_000).stillMs, 0);
  watch.observe(AT, silent, 10_000);
  assert.match(watch.observe(AT, silent, 50_000).text, /does not answer/);
  assert.equal(watch.observe(AT, { ...silent, fetchingWaits: true }, 51_000).stillMs, 0);
});
