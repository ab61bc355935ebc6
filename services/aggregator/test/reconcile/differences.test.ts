/* Offsets, rows and minutes by themselves, without a store: consistent data has no difference, and one fault is named. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { minuteDifferences, settledMinutes } from '../../src/reconcile/application-minutes.js';
import { type BlockMinute, rowsFrom, slicesOf } from '../../src/reconcile/block-rows.js';
import { faultDifference } from '../../src/reconcile/fault-difference.js';
import { type OffsetSegment, offsetDifferences } from '../../src/reconcile/offsets.js';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const MINUTE = { sdk_app_id: 1_400_000_001, minute: '2026-11-24T11:00:00Z' };

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

test('a fault becomes a difference with the prefix of its topic and the missing records in its text', () => {
  const place = { topic: 'im.request-log', partition: 1, boot: 'boota00000000001' };
  const range = { first_sequence: 3, last_sequence: 4, expected: 2, found: 0 };
  const found = faultDifference({ kind: 'missing_batches', ...place, ...range, records: 1_200 }, 'history.');
  assert.deepEqual(
    [found.check, found.kind, found.topic, found.partition, found.first_sequence, found.last_sequence],
    ['boots', 'missing_batches', 'history.im.request-log', 1, 3, 4],
  );
  assert.ok(found.words.includes('1,200 records'));
});

const blocksByPartition = fc
  .array(fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((partitions) => partitions.map((blocks, partition) => ({ partition, blocks })));

function segmentOf(partition: number, first: number, last: number): OffsetSegment {
  const place = { cluster: 'cluster', topic: 'im.request-log', epoch: 0, partition };
  return { ...place, first_offset: first, last_offset: last, blocks: 2, messages: last - first + 1 };
}

test('offsets: a partition without a gap makes no difference; each gap and overlap is named by its offsets', () => {
  fc.assert(
    fc.property(blocksByPartition, fc.integer({ min: 1, max: 500 }), (partitions, gap) => {
      const complete = partitions.map(({ partition, blocks }) => segmentOf(partition, 7, 6 + sum(blocks)));
      assert.deepEqual(offsetDifferences(complete), []);
      const [first] = complete;
      assert.ok(first !== undefined);
      const next = segmentOf(first.partition, first.last_offset + 1 + gap, first.last_offset + 5_000);
      const [found, ...more] = offsetDifferences([first, next, ...complete.slice(1)]);
      assert.deepEqual(more, []);
      assert.deepEqual(
        [found?.kind, found?.partition, found?.first_offset, found?.last_offset, found?.expected],
        ['offset_gap', first.partition, first.last_offset + 1, first.last_offset + gap, gap],
      );
      const over = segmentOf(first.partition, first.last_offset, first.last_offset + 9);
      const [twice] = offsetDifferences([first, over]);
      assert.deepEqual(
        [twice?.kind, twice?.first_offset, twice?.expected],
        ['offset_overlap', first.last_offset, 1],
      );
    }),
  );
});

test('offsets: a block with fewer messages than offsets lost them unread; a new epoch begins again', () => {
  const [found] = offsetDifferences([{ ...segmentOf(0, 10, 19), messages: 4 }]);
  assert.deepEqual([found?.kind, found?.expected, found?.found], ['unread_messages', 10, 4]);
  assert.deepEqual(offsetDifferences([segmentOf(0, 0, 50), { ...segmentOf(0, 0, 9), epoch: 1 }]), []);
});

function minuteKinds(logged: number, unsure: number, counted: number, explained: number): string[] {
  const differences = minuteDifferences([{ ...MINUTE, logged, unsure, counted }], {
    logs: explained,
    metrics: [],
  });
  return differences.map(({ kind }) => kind);
}

test('minutes: logs may have late records; metrics may have records that the ledger counts as lost; any other difference is named', () => {
  assert.deepEqual(minuteKinds(10, 2, 8, 0), []);
  assert.deepEqual(minuteKinds(11, 2, 8, 0), ['missing_metrics']);
  assert.deepEqual(minuteKinds(8, 0, 10, 2), []);
  assert.deepEqual(minuteKinds(8, 0, 10, 1), ['missing_logs']);
});

test('minutes are compared up to a margin before the time until which accounts are covered', () => {
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
      const pass = { fromMs: 0, nowMs: NOW_MS, settleMs: 0, topicPrefix: '', ask: async () => [] };
      assert.equal(rowsFrom(all, pass), 0);
      const from = rowsFrom(all, { ...pass, rows: { fromMs: 0, max } });
      const [kept, left] = [
        all.filter(({ minute }) => minute >= from),
        all.filter(({ minute }) => minute < from),
      ];
      assert.ok(sum(kept.map(({ rows }) => rows)) <= max);
      assert.ok(left.length === 0 || sum([...kept, ...left.slice(-1)].map(({ rows }) => rows)) > max);
    }),
  );
});
