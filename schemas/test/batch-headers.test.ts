import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readBatchHeaders, writeBatchHeaders } from '../src/batch-headers.js';
import { formatBounds, parseBounds, readMarkerBounds, writeMarkerHeaders } from '../src/block-bounds.js';

const BATCH = { boot: 'abcdef0123456789', partition: 3, sequence: 41 };
const VALUE = Buffer.from('any bytes');

function asKafkaGivesThem(headers: Record<string, string>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]));
}

test('headers come back as written, with and without event times', () => {
  for (const eventTimes of [undefined, { least: 5, greatest: 1_800_000_000_000 }]) {
    const written = asKafkaGivesThem(writeBatchHeaders(BATCH, 500, VALUE, eventTimes));
    const read = readBatchHeaders(written, VALUE);
    assert.ok(read.ok);
    assert.deepEqual(read.headers.batch, BATCH);
    assert.equal(read.headers.records, 500);
    assert.deepEqual(read.headers.eventTimes, eventTimes);
  }
});

test('changed bytes, a missing header and a malformed one are each named', () => {
  const headers = writeBatchHeaders(BATCH, 500, VALUE);
  assert.deepEqual(readBatchHeaders(headers, Buffer.from('other')), { ok: false, fault: 'bad_crc' });
  assert.deepEqual(readBatchHeaders(undefined, VALUE), { ok: false, fault: 'missing_header' });
  for (const batch of [
    '',
    'UPPER456:1:2',
    'abcdef01:1',
    'abcdef01:1:2:3',
    'abcdef01:-1:2',
    'abcdef01:1:1e3',
  ]) {
    const read = readBatchHeaders({ ...headers, 'imscope-batch': batch }, VALUE);
    assert.deepEqual(read, { ok: false, fault: 'bad_header_value' }, batch);
  }
  // Beyond what the store's times and sums can hold, they would stop the aggregator that records them.
  for (const [name, value] of [
    ['imscope-event-times', '1'],
    ['imscope-event-times', '5:4'],
    ['imscope-event-times', '1:10413792000000'],
    ['imscope-count', '1000001'],
    ['imscope-batch', 'abcdef01:1:9999999999999999'],
  ] as const) {
    const read = readBatchHeaders({ ...headers, [name]: value }, VALUE);
    assert.deepEqual(read, { ok: false, fault: 'bad_header_value' }, value);
  }
});

test('any header text gives a result, never an error thrown', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (batch, count, crc) => {
      const read = readBatchHeaders(
        { 'imscope-batch': batch, 'imscope-count': count, 'imscope-crc32': crc },
        VALUE,
      );
      assert.equal(read.ok, false);
    }),
  );
});

test('an incarnation id that could not be read again is refused when written', () => {
  assert.throws(() => writeBatchHeaders({ ...BATCH, boot: 'a:b' }, 1, VALUE), /boot id/);
});

test('a marker carries bounds, and bounds that would not fit the store are ignored', () => {
  const bounds = { rowsMax: 1_000, bytesMax: 2_000_000 };
  assert.deepEqual(readMarkerBounds(asKafkaGivesThem(writeMarkerHeaders(bounds))), bounds);
  assert.deepEqual(parseBounds(formatBounds(bounds)), bounds);
  assert.equal(readMarkerBounds(undefined), undefined);
  for (const text of ['', '0:5', '5', '2000000:5', '5:99000000', '1e3:5', '5:5:5'])
    assert.equal(parseBounds(text), undefined, text);
});
