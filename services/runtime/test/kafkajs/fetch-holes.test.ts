import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import {
  type FetchedEntry,
  isHole,
  markHoles,
  type PartitionResponse,
} from '../../src/kafkajs/fetch-holes.js';

const COMMIT_KEY = Buffer.from([0, 0, 0, 1]);
const ABORT_KEY = Buffer.from([0, 0, 0, 0]);

type Line = {
  readonly kind: 'plain' | 'within' | 'commit' | 'abort';
  readonly producer?: string;
  readonly key?: Buffer;
};

/** Entries at offsets from `first` on, each in a record batch of its own. */
function entries(lines: readonly Line[], first = 0): FetchedEntry[] {
  return lines.map(({ kind, producer = '-1', key = null }, index): FetchedEntry => {
    const control = kind === 'commit' || kind === 'abort';
    const controlKey = kind === 'commit' ? COMMIT_KEY : ABORT_KEY;
    return {
      offset: String(first + index),
      timestamp: '0',
      key: control ? controlKey : key,
      value: Buffer.from(kind),
      isControlRecord: control,
      batchContext: {
        firstOffset: String(first + index),
        lastOffsetDelta: 0,
        producerId: producer,
        inTransaction: kind !== 'plain',
        isControlBatch: control,
      },
    };
  });
}

function responseOf(
  messages: readonly FetchedEntry[],
  abortedTransactions: PartitionResponse['abortedTransactions'] = [],
): PartitionResponse {
  return { partition: 0, highWatermark: '100', lastStableOffset: '100', abortedTransactions, messages };
}

/** Offsets that a reader sees. */
function read(response: PartitionResponse): number[] {
  markHoles(response);
  return response.messages.filter((entry) => !isHole(entry)).map(({ offset }) => Number(offset));
}

const A: Line = { kind: 'within', producer: 'a' };
const B: Line = { kind: 'within', producer: 'b' };
const PLAIN: Line = { kind: 'plain' };
const COMMIT_A: Line = { kind: 'commit', producer: 'a' };
const ABORT_A: Line = { kind: 'abort', producer: 'a' };
const ABORT_B: Line = { kind: 'abort', producer: 'b' };

test('messages of committed transactions are read, aborted ones and the ends of both are holes', () => {
  const lines = [PLAIN, A, A, COMMIT_A, PLAIN, A, ABORT_A, A, COMMIT_A];
  assert.deepEqual(
    read(responseOf(entries(lines), [{ producerId: 'a', firstOffset: '5' }])),
    [0, 1, 2, 4, 7],
  );
});

test('transactions that overlap are told apart, in whatever order the broker lists them', () => {
  const lines = [A, PLAIN, B, A, B, ABORT_B, A, ABORT_A, A, COMMIT_A];
  const aborted = [
    { producerId: 'b', firstOffset: '2' },
    { producerId: 'a', firstOffset: '0' },
  ];
  assert.deepEqual(read(responseOf(entries(lines), aborted)), [1, 8]);
  assert.deepEqual(read(responseOf(entries(lines), aborted.toReversed())), [1, 8]);
});

test('an answer that begins within several aborted transactions leaves out all of them from its first message on', () => {
  const aborted = [
    { producerId: 'a', firstOffset: '10' },
    { producerId: 'b', firstOffset: '11' },
  ];
  assert.deepEqual(read(responseOf(entries([B, A, PLAIN, ABORT_B, ABORT_A], 40), aborted)), [42]);
});

test('a message whose key looks like the end of a transaction ends none', () => {
  const lines = [A, { ...PLAIN, key: ABORT_KEY }, { ...A, key: ABORT_KEY }, A, ABORT_A];
  assert.deepEqual(read(responseOf(entries(lines), [{ producerId: 'a', firstOffset: '0' }])), [1]);
});

test('an abort leaves out no message that its producer sent outside of transactions', () => {
  const lines = [A, { ...PLAIN, producer: 'a' }, ABORT_A];
  assert.deepEqual(read(responseOf(entries(lines), [{ producerId: 'a', firstOffset: '0' }])), [1]);
});

test('kafkajs hands out an entry for every offset, holes too', () => {
  const response = responseOf(entries([A, ABORT_A]), [{ producerId: 'a', firstOffset: '0' }]);
  markHoles(response);
  assert.deepEqual(response.abortedTransactions, []);
  assert.deepEqual(
    response.messages.map(({ isControlRecord }) => isControlRecord),
    [false, false],
  );
});

test('the end of a record batch whose last messages were compacted is a hole that reaches to it', () => {
  const [entry] = entries([PLAIN], 7);
  assert.ok(entry?.batchContext);
  const response = responseOf([{ ...entry, batchContext: { ...entry.batchContext, lastOffsetDelta: 5 } }]);
  assert.deepEqual(read(response), [7]);
  assert.equal(response.messages.at(-1)?.offset, '12');
});

test('messages of brokers before 0.11 have no transactions and are left as they are', () => {
  const messages = entries([PLAIN, PLAIN]).map(({ offset, timestamp, key, value }): FetchedEntry => ({
    offset,
    timestamp,
    key,
    value,
  }));
  assert.deepEqual(read(responseOf(messages, null)), [0, 1]);
});

test('kafkajs keeps the offset that was asked for with a batch, and all of its entries', () => {
  const require = createRequire(import.meta.url);
  const Batch = require('kafkajs/src/consumer/batch.js') as new (
    topic: string,
    fetchedOffset: string,
    response: PartitionResponse,
  ) => { fetchedOffset: string; messages: unknown[]; firstOffset(): string; lastOffset(): string };
  const response = responseOf(entries([ABORT_A, PLAIN, A, ABORT_A], 5), [
    { producerId: 'a', firstOffset: '0' },
  ]);
  markHoles(response);
  const batch = new Batch('t', '3', response);
  assert.equal(batch.fetchedOffset, '3');
  assert.deepEqual([batch.messages.length, batch.firstOffset(), batch.lastOffset()], [4, '5', '8']);
});
