import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { EXPIRED_HEADER, keyedBoot, writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import type { BlockBounds } from '@imscope/schemas/block-bounds.js';
import { containerHeader, encodeLong, wrapBlock } from '@imscope/schemas/container.js';
import { BatchIntervals } from '../src/blocks/batch-intervals.js';
import { insertsOf, ledgerRowOf } from '../src/blocks/block-content.js';
import { type Block, BlockCutter, type LogMessage, readMessage } from '../src/blocks/block-cutter.js';
import { KEYED_KNOWN_MS } from '../src/blocks/keyed-batches.js';
import { REQUEST_LOG_STREAM } from '../src/blocks/streams.js';
import { type Entry, LOG_TIME, logOf } from './log-of-messages.js';

const BOUNDS: BlockBounds = { rowsMax: 40, bytesMax: 1_000_000 };
const PLACE = { cluster: 'c', topic: 't', epoch: 0, partition: 0 };

function cutAll(
  messages: readonly LogMessage[],
  cutter = new BlockCutter(REQUEST_LOG_STREAM, { nextOffset: 0, bounds: BOUNDS, seen: new BatchIntervals() }),
): Block[] {
  return messages.flatMap((message) => {
    const pushed = cutter.push(message);
    return pushed.kind === 'cut' ? [pushed.block] : [];
  });
}

/** What would reach the store: everything that makes two blocks the same or not. */
function written(blocks: readonly Block[]): unknown {
  return blocks.map((block) => {
    const inserts = insertsOf(PLACE, block);
    return [
      ledgerRowOf(PLACE, block, inserts),
      inserts.map(({ token, body }) => [token, Buffer.concat([...body]).toString('base64')]),
    ];
  });
}

const batch = (sequence: number, records = 10, boot = 'boot0001'): Entry => ({
  kind: 'batch',
  boot,
  sequence,
  records,
});
const marker: Entry = { kind: 'marker' };

test('a block ends with the message that reaches the row bound', () => {
  const blocks = cutAll(logOf([batch(0), batch(1), batch(2, 25), batch(3, 40), batch(4)]));
  assert.deepEqual(
    blocks.map(({ firstOffset, lastOffset, rows, cut }) => [firstOffset, lastOffset, rows, cut]),
    [
      [0, 2, 45, 'rows'],
      [3, 3, 40, 'rows'],
    ],
  );
});

test('a block ends with the message that reaches the byte bound', () => {
  const messages = logOf([batch(0), batch(1), batch(2), batch(3)]);
  const sizes = messages.map(({ value }) => value?.length ?? 0);
  const bytesMax = (sizes[0] ?? 0) + (sizes[1] ?? 0);
  const cutter = new BlockCutter(REQUEST_LOG_STREAM, {
    nextOffset: 0,
    bounds: { rowsMax: 1_000, bytesMax },
    seen: new BatchIntervals(),
  });
  assert.deepEqual(
    cutAll(messages, cutter).map(({ lastOffset, cut }) => [lastOffset, cut]),
    [
      [1, 'bytes'],
      [3, 'bytes'],
    ],
  );
});

test('a marker ends a block with messages, and opens the next one where there are none', () => {
  const blocks = cutAll(logOf([marker, marker, batch(0), marker, marker, batch(1), marker]));
  assert.deepEqual(
    blocks.map(({ firstOffset, lastOffset, rows, messages }) => [firstOffset, lastOffset, rows, messages]),
    [
      [0, 3, 10, 4],
      [4, 6, 10, 3],
    ],
  );
});

test('a marker’s bounds apply from the next block on, whatever the owner’s settings', () => {
  const blocks = cutAll(
    logOf([batch(0), { kind: 'marker', bounds: { rowsMax: 10, bytesMax: 1_000_000 } }, batch(1), batch(2)]),
  );
  assert.deepEqual(
    blocks.map(({ cut, rows, nextBounds }) => [cut, rows, nextBounds.rowsMax]),
    [
      ['marker', 10, 10],
      ['rows', 10, 10],
      ['rows', 10, 10],
    ],
  );
});

test('a batch that was seen before, in this block or an earlier one, is left out and counted', () => {
  const blocks = cutAll(logOf([batch(0), batch(0), batch(1, 30), batch(1, 30), batch(2), marker]));
  assert.deepEqual(
    blocks.map(({ rows, duplicates }) => [rows, duplicates.messages, duplicates.rows]),
    [
      [40, 1, 10],
      [10, 1, 30],
    ],
  );
});

test('a copy of a batch that cannot be decoded is no duplicate: it is stored or dead as the first one is', () => {
  const value = wrapBlock(REQUEST_LOG_SCHEMA, 3, Buffer.from('these are no records'));
  const headers = writeBatchHeaders({ boot: 'boot0009', partition: 0, sequence: 0 }, 3, value);
  const copies = logOf([batch(0), batch(0)]).map((message) => ({ ...message, value, headers }));
  const [block] = cutAll([...copies, ...logOf([marker], 2)]);
  assert.deepEqual([block?.stored.length, block?.duplicates.messages], [2, 0]);
});

test('a block of nothing but duplicates is ended by a marker, one of markers is not', () => {
  const seen = new BatchIntervals();
  seen.add('boot0001', 0, 5, 0);
  const cutter = new BlockCutter(REQUEST_LOG_STREAM, { nextOffset: 0, bounds: BOUNDS, seen });
  cutAll(logOf([marker]), cutter);
  assert.equal(cutter.holdsMessages, false);
  cutAll(logOf([batch(3)], 1), cutter);
  assert.equal(cutter.holdsMessages, true);
});

test('unreadable messages are set apart with their reason, and their neighbours stay', () => {
  const [good] = logOf([batch(0)]);
  assert.ok(good?.value);
  const torn = good.value.subarray(0, good.value.length - 3);
  const entries: Entry[] = [
    batch(0),
    { kind: 'poison', value: null },
    { kind: 'poison', value: Buffer.from('{"json":1}') },
    { kind: 'poison', value: torn },
    { kind: 'poison', value: good.value },
    batch(1),
    marker,
  ];
  const [block] = cutAll(logOf(entries));
  assert.deepEqual(
    block?.dead.map(({ message, reason }) => [message.offset, reason]),
    [
      [1, 'empty_message'],
      [2, 'bad_magic'],
      [3, 'truncated'],
      [4, 'missing_header'],
    ],
  );
  assert.equal(block.rows, 20);
});

test('a wrong count is distinguished from a wrong checksum', () => {
  const [message] = logOf([batch(0)]);
  assert.ok(message);
  const dead = ['imscope-count', 'imscope-crc32'].map((header) => {
    const changed = { ...message, headers: { ...message.headers, [header]: '7' } };
    return cutAll([changed, ...logOf([marker], 1)])[0]?.dead[0]?.reason;
  });
  assert.deepEqual(dead, ['count_mismatch', 'bad_crc']);
});

test('an unknown schema waits for a newer version, unless its bytes changed on the way', () => {
  const json = '{"type":"record","name":"imscope.RequestLog","fields":[]}';
  const header = containerHeader(REQUEST_LOG_SCHEMA);
  const value = Buffer.concat([
    header.subarray(0, 5),
    encodeLong(11),
    Buffer.from('avro.schema'),
    encodeLong(json.length),
    Buffer.from(json),
    encodeLong(10),
    Buffer.from('avro.codec'),
    encodeLong(7),
    Buffer.from('deflate'),
    encodeLong(0),
    Buffer.alloc(16, 7),
  ]);
  const id = { boot: 'boot0001', partition: 0, sequence: 0 };
  const message = { offset: 0, appendedMs: 0, value };
  const kinds = [
    undefined,
    writeBatchHeaders(id, 3, value),
    writeBatchHeaders(id, 3, Buffer.from('other')),
  ].map((headers) => readMessage({ ...message, headers }, REQUEST_LOG_STREAM.schemas));
  assert.deepEqual(kinds, [
    { kind: 'unknown_schema' },
    { kind: 'unknown_schema' },
    { kind: 'dead', reason: 'bad_crc' },
  ]);
});

test('a copy is a duplicate, also one that is redriven at the end of its term, unless its times are beyond all terms', () => {
  const day = 24 * 3_600_000;
  const [first] = logOf([batch(0)]);
  assert.ok(first);
  const copies = [6, 31].map((days, index) => ({
    ...first,
    offset: index + 1,
    appendedMs: first.appendedMs + days * day,
  }));
  const seen = new BatchIntervals();
  for (const { appendedMs } of [first, ...copies]) seen.add('boot0001', 0, 0, appendedMs);
  const cutter = new BlockCutter(REQUEST_LOG_STREAM, { nextOffset: 0, bounds: BOUNDS, seen });
  const [block] = cutAll([first, ...copies, ...logOf([marker], 3)], cutter);
  assert.deepEqual([block?.duplicates.messages, block?.stored.length], [2, 1]);
});

/** The boot of a keyed request’s batches. */
const KEYED = keyedBoot(Buffer.alloc(32, 7));

const entries = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('batch' as const),
        boot: fc.constantFrom('boot0001', 'boot0002'),
        sequence: fc.nat(12),
        records: fc.integer({ min: 1, max: 15 }),
      }),
    },
    { weight: 2, arbitrary: fc.constant(marker) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('marker' as const),
        bounds: fc.record({
          rowsMax: fc.integer({ min: 1, max: 60 }),
          bytesMax: fc.integer({ min: 500, max: 100_000 }),
        }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('poison' as const),
        value: fc.constantFrom(null, Buffer.from('x')),
      }),
    },
  ),
  { maxLength: 60 },
);

/** Cuts a log in one go, and by an owner that starts after some block and knows the ledger only. */
function assertCutAlike(messages: readonly LogMessage[], choice: number): void {
  const complete = cutAll(messages);
  const before = complete.slice(0, complete.length === 0 ? 0 : choice % (complete.length + 1));
  const last = before.at(-1);
  const seen = new BatchIntervals();
  for (const block of before) {
    const row = ledgerRowOf(PLACE, block, insertsOf(PLACE, block));
    for (const { boot, first_sequence, last_sequence } of row.batches) {
      const asked = row.last_appended >= (last?.lastAppendedMs ?? 0) - KEYED_KNOWN_MS;
      if (asked || boot !== KEYED) seen.add(boot, first_sequence, last_sequence, row.last_appended);
    }
  }
  const nextOffset = last === undefined ? 0 : last.lastOffset + 1;
  const start = { nextOffset, bounds: last?.nextBounds ?? BOUNDS, seen };
  const resumed = cutAll(
    messages.filter(({ offset }) => offset >= nextOffset),
    new BlockCutter(REQUEST_LOG_STREAM, start),
  );
  assert.deepEqual(written([...before, ...resumed]), written(complete));
}

test('an owner that starts at any block’s end, with what the ledger says, cuts the same blocks with the same bytes', () => {
  fc.assert(
    fc.property(entries, fc.nat(), (log, choice) => assertCutAlike(logOf(log), choice)),
    { numRuns: 500 },
  );
});

test('the same holds where keyed requests are sent again about an hour later, when their ids are forgotten', () => {
  const keyed = fc.record({
    kind: fc.constant('batch' as const),
    boot: fc.constant(KEYED),
    sequence: fc.nat(3),
    records: fc.constant(1),
  });
  const log = fc.array(
    fc.oneof({ weight: 5, arbitrary: keyed }, { weight: 1, arbitrary: fc.constant(marker) }),
    {
      minLength: 20,
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(log, fc.nat(), fc.integer({ min: 200_000, max: 900_000 }), (drawn, choice, apartMs) => {
      const messages = logOf(drawn).map((message) => ({
        ...message,
        appendedMs: LOG_TIME + message.offset * apartMs,
      }));
      assertCutAlike(messages, choice);
    }),
    { numRuns: 500 },
  );
});

test('blocks cover the log without gap or overlap, and each batch is stored once', () => {
  fc.assert(
    fc.property(entries, (log) => {
      const blocks = cutAll(logOf([...log, batch(99, 1, 'boot0003'), marker]));
      let next = 0;
      const stored: string[] = [];
      for (const block of blocks) {
        assert.equal(block.firstOffset, next);
        next = block.lastOffset + 1;
        stored.push(...block.stored.map(({ boot, sequence }) => `${boot}:${sequence}`));
      }
      // The last marker ends the last block, unless a bound just did.
      assert.ok(next >= log.length + 1);
      assert.equal(new Set(stored).size, stored.length);
      const sent = new Set(
        log.flatMap((entry) => (entry.kind === 'batch' ? [`${entry.boot}:${entry.sequence}`] : [])),
      );
      assert.deepEqual(new Set(stored), sent.add('boot0003:99'));
    }),
    { numRuns: 300 },
  );
});

test('an offset that goes back is refused', () => {
  const cutter = new BlockCutter(REQUEST_LOG_STREAM, {
    nextOffset: 5,
    bounds: BOUNDS,
    seen: new BatchIntervals(),
  });
  assert.throws(() => cutter.push(logOf([marker], 4)[0] ?? assert.fail()), /offset 4 came after 4/);
});

test('a batch that is empty because it expired is recorded as a batch, and ends no block', () => {
  const value = containerHeader(REQUEST_LOG_SCHEMA);
  const empty = (place: { offset: number; appendedMs: number }): LogMessage => ({
    ...place,
    value,
    headers: {
      ...writeBatchHeaders({ boot: 'boot0001', partition: 0, sequence: 1 }, 0, value),
      [EXPIRED_HEADER]: '7',
    },
  });
  const [first, , third, end] = logOf([batch(0), marker, batch(2), marker]);
  assert(first !== undefined && third !== undefined && end !== undefined);
  const blocks = cutAll([first, empty({ offset: 1, appendedMs: first.appendedMs }), third, end]);
  const [block] = blocks;
  assert(block !== undefined && blocks.length === 1);
  const inserts = insertsOf(PLACE, block);
  const row = ledgerRowOf(PLACE, block, inserts);
  assert.deepEqual(
    row.batches.map(({ first_sequence: from, last_sequence: to, records }) => [from, to, records]),
    [[0, 2, 20]],
  );
  const onlyEmpty = cutAll([empty({ offset: 0, appendedMs: 0 }), ...logOf([marker], 1)]);
  assert(onlyEmpty[0] !== undefined);
  assert.deepEqual(insertsOf(PLACE, onlyEmpty[0]), []);
});
