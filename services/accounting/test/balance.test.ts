/*
 * The balance of incarnations by itself, without a store: consistent evidence has no fault; one thing changed is
 * reported as exactly that; and what is on its way is waited for until it is settled.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { balanceOf } from '../src/balance/incarnation-faults.js';
import { settledUntil } from '../src/balance/settled-until.js';
import { retiredLosses } from '../src/balance/retired-losses.js';
import type { BookedRetirement } from '../src/retirement/booked-retirement.js';
import type { BatchSegment, Evidence, Mark, RecentAccount } from '../src/evidence/evidence.js';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const SETTLE_MS = 600_000;
const SETTLING = { nowMs: NOW_MS, settleMs: SETTLE_MS };
const INCARNATION = 'boota00000000001';

/** One incarnation's batches in one partition, by their records, and how many of them are before the scope. */
type Sent = { readonly records: readonly number[]; readonly before: number; readonly ended: boolean };

const sent = fc
  .record({
    records: fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 40 }),
    before: fc.nat({ max: 39 }),
    ended: fc.boolean(),
  })
  .map((one): Sent => ({ ...one, before: Math.min(one.before, one.records.length - 1) }));

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Evidence of an incarnation whose batches are all stored; `stored` removes or adds some. */
function evidenceOf(
  { records, before, ended }: Sent,
  {
    stored = records.map((_, sequence) => sequence),
    silentMs = 30_000,
    mark = {},
  }: { stored?: readonly number[]; silentMs?: number; mark?: Partial<Mark> } = {},
): Evidence {
  const place = { boot: INCARNATION, topic: 'im.request-log', partition: 1 };
  const segments: BatchSegment[] = [];
  for (const sequence of stored) {
    const inside = sequence >= before ? (records[sequence] ?? 1) : 0;
    const open = segments.at(-1);
    if (open?.last_sequence === sequence - 1) {
      const next = {
        last_sequence: sequence,
        inside: open.inside + inside,
        after_base: open.inside + inside,
      };
      segments[segments.length - 1] = { ...open, ...next };
      continue;
    }
    segments.push({
      ...place,
      first_sequence: sequence,
      last_sequence: sequence,
      inside,
      after_base: inside,
      across_end: 0,
      across_base: 0,
      doubled: 0,
      doubled_first: 0,
      doubled_last: 0,
      appended_last: NOW_MS - silentMs,
    });
  }
  return {
    retirements: new Map(),
    incarnations: [
      {
        boot: INCARNATION,
        collector: 'edge-1',
        started_within: before === 0,
        ended,
        last_time: NOW_MS - silentMs,
        base_account: 0,
        last_account: 0,
      },
    ],
    marks: [
      {
        ...place,
        keyed: false,
        base_sequence: before - 1,
        base_records: sum(records.slice(0, before)),
        last_sequence: records.length - 1,
        last_records: sum(records),
        ...mark,
      },
    ],
    batches: segments,
    losses: [],
    keyed: [],
    duplicateRows: 0,
    sinceStart: true,
    accounts: [],
    recent: [],
    known: new Set([INCARNATION]),
  };
}

test('batches that are all stored are no fault, wherever the scope begins', () => {
  fc.assert(
    fc.property(sent, (one) => {
      const result = balanceOf(evidenceOf(one), SETTLING);
      assert.deepEqual(result, { faults: [], pending: { boots: 0, batches: 0 } });
    }),
  );
});

test('batches missing below one that is stored are a fault at once, with their sequences and records', () => {
  fc.assert(
    fc.property(sent, fc.nat(), fc.nat(), (one, from, length) => {
      const { records, before } = one;
      const inner = records.length - 1 - before;
      fc.pre(inner > 0);
      const first = before + (from % inner);
      const last = Math.min(first + (length % 3), records.length - 2);
      const stored = records.map((_, sequence) => sequence).filter((at) => at < first || at > last);
      const { faults } = balanceOf(evidenceOf(one, { stored, silentMs: 1 }), SETTLING);
      assert.equal(faults.length, 1);
      const [found] = faults;
      assert.deepEqual(
        [found?.kind, found?.boot, found?.partition, found?.first_sequence, found?.last_sequence],
        ['missing_batches', INCARNATION, 1, first, last],
      );
      assert.ok(found?.kind === 'missing_batches' && found.records === sum(records.slice(first, last + 1)));
    }),
  );
});

test('batches after the last one stored are on their way, until the incarnation is quiet for the settling time', () => {
  fc.assert(
    fc.property(sent, fc.nat(), (one, from) => {
      const { records, before } = one;
      const first = before + (from % (records.length - before));
      const stored = records.map((_, sequence) => sequence).filter((at) => at < first);
      const waiting = balanceOf(evidenceOf(one, { stored, silentMs: SETTLE_MS - 1 }), SETTLING);
      const pending = { boots: 1, batches: records.length - first };
      assert.deepEqual(waiting, { faults: [], pending });
      const { faults } = balanceOf(evidenceOf(one, { stored, silentMs: SETTLE_MS }), SETTLING);
      const [found, silent] = faults;
      assert.deepEqual(
        [found?.kind, found?.first_sequence, found?.last_sequence],
        ['unsent_batches', first, records.length - 1],
      );
      assert.equal(silent?.kind, one.ended ? undefined : 'silent_boot');
    }),
  );
});

test('an account with more or fewer records is a fault, with both numbers', () => {
  fc.assert(
    fc.property(sent, fc.integer({ min: 1, max: 9 }), fc.boolean(), (one, by, more) => {
      const { records, before } = one;
      const said = sum(records) + (more ? by : -by);
      const { faults } = balanceOf(evidenceOf(one, { mark: { last_records: said } }), SETTLING);
      const here = sum(records.slice(before));
      assert.deepEqual(
        faults.map(({ kind, expected, found }) => [kind, expected, found]),
        [['record_sum', said - sum(records.slice(0, before)), here]],
      );
    }),
  );
});

test('records of a range that crosses the last account count as far as they are needed, no farther', () => {
  const [segment] = evidenceOf({ records: [5, 5], before: 0, ended: false }).batches;
  assert.ok(segment !== undefined);
  const kinds = (lastRecords: number): string[] => {
    const mark = { last_sequence: 1, last_records: lastRecords };
    const evidence = evidenceOf({ records: [5, 5], before: 0, ended: false }, { mark });
    const crossing = { ...segment, last_sequence: 3, inside: 5, across_end: 12 };
    return balanceOf({ ...evidence, batches: [crossing] }, SETTLING).faults.map(({ kind }) => kind);
  };
  assert.deepEqual([kinds(4), kinds(5), kinds(17), kinds(18)], [['record_sum'], [], [], ['record_sum']]);
});

test('a running incarnation may be ahead of its account; one that ended or is silent may not', () => {
  const running = { records: [3, 4, 5], before: 0, ended: false };
  const mark = { last_sequence: 1, last_records: 7 };
  const kinds = (one: Sent, silentMs: number): string[] => {
    const evidence = evidenceOf(one, { mark, silentMs });
    // The third batch is after the account.
    const segments = evidence.batches.map((segment) => ({ ...segment, inside: 7 }));
    return balanceOf({ ...evidence, batches: segments }, SETTLING).faults.map(({ kind }) => kind);
  };
  assert.deepEqual(kinds(running, 1_000), []);
  assert.deepEqual(kinds(running, SETTLE_MS), ['unvouched_batches', 'silent_boot']);
  assert.deepEqual(kinds({ ...running, ended: true }, 1_000), ['unvouched_batches']);
});

function unaccounted(silentMs: number): Evidence {
  const evidence = evidenceOf({ records: [3, 4], before: 0, ended: false }, { silentMs });
  return { ...evidence, incarnations: [], marks: [], known: new Set() };
}

test('batches of an incarnation without an account are pending, then a fault', () => {
  assert.deepEqual(balanceOf(unaccounted(1_000), SETTLING).pending, { boots: 1, batches: 2 });
  const [found] = balanceOf(unaccounted(SETTLE_MS), SETTLING).faults;
  assert.deepEqual([found?.kind, found?.boot, found?.found], ['no_account', INCARNATION, 2]);
});

/** Two incarnations that each say they sent 50 records under keys. */
function keyedKinds(
  found: number,
  {
    ended = true,
    quietMs = SETTLE_MS,
    storedMs = SETTLE_MS,
    collectors = ['edge-1', 'edge-1'],
    duplicateRows = 0,
    sinceStart = true,
  } = {},
): string[] {
  const incarnations = collectors.map((collector, index) => ({
    boot: `bootx0000000000${index}`,
    collector,
    started_within: true,
    ended,
    last_time: NOW_MS - quietMs,
    base_account: 0,
    last_account: 0,
  }));
  const marks = incarnations.map(({ boot }) => ({
    boot,
    topic: 'im.request-log',
    partition: 0,
    keyed: true,
    base_sequence: -1,
    base_records: 0,
    last_sequence: -1,
    last_records: 50,
  }));
  const appended_last = NOW_MS - storedMs;
  const keyed = [{ topic: 'im.request-log', partition: 0, records: found, lost: 0, appended_last }];
  const empty = evidenceOf({ records: [1], before: 0, ended: true }, { stored: [] });
  const evidence = { ...empty, batches: [], incarnations, marks, keyed, duplicateRows, sinceStart };
  const { faults } = balanceOf(evidence, SETTLING);
  return faults.map(({ kind }) => kind).filter((kind) => kind !== 'silent_boot');
}

test('keyed records add up over incarnations once they are quiet; two collectors may have counted one', () => {
  const collectors = ['edge-1', 'edge-2'];
  assert.deepEqual(keyedKinds(100), []);
  assert.deepEqual(keyedKinds(99), ['keyed_sum']);
  assert.deepEqual(keyedKinds(99, { quietMs: SETTLE_MS - 1 }), []);
  assert.deepEqual(keyedKinds(99, { duplicateRows: 5 }), ['keyed_sum']);
  assert.deepEqual(keyedKinds(95, { duplicateRows: 5, collectors }), []);
  assert.deepEqual(keyedKinds(94, { duplicateRows: 5, collectors }), ['keyed_sum']);
  assert.deepEqual(keyedKinds(101), ['keyed_sum']);
});

test('more keyed records than were sent may belong to an incarnation whose account is to come', () => {
  assert.deepEqual(keyedKinds(101, { sinceStart: false }), []);
  assert.deepEqual(keyedKinds(101, { ended: false }), []);
  assert.deepEqual(keyedKinds(101, { quietMs: SETTLE_MS - 1 }), []);
  assert.deepEqual(keyedKinds(101, { storedMs: SETTLE_MS - 1 }), []);
});

function account(last_sequence: number, account_time: number): RecentAccount {
  return {
    boot: INCARNATION,
    account_time,
    sent_topics: ['im.request-log'],
    sent_partitions: [1],
    sent_sequences: [last_sequence],
  };
}

test('minutes are settled up to the newest account that the ledger covers, of the incarnation that lags most', () => {
  const running = { records: [3, 4, 5], before: 0, ended: false };
  const recent = [account(2, NOW_MS - 5_000), account(1, NOW_MS - 65_000), account(0, NOW_MS - 125_000)];
  const until = (stored: readonly number[], ended = false, silentMs = 5_000): number =>
    settledUntil({ ...evidenceOf({ ...running, ended }, { stored, silentMs }), recent }, SETTLING);
  assert.equal(until([0, 1, 2]), NOW_MS - 5_000);
  assert.equal(until([0, 1]), NOW_MS - 65_000);
  assert.equal(until([]), 0);
  assert.equal(until([0, 1, 2], true), Infinity);
  assert.equal(until([0, 1], true), NOW_MS - 65_000);
  assert.equal(until([0], false, SETTLE_MS), Infinity);
});

/** The incarnation of `evidenceOf`, retired with this many records after its last account at most. */
function retired(evidence: Evidence, changes: Partial<BookedRetirement> = {}): Evidence {
  const retirement: BookedRetirement = {
    boot: INCARNATION,
    collector: 'edge-1',
    atMs: NOW_MS,
    lastAccount: 0,
    newestAccount: 0,
    acceptedFromMs: NOW_MS - SETTLE_MS,
    acceptedToMs: NOW_MS - SETTLE_MS + 120_000,
    missing: 0,
    keyedMissing: new Map(),
    acceptedMax: 0,
    unaccountedStored: 0,
    spoolRecordsMax: 0,
    by: 'operator',
    reason: 'its disk is lost',
    ...changes,
  };
  return { ...evidence, retirements: new Map([[INCARNATION, retirement]]) };
}

test('what a retired incarnation sent and is not stored is its loss and no fault, and the balance adds up', () => {
  fc.assert(
    fc.property(sent, fc.nat(), fc.nat({ max: 9_000 }), (one, from, acceptedMax) => {
      const { records, before } = one;
      const kept = before + (from % (records.length - before));
      const stored = records.map((_, sequence) => sequence).filter((sequence) => sequence < kept);
      const silent = { stored, silentMs: SETTLE_MS };
      const evidence = evidenceOf({ ...one, ended: false }, silent);
      const open = balanceOf(evidence, SETTLING).faults.map(({ kind }) => kind);
      assert.deepEqual(open, ['unsent_batches', 'silent_boot']);
      const gone = retired(evidence, { acceptedMax });
      assert.deepEqual(balanceOf(gone, SETTLING).faults, []);
      const [loss] = retiredLosses(gone);
      const inScope = sum(records.slice(before));
      assert.equal(sum(records.slice(before, kept)) + (loss?.missing ?? 0), inScope);
      assert.equal(loss?.unaccounted, acceptedMax);
    }),
  );
});

test('a gap below batches that are stored stays a fault of a retired incarnation: its disk cannot explain it', () => {
  const one = { records: [5, 5, 5], before: 0, ended: false };
  const evidence = evidenceOf(one, { stored: [0, 2], silentMs: SETTLE_MS });
  const kinds = balanceOf(retired(evidence), SETTLING).faults.map(({ kind }) => kind);
  assert.deepEqual(kinds, ['missing_batches']);
});

test('an account after the retirement takes it back, which is reported for an hour', () => {
  const one = { records: [5, 5], before: 0, ended: true };
  const evidence = evidenceOf(one, { silentMs: SETTLE_MS });
  const back = retired(evidence, { newestAccount: 1, acceptedMax: 100 });
  const faults = balanceOf(back, SETTLING).faults;
  assert.deepEqual(
    faults.map(({ kind, expected, found }) => ({ kind, expected, found })),
    [{ kind: 'retired_returned', expected: 0, found: 1 }],
  );
  assert.deepEqual(retiredLosses(back), []);
  const later = { ...SETTLING, nowMs: NOW_MS + 3_600_000 };
  assert.deepEqual(balanceOf(back, later).faults, []);
});

test('keyed records that are booked as lost do not lack in their partition', () => {
  const one = { records: [5], before: 0, ended: true };
  const evidence = evidenceOf(one, { silentMs: SETTLE_MS });
  const keyedMark: Mark = {
    boot: INCARNATION,
    topic: 'im.request-log',
    partition: 1,
    keyed: true,
    base_sequence: -1,
    base_records: 0,
    last_sequence: -1,
    last_records: 70,
  };
  const short = { ...evidence, marks: [...evidence.marks, keyedMark] };
  assert.deepEqual(
    balanceOf(short, SETTLING).faults.map(({ kind }) => kind),
    ['keyed_sum'],
  );
  const booked = (records: number): string[] =>
    balanceOf(retired(short, { keyedMissing: new Map([[1, records]]) }), SETTLING).faults.map(
      ({ kind }) => kind,
    );
  assert.deepEqual([booked(70), booked(69)], [[], ['keyed_sum']]);
});
