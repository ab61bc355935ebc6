import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { constants, createZstdCompress, deflateRawSync, zstdCompressSync } from 'node:zlib';
import { test } from 'node:test';
import avro from 'avsc';
import fc from 'fast-check';
import { ALL_SCHEMAS, REQUEST_LOG_SCHEMA, type AvroSchema } from '../src/avro-schema.js';
import { BlockBuilder } from '../src/block-builder.js';
import {
  type ContainerShape,
  containerForm,
  containerHeader,
  decodeLong,
  encodeLong,
  inspectContainer,
  readHeader,
  sealBlock,
  wrapBlock,
} from '../src/container.js';
import { CODECS, compress, decompress, decompressedBytesMax } from '../src/container-codec.js';
import { decodeContainer, compressionFault, verifyContainer } from '../src/container-decoder.js';
import { sampleEdgeAccount, sampleInterfaceMetric, sampleRequestLog } from './sample-records.js';

const SAMPLES: Record<AvroSchema['name'], (index: number) => unknown> = {
  RequestLog: sampleRequestLog,
  InterfaceMetric: sampleInterfaceMetric,
  EdgeAccount: sampleEdgeAccount,
};

const ADDED_IN_ACCOUNT_3 = [
  'host',
  'region',
  'settings_hash',
  'account_interval_ms',
  'spool_bytes',
  'spool_bytes_max',
  'waiting_batches',
  'sent_bytes',
  'retired',
];

/** Fields that later versions added. */
const ADDED_LATER: Readonly<Record<string, readonly string[]>> = {
  'EdgeAccount.1': ['covers_from', 'covers_to', ...ADDED_IN_ACCOUNT_3],
  'EdgeAccount.2': ADDED_IN_ACCOUNT_3,
};

/** A record with the fields that this version has. */
function sampleOf({ name, version }: AvroSchema, index: number): unknown {
  const later = ADDED_LATER[`${name}.${version}`] ?? [];
  const sample = Object.entries(Object(SAMPLES[name](index)));
  return Object.fromEntries(sample.filter(([field]) => !later.includes(field)));
}

function containerOf(schema: AvroSchema, from: number, count: number): Buffer {
  const builder = new BlockBuilder<unknown>(schema);
  for (let index = from; index < from + count; index++) builder.append(sampleOf(schema, index));
  return builder.finish();
}

function plain(records: unknown[]): unknown {
  return JSON.parse(JSON.stringify(records));
}

/** Avro leaves zstandard to the user of its JavaScript library, as its specification does. */
async function readWithAvsc(bytes: Buffer): Promise<unknown[]> {
  const decoder = new avro.streams.BlockDecoder({
    codecs: {
      zstandard: (compressed, callback) => {
        const plain = decompress('zstandard', compressed, 1 << 20);
        if (plain.ok) callback(null, plain.bytes);
        else callback(new Error(plain.fault));
      },
    },
  });
  const records: unknown[] = [];
  decoder.on('data', (record: unknown) => records.push(record));
  Readable.from([bytes]).pipe(decoder);
  await once(decoder, 'end');
  return records;
}

for (const schema of ALL_SCHEMAS) {
  test(`${schema.name} ${schema.version} records come back from a container as they went in`, () => {
    const decoded = decodeContainer(containerOf(schema, 0, 200));
    assert.ok(decoded.ok);
    const expected = Array.from({ length: 200 }, (_, index) => sampleOf(schema, index));
    assert.deepEqual(plain(decoded.records), plain(expected));
  });

  test(`${schema.name} ${schema.version} containers joined after one header are one container to any Avro reader`, async () => {
    const header = containerHeader(schema);
    const parts = [containerOf(schema, 0, 3), containerOf(schema, 3, 1), containerOf(schema, 4, 50)];
    const joined = Buffer.concat([header, ...parts.map((part) => part.subarray(header.length))]);
    const records = await readWithAvsc(joined);
    assert.deepEqual(
      plain(records),
      plain(Array.from({ length: 54 }, (_, index) => sampleOf(schema, index))),
    );
    const inspected = inspectContainer(joined);
    assert.equal(inspected.ok && inspected.shape.records, 54);
  });
}

test('a marker is a header alone, with no records', async () => {
  const marker = wrapBlock(REQUEST_LOG_SCHEMA, 0, Buffer.alloc(0));
  assert.deepEqual(marker, containerHeader(REQUEST_LOG_SCHEMA));
  assert.deepEqual(decodeContainer(marker), { ok: true, records: [] });
  assert.deepEqual(await readWithAvsc(marker), []);
});

test('a block builder starts again after each container and outgrows its first buffer', () => {
  const builder = new BlockBuilder(REQUEST_LOG_SCHEMA);
  for (const size of [1, 3_000, 2]) {
    for (let index = 0; index < size; index++) builder.append(sampleRequestLog(index));
    assert.equal(builder.records, size);
    const decoded = decodeContainer(builder.finish());
    assert.equal(decoded.ok && decoded.records.length, size);
    assert.equal(builder.bytes, 0);
  }
});

test('a header of any Avro container is read, and a foreign schema is distinguished', () => {
  const foreign = avro.Type.forSchema({
    type: 'record',
    name: 'Other',
    fields: [{ name: 'a', type: 'int' }],
  });
  const bytes = Buffer.concat([
    Buffer.from('Obj\u0001'),
    encodeLong(1),
    encodeLong(11),
    Buffer.from('avro.schema'),
    encodeLong(JSON.stringify(foreign).length),
    Buffer.from(JSON.stringify(foreign)),
    encodeLong(0),
    Buffer.alloc(16, 7),
  ]);
  const read = readHeader(bytes);
  assert.ok(read.ok);
  assert.equal(read.header.codec, 'null');
  assert.equal(read.header.length, bytes.length);
  assert.deepEqual(inspectContainer(bytes), { ok: false, fault: 'unknown_schema' });
});

test('numbers of 52 bits keep their value through the variable-length encoding', () => {
  fc.assert(
    fc.property(
      // Plus 0, for -0 is another number to deepEqual.
      fc.maxSafeInteger().map((value) => Math.trunc(value / 2) + 0),
      (value) => {
        assert.deepEqual(decodeLong(encodeLong(value), 0)?.value, value);
        assert.deepEqual(encodeLong(value), avro.Type.forSchema('long').toBuffer(value));
      },
    ),
  );
});

test('a container cut short anywhere is refused with a reason and never throws', () => {
  const complete = containerOf(REQUEST_LOG_SCHEMA, 0, 5);
  for (let length = 0; length < complete.length; length++) {
    const cut = complete.subarray(0, length);
    const decoded = decodeContainer(cut);
    if (length === containerHeader(REQUEST_LOG_SCHEMA).length)
      assert.ok(decoded.ok, 'the header alone is a marker');
    else assert.ok(!decoded.ok, `${length} of ${complete.length} bytes were accepted`);
  }
});

test('with any one byte changed, a container is refused or decodes, and never throws', () => {
  const complete = containerOf(REQUEST_LOG_SCHEMA, 0, 20);
  fc.assert(
    fc.property(fc.nat(complete.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
      const bytes = Buffer.from(complete);
      bytes[position] = (bytes[position] ?? 0) ^ change;
      assert.equal(typeof decodeContainer(bytes).ok, 'boolean');
    }),
    { numRuns: 2_000 },
  );
});

test('a hostile record count or array length costs one pass, not a loop over the count', () => {
  for (const schema of ALL_SCHEMAS) {
    // A count of 2^51 before zeros would loop for hours if it were trusted.
    for (const encoded of [Buffer.concat([encodeLong(2 ** 51), Buffer.alloc(8)]), Buffer.alloc(64, 0x80)]) {
      const bytes = wrapBlock(schema, 1, Buffer.concat([Buffer.alloc(12), encoded]));
      assert.deepEqual(decodeContainer(bytes), { ok: false, fault: 'bad_record' });
    }
    assert.deepEqual(decodeContainer(wrapBlock(schema, 2 ** 51, Buffer.alloc(8))), {
      ok: false,
      fault: 'too_large',
    });
  }
});

test('a block that inflates beyond the bound is refused', () => {
  const bytes = wrapBlock(REQUEST_LOG_SCHEMA, 1, Buffer.alloc(4_000_000));
  const bounds = { bytesMax: 1_000_000, recordsMax: 100 };
  assert.deepEqual(decodeContainer(bytes, undefined, bounds), { ok: false, fault: 'too_large' });
});

test('verifying records gives the same result as decoding them, whatever byte is changed', () => {
  const plainRecords = Buffer.concat(
    [0, 1, 2].map((n) => REQUEST_LOG_SCHEMA.type.toBuffer(sampleRequestLog(n))),
  );
  fc.assert(
    fc.property(fc.nat(plainRecords.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
      const bytes = Buffer.from(plainRecords);
      bytes[position] = (bytes[position] ?? 0) ^ change;
      const container = wrapBlock(REQUEST_LOG_SCHEMA, 3, bytes);
      assert.equal(verifyContainer(container).ok, decodeContainer(container).ok);
    }),
    { numRuns: 1_000 },
  );
});

test('counts and sizes that no message can have are detected before decompressing', () => {
  const header = containerHeader(REQUEST_LOG_SCHEMA);
  const compressed = Buffer.alloc(10);
  const blockOf = (count: number, size: number): Buffer =>
    Buffer.concat([encodeLong(count), encodeLong(size), compressed, REQUEST_LOG_SCHEMA.fingerprint]);
  for (const [blocks, fault] of [
    [[blockOf(2 ** 51, 10)], 'too_large'],
    [[blockOf(600_000, 10), blockOf(600_000, 10)], 'too_large'],
    [[blockOf(-1, 2 ** 51)], 'bad_record'],
    [[blockOf(1, -10)], 'bad_record'],
    [[blockOf(1, 2 ** 51)], 'truncated'],
    [[Buffer.alloc(40, 0xff)], 'truncated'],
  ] as const) {
    assert.deepEqual(inspectContainer(Buffer.concat([header, ...blocks])), { ok: false, fault });
  }
});

/** Only a header, with this text as its schema. */
function withSchema(json: string): Buffer {
  return Buffer.concat([
    Buffer.from('Obj\u0001'),
    encodeLong(1),
    encodeLong(11),
    Buffer.from('avro.schema'),
    encodeLong(json.length),
    Buffer.from(json),
    encodeLong(0),
    Buffer.alloc(16, 7),
  ]);
}

function shapeOf(bytes: Buffer): ContainerShape {
  const inspected = inspectContainer(bytes);
  assert.ok(inspected.ok);
  return inspected.shape;
}

test('a schema that cannot be read is no reason to wait for a version that knows it', () => {
  for (const json of ['', '{', '"string"', 'null', '{"type":"enum"}']) {
    assert.deepEqual(inspectContainer(withSchema(json)), { ok: false, fault: 'bad_header' }, json);
  }
});

/** 16 MiB of zeros, `times` over, in 16 kB each. */
function deflatedZeros(times: number): Buffer {
  const part = deflateRawSync(Buffer.alloc(16 << 20), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat([...Array.from({ length: times }, () => part), deflateRawSync(Buffer.alloc(0))]);
}

function faultOf(container: Buffer): string | undefined {
  return compressionFault(container, shapeOf(container));
}

test('content that deflate makes a thousand times smaller is detected before it is decompressed, and small blocks are not checked', () => {
  const form = containerForm(REQUEST_LOG_SCHEMA, 'deflate');
  assert.equal(faultOf(sealBlock(form, 1, deflatedZeros(5))), 'too_large');
  const records = Buffer.alloc(8 << 20, 'honest records are compressed too, though not so much');
  const honest = deflateRawSync(records, { level: 0 });
  assert.ok(honest.length > deflatedZeros(5).length);
  assert.equal(faultOf(sealBlock(form, 1, honest)), undefined);
});

test('many blocks that decompress to little are not too large, whatever their greatest possible size', () => {
  const form = containerForm(REQUEST_LOG_SCHEMA, 'deflate');
  const one = sealBlock(form, 1, deflateRawSync(Buffer.alloc(40_000), { level: 0 }));
  const blocks = Array.from({ length: 8 }, () => one.subarray(form.header.length));
  assert.equal(faultOf(Buffer.concat([form.header, ...blocks])), undefined);
});

test('a zstandard block states its size; without a size, or if it is not exactly one frame, it is bad packing', async () => {
  const form = containerForm(REQUEST_LOG_SCHEMA);
  for (const bytes of [0, 1, 255, 256, 65_791, 65_792, 300_000, 64 << 20]) {
    const compressed = compress(Buffer.alloc(bytes, 'x'));
    assert.equal(decompressedBytesMax('zstandard', compressed), bytes);
    assert.equal(faultOf(sealBlock(form, 1, compressed)), undefined);
  }
  const frame = compress(Buffer.alloc(300_000, 'abc'));
  const streamed = createZstdCompress();
  const chunks: Buffer[] = [];
  streamed.on('data', (chunk: Buffer) => chunks.push(chunk));
  streamed.write(Buffer.alloc(100_000, 'abc'));
  streamed.end(Buffer.alloc(100_000, 'abc'));
  await once(streamed, 'end');
  const skippable = Buffer.from('502a4d180400000001020304', 'hex');
  const reserved = Buffer.from(frame);
  reserved[4] = (reserved[4] ?? 0) | 0x08;
  for (const [title, compressed] of [
    ['nothing', Buffer.alloc(0)],
    ['no zstandard', Buffer.from('these are not compressed records')],
    ['two frames', Buffer.concat([frame, frame])],
    ['bytes after it', Buffer.concat([frame, Buffer.from('x')])],
    ['cut short', frame.subarray(0, frame.length - 1)],
    ['cut within its header', frame.subarray(0, 7)],
    ['a skippable frame', Buffer.concat([skippable, frame])],
    ['a reserved bit', reserved],
    ['a frame that names no size', Buffer.concat(chunks)],
  ] as const) {
    assert.equal(decompressedBytesMax('zstandard', compressed), undefined, title);
    const container = sealBlock(form, 1, compressed);
    assert.equal(faultOf(container), 'bad_packing', title);
    assert.deepEqual(verifyContainer(container), { ok: false, fault: 'bad_packing' }, title);
  }
  assert.equal(faultOf(sealBlock(form, 1, compress(Buffer.alloc((64 << 20) + 1)))), 'too_large');
  const checked = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
  assert.equal(decompressedBytesMax('zstandard', zstdCompressSync(Buffer.alloc(1_000), checked)), 1_000);
});

test('a zstandard frame never decompresses to more than it states, whatever byte of it is changed', () => {
  const plain = Buffer.concat([0, 1, 2, 3].map((n) => REQUEST_LOG_SCHEMA.type.toBuffer(sampleRequestLog(n))));
  const compressed = compress(plain);
  fc.assert(
    fc.property(fc.nat(compressed.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
      const bytes = Buffer.from(compressed);
      bytes[position] = (bytes[position] ?? 0) ^ change;
      const most = decompressedBytesMax('zstandard', bytes);
      const decompressed = decompress('zstandard', bytes, 1 << 20);
      assert.ok(most === undefined || !decompressed.ok || decompressed.bytes.length <= most);
    }),
    { numRuns: 3_000 },
  );
});

test('records compressed by deflate are still read', () => {
  for (const schema of ALL_SCHEMAS) {
    const records = [0, 1, 2].map((index) => schema.type.toBuffer(sampleOf(schema, index)));
    const compressed = deflateRawSync(Buffer.concat(records));
    const decoded = decodeContainer(sealBlock(containerForm(schema, 'deflate'), 3, compressed));
    assert.ok(decoded.ok);
    assert.deepEqual(plain(decoded.records), plain([0, 1, 2].map((index) => sampleOf(schema, index))));
  }
  assert.equal(new Set(CODECS.map((codec) => containerForm(REQUEST_LOG_SCHEMA, codec))).size, CODECS.length);
});
