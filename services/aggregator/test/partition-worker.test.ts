import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockBounds } from '@imscope/schemas/block-bounds.js';
import { BatchIntervals } from '../src/blocks/batch-intervals.js';
import { type Block, BlockCutter } from '../src/blocks/block-cutter.js';
import { PartitionWorker, type WorkerPorts } from '../src/consume/partition-worker.js';
import { OwnershipLost } from '../src/store/store-block.js';
import { REQUEST_LOG_STREAM } from '../src/blocks/streams.js';
import { type Entry, fetchedOf, logOf } from './log-of-messages.js';

const BOUNDS: BlockBounds = { rowsMax: 20, bytesMax: 1_000_000 };
const batch = (sequence: number): Entry => ({ kind: 'batch', boot: 'boot0001', sequence, records: 10 });
const now = (): number => 1_000;

type Seen = {
  stored: Block[];
  markers: BlockBounds[];
  failures: string[];
  lost: number;
  committed: number[][];
};

function workerWith(
  ports: Partial<WorkerPorts> = {},
  nextOffset = 0,
  readTo = 0,
): { worker: PartitionWorker; seen: Seen } {
  const seen: Seen = { stored: [], markers: [], failures: [], lost: 0, committed: [] };
  const cutter = new BlockCutter(REQUEST_LOG_STREAM, {
    nextOffset,
    bounds: BOUNDS,
    seen: new BatchIntervals(),
  });
  const worker = new PartitionWorker(
    cutter,
    {
      store: async (block) => void seen.stored.push(block),
      appendMarker: async (bounds) => {
        seen.markers.push(bounds);
        return worker.nextOffset;
      },
      fail: (error) => seen.failures.push(error.message),
      onLost: () => (seen.lost += 1),
      commitRead: async ({ nextOffset, readTo }) => void seen.committed.push([nextOffset, readTo]),
      ...ports,
    },
    { nowMs: 0, readTo },
  );
  return { worker, seen };
}

test('blocks are stored one after another, in order, while the next one fills', async () => {
  const order: string[] = [];
  const { worker } = workerWith({
    store: async ({ firstOffset }) => {
      order.push(`begin ${firstOffset}`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`end ${firstOffset}`);
    },
  });
  await worker.consume(fetchedOf(logOf([0, 1, 2, 3, 4, 5].map(batch)), 6), now);
  await worker.idle();
  assert.deepEqual(order, ['begin 0', 'end 0', 'begin 2', 'end 2', 'begin 4', 'end 4']);
});

test('messages that were consumed before are skipped', async () => {
  const { worker, seen } = workerWith();
  const log = logOf([0, 1, 2, 3].map(batch));
  await worker.consume(fetchedOf(log.slice(0, 3), 4), now);
  await worker.consume(fetchedOf(log, 4), now);
  await worker.idle();
  assert.deepEqual(
    seen.stored.map(({ rows }) => rows),
    [20, 20],
  );
  assert.equal(worker.nextOffset, 4);
});

test('a jump is reported and nothing is consumed, until the offsets before are known to be deleted', async () => {
  const { worker } = workerWith({}, 5);
  const log = logOf([batch(0), batch(1)], 9);
  for (let attempt = 0; attempt < 3; attempt++) {
    assert.deepEqual(await worker.consume(fetchedOf(log, 11), now), { kind: 'jumped', from: 5, to: 9 });
  }
  assert.equal(worker.nextOffset, 5);
  worker.allowDeleted(9);
  assert.deepEqual(await worker.consume(fetchedOf(log, 11), now), { kind: 'consumed' });
  assert.equal(worker.nextOffset, 11);
});

test('a marker ends a block that waits: caught up, old enough, nothing being stored, and only once', async () => {
  const { worker, seen } = workerWith();
  const ask = async (atMs: number): Promise<boolean> => worker.endWaitingBlock(BOUNDS, 500, atMs);
  assert.equal(await ask(9_000), false, 'nothing is open');
  await worker.consume(fetchedOf(logOf([batch(0)]), 2), now);
  assert.equal(await ask(9_000), false, 'one message is still unread');
  await worker.consume(fetchedOf([], 1), now);
  assert.equal(await ask(1_400), false, 'not old enough');
  assert.equal(await ask(1_500), true);
  assert.equal(await ask(9_000), false, 'the marker is on its way back');
  await worker.consume(fetchedOf(logOf([{ kind: 'marker' }], 1), 2), now);
  await worker.idle();
  assert.deepEqual(
    seen.stored.map(({ cut, rows }) => [cut, rows]),
    [['marker', 10]],
  );
  await worker.consume(fetchedOf(logOf([batch(1)], 2), 3), now);
  assert.equal(await ask(9_000), true, 'the next block waits in turn');
});

test('a marker that could not be appended is tried again', async () => {
  let refusals = 1;
  const { worker } = workerWith({
    appendMarker: async () => {
      if (refusals-- > 0) throw new Error('broker away');
      return 1;
    },
  });
  await worker.consume(fetchedOf(logOf([batch(0)]), 1), now);
  assert.equal(await worker.endWaitingBlock(BOUNDS, 500, 9_000), false);
  assert.equal(await worker.endWaitingBlock(BOUNDS, 500, 9_000), true);
});

test('a partition lost while storing is no failure; any other error ends the process', async () => {
  const lost = workerWith({ store: async () => Promise.reject(new OwnershipLost()) });
  await lost.worker.consume(fetchedOf(logOf([batch(0), batch(1)]), 2), now);
  await lost.worker.idle();
  assert.deepEqual([lost.seen.lost, lost.seen.failures], [1, []]);
  const broken = workerWith({ store: async () => Promise.reject(new Error('the store cannot read it')) });
  await broken.worker.consume(fetchedOf(logOf([batch(0), batch(1)]), 2), now);
  await broken.worker.idle();
  assert.deepEqual([broken.seen.lost, broken.seen.failures], [0, ['the store cannot read it']]);
});

test('a worker that lost its partition consumes nothing more', async () => {
  const { worker, seen } = workerWith();
  worker.lose();
  assert.deepEqual(await worker.consume(fetchedOf(logOf([batch(0), batch(1)]), 2), now), { kind: 'lost' });
  assert.equal(worker.nextOffset, 0);
  assert.deepEqual(seen.stored, []);
});

test('a log that ends before the next offset is reported, and nothing of it is consumed', async () => {
  const { worker } = workerWith({}, 5);
  assert.deepEqual(await worker.consume(fetchedOf(logOf([batch(0), batch(1)]), 2), now), { kind: 'shrunk' });
  assert.equal(worker.nextOffset, 5);
});

test('holes before, between and after messages are skipped, and change no block', async () => {
  const { worker, seen } = workerWith();
  const [first, second] = [logOf([batch(0)], 2), logOf([batch(1)], 6)];
  const fields = { fetchedFrom: 0, firstOffset: 1, coveredTo: 9 };
  assert.deepEqual(await worker.consume(fetchedOf([...first, ...second], 9, fields), now), {
    kind: 'consumed',
  });
  await worker.idle();
  assert.deepEqual([worker.nextOffset, worker.lag, worker.messages, worker.holes], [9, 0, 2, 7]);
  await worker.consume(fetchedOf([], 12, { fetchedFrom: 9, firstOffset: 9, coveredTo: 12 }), now);
  await worker.consume(fetchedOf(logOf([batch(2), batch(3)], 13), 15, { fetchedFrom: 12 }), now);
  await worker.idle();
  assert.deepEqual(
    seen.stored.map(({ firstOffset, lastOffset, messages, deletedOffsets }) => [
      firstOffset,
      lastOffset,
      messages,
      deletedOffsets,
    ]),
    [
      [0, 6, 2, 0],
      [7, 14, 2, 0],
    ],
  );
});

test('offsets that were deleted while the broker answered are reported, and recorded with the block that spans them', async () => {
  const { worker, seen } = workerWith();
  const log = logOf([batch(0), batch(1)], 7);
  const fields = { fetchedFrom: 0, firstOffset: 7, logStart: 5 };
  assert.deepEqual(await worker.consume(fetchedOf(log, 9, fields), now), { kind: 'jumped', from: 0, to: 5 });
  worker.allowDeleted(5);
  assert.deepEqual(await worker.consume(fetchedOf(log, 9, { ...fields, fetchedFrom: 5 }), now), {
    kind: 'consumed',
  });
  await worker.idle();
  assert.deepEqual(
    seen.stored.map(({ firstOffset, deletedOffsets }) => [firstOffset, deletedOffsets]),
    [[0, 5]],
  );
});

test('an open transaction after the readable messages does not keep a block from its marker, and is lag', async () => {
  const { worker } = workerWith();
  await worker.consume(fetchedOf(logOf([batch(0)]), 4, { stableOffset: 1 }), now);
  assert.deepEqual([worker.lag, worker.readableLag], [3, 0]);
  assert.equal(await worker.endWaitingBlock(BOUNDS, 500, 9_000), true);
});

test('holes after the last block are committed once, and are no loss when they are deleted later', async () => {
  const { worker, seen } = workerWith();
  await worker.consume(fetchedOf(logOf([batch(0), batch(1)]), 5, { coveredTo: 5 }), now);
  await worker.idle();
  await worker.commitHoles(500, 1_400);
  assert.deepEqual(seen.committed, [], 'more may be on its way');
  await worker.commitHoles(500, 1_500);
  await worker.commitHoles(500, 2_000);
  assert.deepEqual(seen.committed, [[2, 5]]);
  const next = workerWith({}, 2, 5);
  const log = logOf([batch(2), batch(3)], 8);
  assert.equal(next.worker.allowDeleted(5), false);
  assert.equal(next.worker.allowDeleted(7), true);
  await next.worker.consume(fetchedOf(log, 10, { fetchedFrom: 7, firstOffset: 7 }), now);
  await next.worker.idle();
  assert.deepEqual(
    next.seen.stored.map(({ firstOffset, deletedOffsets }) => [firstOffset, deletedOffsets]),
    [[2, 2]],
  );
});

test('a block that waits keeps holes after it from being committed by themselves', async () => {
  const { worker, seen } = workerWith();
  await worker.consume(fetchedOf(logOf([batch(0)]), 5, { coveredTo: 5 }), now);
  await worker.commitHoles(500, 9_000);
  assert.deepEqual(seen.committed, []);
});
