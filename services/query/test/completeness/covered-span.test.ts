import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '@imscope/schemas/retention.js';
import type { Account } from '@imscope/accounting/running/incarnation-track.js';
import { intervalsMissing, assess } from '../../src/completeness/assess.js';
import { KEYED_SEQUENCE } from '@imscope/schemas/edge-account.js';
import type { TimeWindow } from '../../src/figures/time-window.js';
import { blocksOf, balanceOf, MINUTE_MS, type SentBatch, START_MS } from './history.js';

const PARTITIONS = 3;
const COVERS: TimeWindow = { fromMs: START_MS - 144 * HOUR_MS, toMs: START_MS };
const TAKEN_MS = START_MS + 20_000;
const NOW_MS = START_MS + 3 * MINUTE_MS;
const BATCHES = 12;
const RECORDS = 100;

/** What the collector of a history sent: all of it within 20 s. */
const history: SentBatch[] = Array.from({ length: BATCHES }, (_, index) => ({
  boot: 'history',
  partition: index % PARTITIONS,
  sequence: Math.floor(index / PARTITIONS),
  records: RECORDS,
  sentMs: START_MS + 1_000 + index,
}));
const sent = Array.from({ length: PARTITIONS }, (_, partition) => ({
  partition,
  lastSequence: BATCHES / PARTITIONS - 1,
  records: (BATCHES / PARTITIONS) * RECORDS,
}));

function account(sequence: number, more: Partial<Account> = {}): Account {
  return {
    collector: 'history',
    boot: 'history',
    startedMs: START_MS,
    sequence,
    timeMs: sequence === 0 ? START_MS : TAKEN_MS,
    final: sequence > 0,
    covers: COVERS,
    sent: sequence === 0 ? [] : sent,
    ...more,
  };
}

const live: Account[] = [0, 1, 2, 3].map((sequence) => ({
  collector: 'edge-1',
  boot: 'live',
  startedMs: START_MS,
  sequence,
  timeMs: START_MS + sequence * MINUTE_MS,
  final: false,
  sent: [],
}));
const past = (fromHour: number, toHour: number): TimeWindow => ({
  fromMs: START_MS - fromHour * HOUR_MS,
  toMs: START_MS - toHour * HOUR_MS,
});
const assessed = (accounts: readonly Account[], batches: readonly SentBatch[], window: TimeWindow) =>
  assess(balanceOf({ accounts: [...live, ...accounts], blocks: blocksOf(batches) }), window, NOW_MS);
const stateOf = (...args: Parameters<typeof assessed>) => {
  const { status, ratio } = assessed(...args);
  return { status, ratio };
};

test('a history that is stored is complete in every window of the event times it covers', () => {
  for (const window of [past(144, 0), past(30, 24), past(1, 0.5)]) {
    assert.deepEqual(stateOf([account(0), account(1)], history, window), { status: 'complete', ratio: 1 });
  }
});

test('times that no account covers stay unknown: beside the history, and without one', () => {
  assert.equal(assessed([account(0), account(1)], history, past(150, 145)).status, 'unknown');
  assert.equal(assessed([], [], past(30, 24)).status, 'unknown');
  const { covers: _, ...plain } = account(1);
  assert.equal(assessed([account(0, { covers: undefined }), plain], history, past(30, 24)).status, 'unknown');
});

test('a batch of a history that is missing lowers every window it may be of, by its share', () => {
  for (const window of [past(144, 0), past(30, 24)]) {
    const { status, ratio } = assessed([account(0), account(1)], history.slice(1), window);
    assert.equal(status, 'partial');
    assert.ok(Math.abs((ratio ?? 0) - (BATCHES - 1) / BATCHES) < 1e-9, `${ratio}`);
  }
});

test('while a history is imported its windows are partial, and unknown once its collector is silent', () => {
  const running = [account(0), account(1, { final: false })];
  const balance = balanceOf({ accounts: [...live, ...running], blocks: blocksOf(history) });
  assert.equal(assess(balance, past(30, 24), TAKEN_MS + 60_000).status, 'partial');
  const silent = assess(balance, past(30, 24), TAKEN_MS + 121_000);
  assert.equal(silent.status, 'unknown');
  assert.deepEqual(
    silent.silent_collectors.map(({ collector }) => collector),
    ['history'],
  );
});

test('keyed records of a history are missing in the windows it covers, not when they arrived', () => {
  const keyed = [...sent, { partition: 0, lastSequence: KEYED_SEQUENCE, records: 50 }];
  const accounts = [account(0), account(1, { sent: keyed })];
  assert.equal(assessed(accounts, history, past(30, 24)).status, 'partial');
});

test('a batch of a history is missing in the windows it covers, not when it arrived', () => {
  const accounts = [...live, account(0), account(1)];
  const balance = balanceOf({ accounts, blocks: blocksOf(history.slice(1)) });
  const interval = { boot: 'history', fromAccount: 0, toAccount: 1 };
  assert.deepEqual(intervalsMissing(balance, past(30, 24)), [interval]);
  const since = { fromMs: START_MS, toMs: START_MS + MINUTE_MS };
  assert.deepEqual(intervalsMissing(balance, since), []);
});

test('a history holds back neither the watermark nor windows after it', () => {
  const window = { fromMs: START_MS + MINUTE_MS, toMs: START_MS + 2 * MINUTE_MS };
  assert.deepEqual(stateOf([account(0), account(1)], history, window), { status: 'complete', ratio: 1 });
  const { watermark } = assessed([account(0), account(1)], history.slice(1), window);
  assert.ok(Date.parse(watermark ?? '') >= START_MS, `${watermark}`);
});
