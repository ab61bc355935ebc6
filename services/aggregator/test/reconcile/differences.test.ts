/*
 * Boots, offsets and minutes by themselves, without a store: over whatever consistent evidence there is no difference;
 * one thing changed is named by exactly that; and what is on its way is waited for until it is settled.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { minuteDifferences, settledMinutes, settledUntil } from '../../src/reconcile/application-minutes.js';
import { type BlockMinute, rowsFrom, slicesOf } from '../../src/reconcile/block-rows.js';
import type { BatchStretch, BootEvidence, Mark, RecentAccount } from '../../src/reconcile/boot-evidence.js';
import { bootDifferences } from '../../src/reconcile/boots.js';
import { type OffsetStretch, offsetDifferences } from '../../src/reconcile/offsets.js';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const SETTLE_MS = 600_000;
const SETTLING = { topicPrefix: '', nowMs: NOW_MS, settleMs: SETTLE_MS };
const MINUTE = { sdk_app_id: 1_400_000_001, minute: '2026-11-24T11:00:00Z' };
const BOOT = 'boota00000000001';

/** One boot's batches in one partition, by their records, and how many of them are before the look. */
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

/** Evidence of a boot whose batches are all stored; `stored` takes some away or adds some. */
function evidenceOf(
  { records, before, ended }: Sent,
  {
    stored = records.map((_, sequence) => sequence),
    silentMs = 30_000,
    mark = {},
  }: { stored?: readonly number[]; silentMs?: number; mark?: Partial<Mark> } = {},
): BootEvidence {
  const place = { boot: BOOT, topic: 'im.request-log', partition: 1 };
  const stretches: BatchStretch[] = [];
  for (const sequence of stored) {
    const inside = sequence >= before ? (records[sequence] ?? 1) : 0;
    const open = stretches.at(-1);
    if (open?.last_sequence === sequence - 1) {
      const next = {
        last_sequence: sequence,
        inside: open.inside + inside,
        behind_base: open.inside + inside,
      };
      stretches[stretches.length - 1] = { ...open, ...next };
      continue;
    }
    stretches.push({
      ...place,
      first_sequence: sequence,
      last_sequence: sequence,
      inside,
      behind_base: inside,
      astride: 0,
      astride_base: 0,
      doubled: 0,
      doubled_first: 0,
      doubled_last: 0,
      appended_last: NOW_MS - silentMs,
    });
  }
  return {
    boots: [{ boot: BOOT, collector: 'edge-1', whole: before === 0, ended, last_time: NOW_MS - silentMs }],
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
    stretches,
    losses: [],
    keyed: [],
    duplicateRows: 0,
    sinceStart: true,
    accounts: [],
    recent: [],
    known: new Set([BOOT]),
  };
}

test('batches that are all stored make no difference, from wherever they are looked at', () => {
  fc.assert(
    fc.property(sent, (one) => {
      const result = bootDifferences(evidenceOf(one), SETTLING);
      assert.deepEqual(result, { differences: [], pending: { boots: 0, batches: 0 } });
    }),
  );
});

test('batches missing below one that is stored are named by their sequences, and their records, at once', () => {
  fc.assert(
    fc.property(sent, fc.nat(), fc.nat(), (one, from, length) => {
      const { records, before } = one;
      const inner = records.length - 1 - before;
      fc.pre(inner > 0);
      const first = before + (from % inner);
      const last = Math.min(first + (length % 3), records.length - 2);
      const stored = records.map((_, sequence) => sequence).filter((at) => at < first || at > last);
      const { differences } = bootDifferences(evidenceOf(one, { stored, silentMs: 1 }), SETTLING);
      assert.equal(differences.length, 1);
      const [found] = differences;
      assert.deepEqual(
        [found?.kind, found?.boot, found?.partition, found?.first_sequence, found?.last_sequence],
        ['missing_batches', BOOT, 1, first, last],
      );
      assert.ok(found?.words.includes(sum(records.slice(first, last + 1)).toLocaleString('en-US')));
    }),
  );
});

test('batches behind the last one stored are on their way, until nothing was heard of the boot for long', () => {
  fc.assert(
    fc.property(sent, fc.nat(), (one, from) => {
      const { records, before } = one;
      const first = before + (from % (records.length - before));
      const stored = records.map((_, sequence) => sequence).filter((at) => at < first);
      const waiting = bootDifferences(evidenceOf(one, { stored, silentMs: SETTLE_MS - 1 }), SETTLING);
      const pending = { boots: 1, batches: records.length - first };
      assert.deepEqual(waiting, { differences: [], pending });
      const { differences } = bootDifferences(evidenceOf(one, { stored, silentMs: SETTLE_MS }), SETTLING);
      const [found, silent] = differences;
      assert.deepEqual(
        [found?.kind, found?.first_sequence, found?.last_sequence],
        ['unsent_batches', first, records.length - 1],
      );
      assert.equal(silent?.kind, one.ended ? undefined : 'silent_boot');
    }),
  );
});

test('an account that says more or fewer records is named, with both numbers', () => {
  fc.assert(
    fc.property(sent, fc.integer({ min: 1, max: 9 }), fc.boolean(), (one, by, more) => {
      const { records, before } = one;
      const said = sum(records) + (more ? by : -by);
      const { differences } = bootDifferences(evidenceOf(one, { mark: { last_records: said } }), SETTLING);
      const here = sum(records.slice(before));
      assert.deepEqual(
        differences.map(({ kind, expected, found }) => [kind, expected, found]),
        [['record_sum', said - sum(records.slice(0, before)), here]],
      );
    }),
  );
});

test('records of an interval that reaches over the last account count as far as they are needed, no farther', () => {
  const [stretch] = evidenceOf({ records: [5, 5], before: 0, ended: false }).stretches;
  assert.ok(stretch !== undefined);
  const kinds = (lastRecords: number): string[] => {
    const mark = { last_sequence: 1, last_records: lastRecords };
    const evidence = evidenceOf({ records: [5, 5], before: 0, ended: false }, { mark });
    const astride = { ...stretch, last_sequence: 3, inside: 5, astride: 12 };
    return bootDifferences({ ...evidence, stretches: [astride] }, SETTLING).differences.map(
      ({ kind }) => kind,
    );
  };
  assert.deepEqual([kinds(4), kinds(5), kinds(17), kinds(18)], [['record_sum'], [], [], ['record_sum']]);
});

test('a boot that goes on may be ahead of its account; one that ended or fell silent may not', () => {
  const running = { records: [3, 4, 5], before: 0, ended: false };
  const mark = { last_sequence: 1, last_records: 7 };
  const kinds = (one: Sent, silentMs: number): string[] => {
    const evidence = evidenceOf(one, { mark, silentMs });
    // The third batch lies behind the account.
    const stretches = evidence.stretches.map((stretch) => ({ ...stretch, inside: 7 }));
    return bootDifferences({ ...evidence, stretches }, SETTLING).differences.map(({ kind }) => kind);
  };
  assert.deepEqual(kinds(running, 1_000), []);
  assert.deepEqual(kinds(running, SETTLE_MS), ['unvouched_batches', 'silent_boot']);
  assert.deepEqual(kinds({ ...running, ended: true }, 1_000), ['unvouched_batches']);
});

function unaccounted(silentMs: number): BootEvidence {
  const evidence = evidenceOf({ records: [3, 4], before: 0, ended: false }, { silentMs });
  return { ...evidence, boots: [], marks: [], known: new Set() };
}

test('batches of a boot that no account names are waited for, then named', () => {
  assert.deepEqual(bootDifferences(unaccounted(1_000), SETTLING).pending, { boots: 1, batches: 2 });
  const [found] = bootDifferences(unaccounted(SETTLE_MS), SETTLING).differences;
  assert.deepEqual([found?.kind, found?.boot, found?.found], ['no_account', BOOT, 2]);
});

/** Two boots that each say they sent 50 records under keys. */
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
  const boots = collectors.map((collector, index) => ({
    boot: `bootx0000000000${index}`,
    collector,
    whole: true,
    ended,
    last_time: NOW_MS - quietMs,
  }));
  const marks = boots.map(({ boot }) => ({
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
  const evidence = { ...empty, stretches: [], boots, marks, keyed, duplicateRows, sinceStart };
  const { differences } = bootDifferences(evidence, SETTLING);
  return differences.map(({ kind }) => kind).filter((kind) => kind !== 'silent_boot');
}

test('records under keys add up over boots once nothing more is to come; two collectors may have counted one', () => {
  const collectors = ['edge-1', 'edge-2'];
  assert.deepEqual(keyedKinds(100), []);
  assert.deepEqual(keyedKinds(99), ['keyed_sum']);
  assert.deepEqual(keyedKinds(99, { quietMs: SETTLE_MS - 1 }), []);
  assert.deepEqual(keyedKinds(99, { duplicateRows: 5 }), ['keyed_sum']);
  assert.deepEqual(keyedKinds(95, { duplicateRows: 5, collectors }), []);
  assert.deepEqual(keyedKinds(94, { duplicateRows: 5, collectors }), ['keyed_sum']);
  assert.deepEqual(keyedKinds(101), ['keyed_sum']);
});

test('more records under keys than were said to be sent may be of a boot that has yet to say so', () => {
  assert.deepEqual(keyedKinds(101, { sinceStart: false }), []);
  assert.deepEqual(keyedKinds(101, { ended: false }), []);
  assert.deepEqual(keyedKinds(101, { quietMs: SETTLE_MS - 1 }), []);
  assert.deepEqual(keyedKinds(101, { storedMs: SETTLE_MS - 1 }), []);
});

const stretches = fc
  .array(fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((partitions) => partitions.map((blocks, partition) => ({ partition, blocks })));

function stretchOf(partition: number, first: number, last: number): OffsetStretch {
  const place = { cluster: 'cluster', topic: 'im.request-log', epoch: 0, partition };
  return { ...place, first_offset: first, last_offset: last, blocks: 2, messages: last - first + 1 };
}

test('offsets: a partition without a gap makes no difference; each gap and overlap is named by its offsets', () => {
  fc.assert(
    fc.property(stretches, fc.integer({ min: 1, max: 500 }), (partitions, gap) => {
      const whole = partitions.map(({ partition, blocks }) => stretchOf(partition, 7, 6 + sum(blocks)));
      assert.deepEqual(offsetDifferences(whole), []);
      const [first] = whole;
      assert.ok(first !== undefined);
      const next = stretchOf(first.partition, first.last_offset + 1 + gap, first.last_offset + 5_000);
      const [found, ...more] = offsetDifferences([first, next, ...whole.slice(1)]);
      assert.deepEqual(more, []);
      assert.deepEqual(
        [found?.kind, found?.partition, found?.first_offset, found?.last_offset, found?.expected],
        ['offset_gap', first.partition, first.last_offset + 1, first.last_offset + gap, gap],
      );
      const over = stretchOf(first.partition, first.last_offset, first.last_offset + 9);
      const [twice] = offsetDifferences([first, over]);
      assert.deepEqual(
        [twice?.kind, twice?.first_offset, twice?.expected],
        ['offset_overlap', first.last_offset, 1],
      );
    }),
  );
});

test('offsets: a block with fewer messages than offsets lost them unread; a new epoch begins anew', () => {
  const [found] = offsetDifferences([{ ...stretchOf(0, 10, 19), messages: 4 }]);
  assert.deepEqual([found?.kind, found?.expected, found?.found], ['unread_messages', 10, 4]);
  assert.deepEqual(offsetDifferences([stretchOf(0, 0, 50), { ...stretchOf(0, 0, 9), epoch: 1 }]), []);
});

function minuteKinds(logged: number, unsure: number, counted: number, explained: number): string[] {
  return minuteDifferences([{ ...MINUTE, logged, unsure, counted }], explained).map(({ kind }) => kind);
}

test('minutes: logs may have what came late; metrics may have what is booked as lost; beyond that each is named', () => {
  assert.deepEqual(minuteKinds(10, 2, 8, 0), []);
  assert.deepEqual(minuteKinds(11, 2, 8, 0), ['missing_metrics']);
  assert.deepEqual(minuteKinds(8, 0, 10, 2), []);
  assert.deepEqual(minuteKinds(8, 0, 10, 1), ['missing_logs']);
});

function account(last_sequence: number, account_time: number): RecentAccount {
  return {
    boot: BOOT,
    account_time,
    partitions: [{ topic: 'im.request-log', partition: 1, last_sequence }],
  };
}

test('minutes are settled up to the newest account that the ledger covers, of the boot that is farthest behind', () => {
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
  assert.equal(settledMinutes(0, 0, NOW_MS), undefined);
  assert.equal(settledMinutes(NOW_MS, 0, NOW_MS)?.toMs, NOW_MS - 120_000);
});

test('rows: slices cover every minute once and stay small; a bound leaves out the oldest minutes', () => {
  const minutes = fc
    .array(fc.integer({ min: 0, max: 30_000_000 }), { minLength: 1, maxLength: 60 })
    .map((all) =>
      all.map((rows, index): BlockMinute => {
        const minute = NOW_MS + index * 60_000;
        return {
          minute,
          rows,
          blocks: 1,
          batches: 1,
          first_event: minute,
          last_event: minute,
          read_at: NOW_MS,
        };
      }),
    );
  fc.assert(
    fc.property(minutes, fc.integer({ min: 1, max: 100_000_000 }), (all, max) => {
      const slices = slicesOf(all);
      assert.equal(sum(slices.map(({ rows }) => rows)), sum(all.map(({ rows }) => rows)));
      assert.ok(slices.every(({ rows, blocks }) => blocks === 1 || rows <= 20_000_000));
      assert.ok(slices.every(({ fromMs }, index) => index === 0 || fromMs === slices[index - 1]?.toMs));
      const look = { fromMs: 0, nowMs: NOW_MS, settleMs: 0, topicPrefix: '', ask: async () => [] };
      assert.equal(rowsFrom(all, look), 0);
      const from = rowsFrom(all, { ...look, rows: { fromMs: 0, max } });
      const [kept, left] = [
        all.filter(({ minute }) => minute >= from),
        all.filter(({ minute }) => minute < from),
      ];
      assert.ok(sum(kept.map(({ rows }) => rows)) <= max);
      assert.ok(left.length === 0 || sum([...kept, ...left.slice(-1)].map(({ rows }) => rows)) > max);
    }),
  );
});
