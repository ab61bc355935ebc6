import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { deflateRawSync, zstdCompressSync } from 'node:zlib';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { INTERFACE_METRIC_SCHEMA, REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { encodeLong } from '@imscope/schemas/container.js';
import { parseIpAddress } from '@imscope/schemas/ip-address.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import avro from 'avsc';
import fc from 'fast-check';
import { parseBody } from '../src/bodies/parse-body.js';
import { isRejection } from '../src/intake/reject-reasons.js';
import { validateRecord } from '../src/intake/validate-record.js';
import { SAMPLE_TIME_MS, sampleRecord, storedRecord, validationContext } from './sample-record.js';

const INFLATED_MAX = 1 << 20;

type Parsed = { readonly values: unknown[]; readonly held: number };

function parse(bytes: Buffer): Parsed {
  const values: unknown[] = [];
  let held = 0;
  const room = { inflatedBytesMax: INFLATED_MAX, reserve: (more: number) => void (held += more) };
  parseBody({ bytes, format: 'avro' }, room, (index, value) => {
    assert.equal(index, values.length);
    values.push(value);
  });
  return { values, held };
}

/** As any Avro library writes: its own header text, a random sync marker, several blocks. */
async function written(
  records: readonly RequestLog[],
  codec: 'null' | 'deflate' | 'zstandard',
): Promise<Buffer> {
  const encoder = new avro.streams.BlockEncoder(REQUEST_LOG_SCHEMA.type, {
    codec,
    blockSize: 200,
    writeHeader: true,
    codecs: {
      ...avro.streams.BlockEncoder.defaultCodecs(),
      zstandard: (plain, callback) => callback(null, zstdCompressSync(plain)),
    },
  });
  const chunks: Buffer[] = [];
  encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const record of records) encoder.write(record);
  encoder.end();
  await once(encoder, 'end');
  return Buffer.concat(chunks);
}

const SYNC = Buffer.alloc(16, 7);

function text(value: string): Buffer[] {
  return [encodeLong(Buffer.byteLength(value)), Buffer.from(value)];
}

/** A container made by hand, so that it can be wrong. */
function container(
  blocks: readonly { count: number; plain: Buffer; size?: number; sync?: Buffer }[],
  metadata: Record<string, string> = { 'avro.schema': REQUEST_LOG_SCHEMA.json, 'avro.codec': 'deflate' },
): Buffer {
  const entries = Object.entries(metadata);
  const packed = blocks.map(({ count, plain, size, sync = SYNC }) => {
    const bytes = metadata['avro.codec'] === 'deflate' ? deflateRawSync(plain) : plain;
    return Buffer.concat([encodeLong(count), encodeLong(size ?? bytes.length), bytes, sync]);
  });
  return Buffer.concat([
    Buffer.from('Obj\u0001', 'latin1'),
    encodeLong(entries.length),
    ...entries.flatMap(([key, value]) => [...text(key), ...text(value)]),
    encodeLong(0),
    SYNC,
    ...packed,
  ]);
}

function plainOf(records: number, changes: Partial<RequestLog> = {}): Buffer {
  const one = REQUEST_LOG_SCHEMA.type.toBuffer(storedRecord(changes));
  return Buffer.concat(Array.from({ length: records }, () => one));
}

function errorOf(bytes: Buffer): string {
  try {
    parse(bytes);
  } catch (error) {
    assert(error instanceof HttpError, String(error));
    return `${error.code}: ${error.message}`;
  }
  return 'none';
}

const CONTEXT = validationContext();

test('records of a container of any library are validated as the same records in JSON', async () => {
  const asJson = sampleRecord({ exit_ip: '2001:db8::1' });
  const expected = validateRecord(asJson, CONTEXT);
  assert(!isRejection(expected));
  const exitIp = parseIpAddress('2001:db8::1');
  assert.ok(exitIp);
  // What the sender makes of the outcome is none of ours.
  const record: RequestLog = { ...expected, exit_ip: exitIp, outcome: 'unknown' };
  for (const codec of ['null', 'deflate', 'zstandard'] as const) {
    const { values, held } = parse(
      await written(
        Array.from({ length: 30 }, () => record),
        codec,
      ),
    );
    assert.equal(values.length, 30);
    assert.equal(held, 30 * REQUEST_LOG_SCHEMA.type.toBuffer(record).length);
    for (const value of values) assert.deepEqual(validateRecord(value, CONTEXT), expected);
  }
});

test('durations of whole microseconds are unchanged', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 86_400_000_000 }), (latencyUs) => {
      const [value] = parse(
        container([{ count: 1, plain: plainOf(1, { latency_us: latencyUs, time: SAMPLE_TIME_MS }) }]),
      ).values;
      const stored = validateRecord(value, CONTEXT);
      assert(!isRejection(stored));
      assert.equal(stored.latency_us, latencyUs);
    }),
  );
});

/** Zig-zag and seven bits a byte, of any number of 64 bits. */
function long(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A record written by hand, so that any of its numbers may be of 64 bits. */
function recordWith(numbers: Record<string, bigint | Buffer>): Buffer {
  const number = (field: string, usual: bigint): Buffer => {
    const given = numbers[field] ?? usual;
    return Buffer.isBuffer(given) ? given : long(given);
  };
  const nullable = (field: string): Buffer =>
    numbers[field] === undefined ? long(0n) : Buffer.concat([long(1n), number(field, 0n)]);
  return Buffer.concat([
    number('time', BigInt(SAMPLE_TIME_MS)),
    number('sdk_app_id', 1_400_000_001n),
    ...text('openim/sendmsg'),
    Buffer.from('00000000000000000000ffffc6336407', 'hex'),
    number('latency_us', 12_500n),
    nullable('upstream_us'),
    nullable('rtt_us'),
    nullable('code'),
    number('http_status', 200n),
    long(0n),
    ...['', '', '', '', '', '', ''].flatMap(text),
    number('weight', 1n),
  ]);
}

function reasonsOf(records: readonly Buffer[]): string[] {
  const { values } = parse(container([{ count: records.length, plain: Buffer.concat(records) }]));
  return values.map((value) => {
    const stored = isRejection(value) ? value : validateRecord(value, CONTEXT);
    return isRejection(stored) ? stored.reason : 'taken';
  });
}

test('only the record with a weight of the sender is refused', () => {
  const good = plainOf(1);
  const plain = Buffer.concat([good, plainOf(1, { weight: 5 }), good]);
  const { values } = parse(container([{ count: 3, plain }]));
  assert.deepEqual(
    values.map((value) => (isRejection(value) ? value.reason : 'taken')),
    ['taken', 'out_of_range', 'taken'],
  );
});

test('a number of up to 64 bits outside a field’s bounds refuses only its record, for the same reason as in JSON', () => {
  const wild = [2n ** 52n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 60n, 2n ** 62n + 12_345n, 2n ** 63n - 1n];
  const fields = [
    'time',
    'sdk_app_id',
    'latency_us',
    'upstream_us',
    'rtt_us',
    'code',
    'http_status',
    'weight',
  ];
  for (const field of fields) {
    for (const value of [...wild, ...wild.map((one) => -one), -(2n ** 63n)]) {
      const lateOrEarly = value < 0n ? 'time_too_old' : 'time_too_new';
      const reason = field === 'time' ? lateOrEarly : 'out_of_range';
      const shown = `${field} ${value}`;
      const good = recordWith({});
      assert.deepEqual(
        reasonsOf([good, recordWith({ [field]: value }), good]),
        ['taken', reason, 'taken'],
        shown,
      );
      const inJson = field.replace('_us', '_ms');
      const milliseconds = field === inJson ? Number(value) : Number(value) / 1_000;
      const json = validateRecord(sampleRecord({ [inJson]: milliseconds }), CONTEXT);
      if (field !== 'weight') assert.equal(isRejection(json) ? json.reason : 'taken', reason, shown);
    }
  }
});

test('a number beyond 32 bits for an int refuses only its record', () => {
  for (const value of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 40n]) {
    assert.deepEqual(reasonsOf([recordWith({ code: value }), recordWith({})]), ['out_of_range', 'taken']);
  }
});

function ones(bytes: number): number[] {
  return Array.from({ length: bytes }, () => 0xff);
}

test('a number of more than ten bytes or beyond 64 bits is malformed Avro and refuses the body', () => {
  for (const field of ['time', 'latency_us', 'rtt_us', 'weight']) {
    const largest = recordWith({ [field]: Buffer.from([...ones(9), 1]) });
    assert.equal(reasonsOf([largest, recordWith({})]).at(-1), 'taken', field);
    for (const bytes of [[...ones(9), 2], [...ones(9), 0x7f], [...ones(9), 0x80, 0], ones(11)]) {
      const plain = recordWith({ [field]: Buffer.from(bytes) });
      assert.match(
        errorOf(container([{ count: 1, plain }])),
        /^unreadable_body: .*not a record of its schema/,
      );
    }
  }
});

test('another file or schema is refused entirely, and the message says what to do', () => {
  const metadata = { 'avro.schema': REQUEST_LOG_SCHEMA.json };
  const good = { count: 2, plain: plainOf(2) };
  const cases: readonly (readonly [RegExp, Buffer])[] = [
    [/^empty_body/, Buffer.alloc(0)],
    [/^unreadable_body: .*bad_magic/, Buffer.from('[{"time":1}]')],
    [/^unreadable_body: .*bad_header/, Buffer.from('Obj\u0001')],
    [
      /^unreadable_body: .*schema is not the one of request logs/,
      container([], { ...metadata, 'avro.schema': INTERFACE_METRIC_SCHEMA.json }),
    ],
    [
      /^unreadable_body: .*schema is not the one of request logs/,
      container([], { 'avro.schema': '"string"' }),
    ],
    [
      /^unreadable_body: .*schema is not the one of request logs/,
      container([], { 'avro.schema': '['.repeat(20_000) }),
    ],
    [/^unsupported_encoding: .*"snappy"/, container([good], { ...metadata, 'avro.codec': 'snappy' })],
    [/^unreadable_body: .*is truncated/, container([{ ...good, size: 1_000_000 }])],
    [/^unreadable_body: .*is truncated/, container([{ ...good, count: -2 }])],
    [/^unreadable_body: .*sync marker/, container([{ ...good, sync: Buffer.alloc(16) }])],
    [/^unreadable_body: .*bytes after its last record/, container([{ ...good, count: 1 }])],
    [/^unreadable_body: .*not a record of its schema/, container([{ ...good, count: 3 }])],
    [/^unreadable_body: .*not a record of its schema/, container([{ ...good, count: 99_999 }])],
    [/^body_too_large: .*100000 records/, container([{ ...good, count: 2 ** 40 }])],
    [
      /^body_too_large: .*BODY_INFLATED_BYTES_MAX/,
      container([{ count: 1, plain: Buffer.alloc(INFLATED_MAX + 1) }]),
    ],
    [
      /^body_too_large: .*BODY_INFLATED_BYTES_MAX/,
      container([{ count: 1, plain: Buffer.alloc(INFLATED_MAX + 1) }], metadata),
    ],
  ];
  for (const [expected, bytes] of cases) assert.match(errorOf(bytes), expected);
});

test('no record is passed on if the decompressed bytes are refused', () => {
  const full = new Error('full');
  let records = 0;
  const reserve = (): never => {
    throw full;
  };
  const bytes = container([{ count: 2, plain: plainOf(2) }]);
  assert.throws(
    () =>
      parseBody({ bytes, format: 'avro' }, { inflatedBytesMax: INFLATED_MAX, reserve }, () => (records += 1)),
    full,
  );
  assert.equal(records, 0);
});

test('changed bytes give records and refusals, or an error of the contract', () => {
  const whole = container(
    [
      { count: 3, plain: plainOf(3, { cause: 'x'.repeat(300) }) },
      { count: 2, plain: plainOf(2) },
    ],
    { 'avro.schema': REQUEST_LOG_SCHEMA.json, 'avro.codec': 'null' },
  );
  const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(whole.length), (changes, length) => {
      const bytes = Buffer.from(whole.subarray(0, length === 0 ? whole.length : length));
      for (const { at, byte } of changes) if (at < bytes.length) bytes[at] = byte;
      try {
        const { values } = parse(bytes);
        for (const value of values) {
          const judged = validateRecord(value, CONTEXT);
          assert.ok(
            isRejection(judged) || REQUEST_LOG_SCHEMA.type.isValid({ ...judged, exit_ip: Buffer.alloc(16) }),
          );
        }
      } catch (error) {
        assert(error instanceof HttpError, String(error));
      }
    }),
    { numRuns: 3_000 },
  );
});
