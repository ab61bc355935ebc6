import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_SCHEMAS, REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { skipValue } from '@imscope/schemas/avro-skip.js';
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import avro from 'avsc';
import fc from 'fast-check';
import { AvroRecords } from '../src/bodies/avro-records.js';
import { EncodedAddress } from '../src/intake/exit-address.js';
import { internedText } from '../src/intake/interned-text.js';
import { isRejection } from '../src/intake/reject-reasons.js';
import { storedRecord } from './sample-record.js';

const SEED = 6;
const { type } = REQUEST_LOG_SCHEMA;
/** A number beyond 32 bits in the place of an int is out of range, as one beyond 2^52 in the place of a long is. */
const walkedType = avro.Type.forSchema(
  JSON.parse(REQUEST_LOG_SCHEMA.json.replaceAll('"int"', '"long"')) as avro.Schema,
  { wrapUnions: 'never' },
);

const long = fc.oneof(
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }),
);
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const text = fc.oneof(fc.string({ maxLength: 100 }), fc.string({ unit: 'grapheme', maxLength: 100 }));
const nullable = (value: fc.Arbitrary<number>): fc.Arbitrary<number | null> => fc.option(value);
const record: fc.Arbitrary<RequestLog> = fc.record({
  time: long,
  sdk_app_id: long,
  interface: text,
  exit_ip: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  latency_us: long,
  upstream_us: nullable(long),
  rtt_us: nullable(long),
  code: nullable(int),
  http_status: int,
  outcome: fc.constantFrom(...OUTCOMES),
  exception: text,
  cause: text,
  node: text,
  region: text,
  platform: text,
  sdk_version: text,
  request_id: text,
  weight: fc.constant(1),
});

/** The records of bytes, or `none` where they are not records to their end. */
function read(bytes: Buffer): unknown[] | 'none' {
  const records = new AvroRecords(bytes);
  const values: unknown[] = [];
  try {
    while (!records.ended) values.push(records.next());
  } catch (error) {
    assert(error instanceof RangeError, String(error));
    return 'none';
  }
  return values;
}

/** How many records walking the schema finds, or `none`. */
function walked(bytes: Buffer): number | 'none' {
  let count = 0;
  for (let at = 0; at < bytes.length; count++) {
    const end = skipValue(walkedType, bytes, at);
    if (end === undefined) return 'none';
    at = end;
  }
  return count;
}

test('records that avsc wrote are decoded unchanged', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 3 }), (written) => {
      const values = read(Buffer.concat(written.map((one) => type.toBuffer(one))));
      assert(values !== 'none');
      const expected = written.map(
        ({ latency_us, upstream_us, rtt_us, outcome: _outcome, weight: _weight, ...rest }) => ({
          ...rest,
          exit_ip: EncodedAddress.of(rest.exit_ip, 0),
          latency_ms: latency_us / 1_000,
          upstream_ms: upstream_us === null ? null : upstream_us / 1_000,
          rtt_ms: rtt_us === null ? null : rtt_us / 1_000,
        }),
      );
      assert.deepEqual(
        values.map((value) => ({ ...(value as object) })),
        expected,
      );
    }),
    { seed: SEED },
  );
});

test('changed or truncated bytes are decoded or refused as by avsc, and nothing but RangeError is thrown', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 3 }), changes, fc.nat(), (written, changes, cut) => {
      const whole = Buffer.concat(written.map((one) => type.toBuffer(one)));
      const bytes = Buffer.from(whole);
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      for (const one of [bytes, whole.subarray(0, cut % (whole.length + 1))]) {
        const values = read(one);
        assert.equal(values === 'none' ? values : values.length, walked(one));
      }
    }),
    { seed: SEED, numRuns: 3_000 },
  );
});

test('the schema has one version, the one that the decoder reads', () => {
  assert.deepEqual(
    ALL_SCHEMAS.filter(({ name }) => name === 'RequestLog').map(({ version }) => version),
    [1],
  );
});

test('a record with a weight other than 1 is refused, the next one is accepted', () => {
  const [first, second] = read(
    Buffer.concat([2, 1].map((weight) => type.toBuffer(storedRecord({ weight })))),
  );
  assert(isRejection(first));
  assert.equal(first.reason, 'out_of_range');
  assert(!isRejection(second));
});

test('IPv4 mapped into IPv6 is decoded as its number, other addresses as their bytes', () => {
  const mapped = Buffer.from('0000000000000000000000ffffcb007107', 'hex').subarray(1);
  assert.equal(EncodedAddress.of(mapped, 0).encoded, 0xcb007107);
  const other = Buffer.from('20010db8000000000000ffffcb007107', 'hex');
  assert.deepEqual(EncodedAddress.of(other, 0).encoded, other);
  const zero = Buffer.alloc(16);
  assert.deepEqual(EncodedAddress.of(zero, 0).encoded, zero);
});

test('interned texts are decoded correctly, also when many texts share a slot', () => {
  const bytes = fc.oneof(
    fc.string({ maxLength: 70 }).map((text) => Buffer.from(text)),
    fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 70 }).map((any) => Buffer.from(any)),
    fc.integer({ min: 0, max: 9_999 }).map((n) => Buffer.from(`gw-${n}-a-node-of-some-region`)),
  );
  fc.assert(
    fc.property(fc.array(bytes), (all) => {
      for (const one of [...all, ...all]) {
        const within = Buffer.concat([Buffer.from('«'), one, Buffer.from('»')]);
        assert.equal(internedText(within, 2, 2 + one.length), one.toString('utf8'));
      }
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});
