import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INTERFACE_METRIC_SCHEMA, REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { EXPIRED_HEADER, writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { containerForm, containerHeader } from '@imscope/schemas/container.js';
import { decodeContainer } from '@imscope/schemas/container-decoder.js';
import { BatchIntervals } from '../src/blocks/batch-intervals.js';
import { insertsOf, ledgerRowOf, tokenOf } from '../src/blocks/block-content.js';
import { type Block, BlockCutter } from '../src/blocks/block-cutter.js';
import { REQUEST_LOG_STREAM } from '../src/blocks/streams.js';
import { LOG_TIME, logOf } from './log-of-messages.js';

const PLACE = { cluster: 'c', topic: 't', epoch: 0, partition: 3 };

function oneBlock(): Block {
  const cutter = new BlockCutter(REQUEST_LOG_STREAM, {
    nextOffset: 0,
    bounds: { rowsMax: 30, bytesMax: 1e6 },
    seen: new BatchIntervals(),
  });
  const entries = [0, 1, 3].map((sequence) => ({
    kind: 'batch' as const,
    boot: 'boot0001',
    sequence,
    records: 10,
  }));
  const pushed = logOf(entries)
    .map((message) => cutter.push(message))
    .at(-1);
  assert.ok(pushed?.kind === 'cut');
  return pushed.block;
}

test('an insert’s body is one container with all the block’s records in order', () => {
  const [insert] = insertsOf(PLACE, oneBlock());
  assert.ok(insert);
  const decoded = decodeContainer(Buffer.concat([...insert.body]));
  assert.ok(decoded.ok);
  const ids = decoded.records.map((record) => (record as { request_id: string }).request_id);
  const expected = [0, 1, 3].flatMap((sequence) =>
    Array.from({ length: 10 }, (_, i) => `boot0001-0-${sequence}-${i}`),
  );
  assert.deepEqual(ids, expected);
});

test('two schemas, or two codecs, in one block are two inserts with two tokens and two block ids', () => {
  const block = oneBlock();
  for (const form of [containerForm(INTERFACE_METRIC_SCHEMA), containerForm(REQUEST_LOG_SCHEMA, 'deflate')]) {
    const stored = block.stored.map((message, index) => (index === 1 ? { ...message, form } : message));
    const inserts = insertsOf(PLACE, { ...block, stored });
    assert.deepEqual(
      inserts.map(({ body, rows }) => [body[0], rows]),
      [
        [containerHeader(REQUEST_LOG_SCHEMA), 20],
        [form.header, 10],
      ],
    );
    assert.equal(new Set(inserts.map(({ token }) => token)).size, 2);
    assert.equal(new Set(inserts.map(({ blockId }) => blockId)).size, 2);
  }
});

test('the token of a container packed by deflate is the same as before other codecs existed', () => {
  const fingerprint = REQUEST_LOG_SCHEMA.fingerprint.toString('hex');
  const form = containerForm(REQUEST_LOG_SCHEMA, 'deflate');
  assert.equal(tokenOf(PLACE, { firstOffset: 5, lastOffset: 9 }, form), `c:t:0:3:5:9:${fingerprint}`);
});

test('cluster, topic, epoch, partition and offsets each make another token', () => {
  const block = oneBlock();
  const places = [
    PLACE,
    { ...PLACE, cluster: 'd' },
    { ...PLACE, topic: 'u' },
    { ...PLACE, epoch: 1 },
    { ...PLACE, partition: 4 },
  ];
  const tokens = places.map((place) => insertsOf(place, block)[0]?.token);
  tokens.push(insertsOf(PLACE, { ...block, lastOffset: 99 })[0]?.token);
  assert.equal(new Set(tokens).size, tokens.length);
});

test('the ledger row lists batches as intervals, with their records and event times', () => {
  const block = oneBlock();
  const row = ledgerRowOf(PLACE, block, insertsOf(PLACE, block));
  assert.deepEqual(row.batches, [
    { boot: 'boot0001', first_sequence: 0, last_sequence: 1, records: 20 },
    { boot: 'boot0001', first_sequence: 3, last_sequence: 3, records: 10 },
  ]);
  assert.deepEqual([row.rows, row.messages, row.first_offset, row.last_offset], [30, 3, 0, 2]);
  assert.deepEqual([row.first_event, row.last_event, row.first_appended], [LOG_TIME, LOG_TIME, LOG_TIME]);
});

test('the ledger row names batches that expired at the edge, and those that could not be read', () => {
  const cutter = new BlockCutter(REQUEST_LOG_STREAM, {
    nextOffset: 0,
    bounds: { rowsMax: 20, bytesMax: 1_000_000 },
    seen: new BatchIntervals(),
  });
  const [good, torn, last] = logOf(
    [0, 2, 3].map((sequence) => ({ kind: 'batch', boot: 'boot0001', sequence, records: 10 })),
  );
  assert.ok(good && torn?.value && last);
  const empty = Buffer.from(containerHeader(REQUEST_LOG_SCHEMA));
  const id = { boot: 'boot0001', partition: 3, sequence: 1 };
  const headers = { ...writeBatchHeaders(id, 0, empty), [EXPIRED_HEADER]: '7' };
  const log = [
    good,
    { ...good, value: empty, headers },
    { ...torn, value: torn.value.subarray(0, -1) },
    last,
  ];
  const [block] = log.flatMap((message, offset) => {
    const pushed = cutter.push({ ...message, offset });
    return pushed.kind === 'cut' ? [pushed.block] : [];
  });
  assert.ok(block);
  const row = ledgerRowOf(PLACE, block, insertsOf(PLACE, block));
  assert.deepEqual(row.dead_batches, [{ boot: 'boot0001', sequence: 2, records: 10 }]);
  assert.equal(row.dead_rows, 10);
  assert.deepEqual(row.expired_batches, [{ boot: 'boot0001', sequence: 1, records: 7 }]);
});
