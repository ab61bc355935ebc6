import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { containerForm, sealBlock } from '@imscope/schemas/container.js';
import type { Codec } from '@imscope/schemas/container-codec.js';
import { RECORDS_MAX } from '../../src/bodies/parse-body.js';
import { type Answer, runCollector, type RunningCollector } from '../running-collector.js';
import { sampleRecord } from '../sample-record.js';

const MIB = 1 << 20;
const GZIP = { 'content-encoding': 'gzip' };
const NDJSON = { 'content-type': 'application/x-ndjson' };
const AVRO = { 'content-type': 'application/avro' };

/** Packed before the collector runs, in this very process: what holds the process up looks like a slow disk to it. */
const ZEROS = Buffer.alloc(256 * MIB);
const BOMB = gzipSync(ZEROS);
const BOMBS = { zstandard: zstdCompressSync(ZEROS), deflate: deflateRawSync(ZEROS) };
const EMPTY_MEMBERS = Buffer.concat(Array.from({ length: 10_000 }, () => gzipSync('')));

let collector: RunningCollector;

before(async () => {
  collector = await runCollector();
});

after(() => collector.remove());

function record(changes: Record<string, unknown> = {}): string {
  return JSON.stringify(sampleRecord({ time: Date.now(), ...changes }));
}

/** A good record with a piece of its text replaced: what `JSON.stringify` would never write. */
function written(field: string, text: string): string {
  return record({ [field]: '@@' }).replace('"@@"', text);
}

function said({ status, body }: Answer): string {
  const {
    error,
    accepted,
    rejected_by_reason: rejected,
  } = body as {
    error?: { code: string };
    accepted?: number;
    rejected_by_reason?: Record<string, number>;
  };
  return error === undefined ? `${accepted} taken ${JSON.stringify(rejected)}` : `${status} ${error.code}`;
}

type Case = readonly [
  what: string,
  body: () => string | Buffer,
  headers: Record<string, string>,
  answer: string,
];

async function hold(cases: readonly Case[]): Promise<void> {
  for (const [what, body, headers, answer] of cases) {
    assert.equal(said(await collector.post(body(), headers)), answer, what);
  }
  assert.equal(await collector.metric('buffered_bytes'), 0);
}

/** A container of one block that says it holds so many records. */
function container(codec: Codec, records: number, packed: Buffer): Buffer {
  return sealBlock(containerForm(REQUEST_LOG_SCHEMA, codec), records, packed);
}

/** A hundred blocks of no records, each with so much in it. */
function manyBlocks(packed: Buffer): Buffer {
  const form = containerForm(REQUEST_LOG_SCHEMA, 'zstandard');
  const block = sealBlock(form, 0, packed).subarray(form.header.length);
  return Buffer.concat([form.header, ...Array.from({ length: 100 }, () => block)]);
}

function deep(open: string, close: string, depth: number): string {
  return open.repeat(depth) + close.repeat(depth);
}

test('encoded bodies: bombs, wrong codings, truncated bodies and bytes after the end', async () => {
  const packed = (): Buffer => gzipSync(record());
  const [first, second] = [gzipSync(`[${record()}`), gzipSync(`,${record()}]`)];
  await hold([
    ['a bomb of 1000:1', () => BOMB, GZIP, '413 body_too_large'],
    ['a bomb within a bomb', () => gzipSync(BOMB), GZIP, '400 unreadable_body'],
    ['a bomb behind a good member', () => Buffer.concat([packed(), BOMB]), GZIP, '413 body_too_large'],
    ['two members that make one body', () => Buffer.concat([first, second]), GZIP, '2 taken {}'],
    ['half of it', () => packed().subarray(0, 100), GZIP, '400 unreadable_body'],
    ['bytes behind it', () => Buffer.concat([packed(), Buffer.from('rubbish')]), GZIP, '400 unreadable_body'],
    ['zeros behind it, as tapes pad', () => Buffer.concat([packed(), Buffer.alloc(100)]), GZIP, '1 taken {}'],
    ['10,000 empty members', () => EMPTY_MEMBERS, GZIP, '400 empty_body'],
    ['gzip that is none', record, GZIP, '400 unreadable_body'],
    ['gzip that is not said', packed, {}, '400 unreadable_body'],
    [
      'gzip twice',
      () => gzipSync(packed()),
      { 'content-encoding': 'gzip, gzip' },
      '415 unsupported_encoding',
    ],
    ['brotli', record, { 'content-encoding': 'br' }, '415 unsupported_encoding'],
  ]);
});

test('Avro containers: bombs in every codec, wrong counts, empty blocks', async () => {
  const bad = '400 unreadable_body';
  await hold([
    ['zstandard', () => container('zstandard', 1, BOMBS.zstandard), AVRO, '413 body_too_large'],
    ['deflate', () => container('deflate', 1, BOMBS.deflate), AVRO, '413 body_too_large'],
    ['zstandard named deflate', () => container('deflate', 1, BOMBS.zstandard), AVRO, bad],
    [
      'gzipped',
      () => gzipSync(container('zstandard', 1, BOMBS.zstandard)),
      { ...AVRO, ...GZIP },
      '413 body_too_large',
    ],
    [
      'a hundred blocks that are too large together',
      () => manyBlocks(zstdCompressSync(Buffer.alloc(MIB))),
      AVRO,
      '413 body_too_large',
    ],
    [
      'more records than there may be',
      () => container('zstandard', 1e12, zstdCompressSync(Buffer.alloc(1))),
      AVRO,
      '413 body_too_large',
    ],
    ['a negative count', () => container('zstandard', -1, zstdCompressSync(Buffer.alloc(1))), AVRO, bad],
    ['records of nothing', () => container('zstandard', 1_000, zstdCompressSync(Buffer.alloc(0))), AVRO, bad],
    ['random bytes', () => randomBytes(100_000), AVRO, bad],
    [
      'random bytes behind a header',
      () => Buffer.concat([containerForm(REQUEST_LOG_SCHEMA).header, randomBytes(1_000)]),
      AVRO,
      bad,
    ],
  ]);
});

test('deep, wide and prototype-polluting JSON is refused by record, or entirely if malformed', async () => {
  await hold([
    ['arrays 99,999 deep', () => deep('[', ']', 99_999), {}, '0 taken {"not_an_object":1}'],
    ['arrays 100,001 deep', () => deep('[', ']', 100_001), {}, '413 body_too_large'],
    [
      'objects 99,999 deep',
      () => `${deep('{"a":', '', 99_998)}{}${'}'.repeat(99_998)}`,
      {},
      '0 taken {"unknown_field":1}',
    ],
    ['arrays that never end', () => '['.repeat(99_999), {}, '400 unreadable_body'],
    [
      'a deep value of a known field',
      () => written('cause', deep('[', ']', 50_000)),
      {},
      '0 taken {"wrong_type":1}',
    ],
    [
      '100,000 empty objects',
      () => `[${'{},'.repeat(RECORDS_MAX - 2)}{}]`,
      {},
      `0 taken {"missing_field":${RECORDS_MAX - 1}}`,
    ],
    ['one more', () => `[${'{},'.repeat(RECORDS_MAX)}{}]`, {}, '413 body_too_large'],
    ['100,000 lines', () => '{}\n'.repeat(RECORDS_MAX), NDJSON, `0 taken {"missing_field":${RECORDS_MAX}}`],
    ['one line more', () => '{}\n'.repeat(RECORDS_MAX + 1), NDJSON, '413 body_too_large'],
    ['arrays of arrays', () => `[${'[],'.repeat(1_000)}[]]`, {}, '0 taken {"not_an_object":1001}'],
    [
      '__proto__',
      () => `{"__proto__":{"polluted":1},${record().slice(1)}`,
      {},
      '0 taken {"unknown_field":1}',
    ],
    [
      'constructor',
      () => `{"constructor":{"prototype":{"polluted":1}},${record().slice(1)}`,
      {},
      '0 taken {"unknown_field":1}',
    ],
    ['__proto__ for the record', () => `{"__proto__":${record()}}`, {}, '0 taken {"unknown_field":1}'],
    ['a field of 4 MB', () => `{"${'a'.repeat(4 * MIB)}":1}`, {}, '0 taken {"unknown_field":1}'],
    ['a byte order mark twice', () => `\uFEFF\uFEFF${record()}`, {}, '400 unreadable_body'],
    ['NUL bytes', () => '\0'.repeat(100), {}, '400 unreadable_body'],
    ['UTF-16', () => Buffer.from(record(), 'utf16le'), {}, '400 unreadable_body'],
  ]);
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});

test('numbers and texts that cannot be stored are refused, or replaced as documented', async () => {
  await hold([
    ['a duration of 1e400', () => written('latency_ms', '1e400'), {}, '0 taken {"out_of_range":1}'],
    ['a duration of -0', () => written('latency_ms', '-0'), {}, '1 taken {}'],
    ['a duration of 1e-400', () => written('latency_ms', '1e-400'), {}, '1 taken {}'],
    ['a time of 1e400', () => written('time', '1e400'), {}, '0 taken {"invalid_time":1}'],
    ['a time of thirty digits', () => written('time', '9'.repeat(30)), {}, '0 taken {"time_too_new":1}'],
    [
      'an application of 2^53 + 1',
      () => written('sdk_app_id', '9007199254740993'),
      {},
      '0 taken {"out_of_range":1}',
    ],
    [
      'a code of a megabyte of digits',
      () => written('code', '9'.repeat(MIB)),
      {},
      '0 taken {"out_of_range":1}',
    ],
    ['a field twice: the last counts', () => written('code', '1.5,"code":0'), {}, '1 taken {}'],
    ['NUL in a text', () => written('cause', String.raw`"a\u0000b"`), {}, '1 taken {}'],
    ['half a surrogate pair', () => written('cause', String.raw`"\ud800"`), {}, '1 taken {}'],
    [
      'bytes that are not UTF-8',
      () => Buffer.from(written('cause', '"\u00FF\u00FE"'), 'latin1'),
      {},
      '1 taken {}',
    ],
    [
      'an interface of a megabyte',
      () => record({ interface: 'a/'.repeat(MIB / 2) }),
      {},
      '0 taken {"too_long":1}',
    ],
    ['an address of a megabyte', () => record({ exit_ip: '1'.repeat(MIB) }), {}, '0 taken {"invalid_ip":1}'],
    [
      'a time of a megabyte',
      () => record({ time: `2024-01-01T00:00:00.${'0'.repeat(MIB)}Z` }),
      {},
      '0 taken {"invalid_time":1}',
    ],
  ]);
});
