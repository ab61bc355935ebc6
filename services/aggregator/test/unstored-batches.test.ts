import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memoryOf, ResponseBuffers } from '@imscope/runtime/kafkajs/response-buffers.js';
import { UnstoredBatches } from '../src/consume/unstored-batches.js';

const AT = { topic: 'im.request-log', partition: 0 };
const ELSEWHERE = { topic: 'im.request-log', partition: 1 };

/** Knows what was released, so that a test can hold it against what is still pointed to. */
class WatchedBuffers extends ResponseBuffers {
  readonly released: ArrayBufferLike[] = [];

  protected override release(buffer: Buffer): void {
    this.released.push(buffer.buffer);
    super.release(buffer);
  }
}

/** A response of so many batches, read into a buffer; returns each batch's message. */
function respond(buffers: ResponseBuffers, batches: number): { value: Buffer }[] {
  const bytes = buffers.reserve(300_000);
  buffers.divide(bytes.buffer, batches);
  return Array.from({ length: batches }, (_, index) => ({
    value: bytes.subarray(index * 10, index * 10 + 10),
  }));
}

test('memory is reused once every batch of its response is stored, and not before', () => {
  const buffers = new WatchedBuffers();
  const unstored = new UnstoredBatches(buffers);
  const [first, second] = respond(buffers, 2);
  assert.ok(first !== undefined && second !== undefined);
  unstored.add(AT, 9, [first]);
  unstored.add(ELSEWHERE, 19, [second]);
  unstored.stored(AT, 10);
  assert.notEqual(buffers.reserve(300_000).buffer, first.value.buffer);
  unstored.stored(ELSEWHERE, 19);
  assert.deepEqual(buffers.released, [], 'its last record is not stored');
  unstored.stored(ELSEWHERE, 20);
  assert.equal(buffers.reserve(300_000).buffer, first.value.buffer);
});

test('a response without batches is free at once; one that was not decoded yet is not', () => {
  const buffers = new WatchedBuffers();
  const unread = buffers.reserve(200_000);
  buffers.releaseBatch(unread.buffer);
  assert.deepEqual(buffers.released, []);
  const empty = buffers.reserve(200_000);
  buffers.divide(empty.buffer, 0);
  assert.deepEqual(buffers.released, [empty.buffer]);
});

test('a batch that was forgotten is left to the garbage collector, whatever is stored later', () => {
  const buffers = new WatchedBuffers();
  const unstored = new UnstoredBatches(buffers);
  for (const forget of [
    (batch: ReturnType<UnstoredBatches['add']>) => unstored.forget(AT, batch),
    () => unstored.forgetPartition(AT),
    () => unstored.forgetAll(),
  ]) {
    forget(unstored.add(AT, 9, respond(buffers, 1)));
    unstored.stored(AT, 1_000);
  }
  assert.deepEqual(buffers.released, []);
});

test('memory that belongs to no response is never released', () => {
  const buffers = new WatchedBuffers();
  const unstored = new UnstoredBatches(buffers);
  const own = { value: Buffer.alloc(100) };
  unstored.add(AT, 9, [own]);
  unstored.stored(AT, 10);
  assert.deepEqual(buffers.released, []);
  assert.equal(unstored.add(AT, 10, [{ value: null }]), undefined);
});

test('a batch points into its response by value, key or header', () => {
  const bytes = Buffer.from('bytes');
  assert.equal(memoryOf([{ value: bytes }]), bytes.buffer);
  assert.equal(memoryOf([{ value: null }, { value: null, key: bytes }]), bytes.buffer);
  assert.equal(memoryOf([{ value: null, headers: { one: [bytes] } }]), bytes.buffer);
  assert.equal(memoryOf([{ value: null, key: null, headers: {} }]), undefined);
});

test('free memory is bounded, and freed when it was unused for long', () => {
  const buffers = new ResponseBuffers();
  const reserved = Array.from({ length: 40 }, () => buffers.reserve(200_000));
  for (const { buffer } of reserved) buffers.divide(buffer, 0);
  const nowMs = performance.now();
  const free = (): number => reserved.filter(({ buffer }) => buffer.byteLength > 0).length;
  buffers.sweep(nowMs);
  assert.equal(free(), 16);
  buffers.sweep(nowMs + 59_000);
  assert.equal(free(), 16);
  buffers.sweep(nowMs + 61_000);
  assert.equal(free(), 0);
  assert.equal(buffers.reserve(200_000).length, 200_000);
});

type Step =
  | { readonly kind: 'fetch'; readonly batches: readonly (0 | 1)[] }
  | { readonly kind: 'store'; readonly partition: 0 | 1; readonly batches: number }
  | { readonly kind: 'lose'; readonly partition: 0 | 1 };

const PARTITION = fc.constantFrom(0 as const, 1 as const);
const STEPS: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('fetch' as const), batches: fc.array(PARTITION, { maxLength: 4 }) }),
    fc.record({ kind: fc.constant('store' as const), partition: PARTITION, batches: fc.nat(5) }),
    fc.record({ kind: fc.constant('lose' as const), partition: PARTITION }),
  ),
  { maxLength: 60 },
);

test('in any order of fetches, stores and losses no bytes change before they are stored', () => {
  fc.assert(
    fc.property(STEPS, (steps) => {
      const buffers = new ResponseBuffers();
      const unstored = new UnstoredBatches(buffers);
      const waiting: [Batch[], Batch[]] = [[], []];
      let offset = 0;
      for (const step of steps) {
        if (step.kind === 'fetch') {
          const messages = respond(buffers, step.batches.length);
          for (const [index, partition] of step.batches.entries()) {
            const value = messages[index]?.value ?? Buffer.alloc(0);
            value.fill(offset % 256);
            unstored.add({ ...AT, partition }, offset, [{ value }]);
            waiting[partition].push({ offset, value });
            offset += 1;
          }
        } else if (step.kind === 'store') {
          const done = waiting[step.partition].splice(0, step.batches);
          for (const batch of done) assertUnchanged(batch);
          const last = done.at(-1);
          if (last !== undefined) unstored.stored({ ...AT, partition: step.partition }, last.offset + 1);
        } else {
          unstored.forgetPartition({ ...AT, partition: step.partition });
        }
      }
      // A lost partition's block may still be on its way: it counts as waiting.
      for (const batch of waiting.flat()) assertUnchanged(batch);
    }),
    { numRuns: 500 },
  );
});

type Batch = { readonly offset: number; readonly value: Buffer };

function assertUnchanged({ offset, value }: Batch): void {
  assert.ok(
    value.every((byte) => byte === offset % 256),
    `the bytes of offset ${offset} changed`,
  );
}
