import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { REQUEST_LOGS } from '../src/requests/request-logs.js';
import { contentCoding, type ContentCoding, decode } from '../src/bodies/content-coding.js';
import { parseBody, RECORDS_MAX } from '../src/bodies/parse-body.js';
import { bodyForm, type BodyFormat } from '../src/bodies/read-body.js';
import { isRejection } from '../src/intake/reject-reasons.js';

function formatOf(contentType: string): BodyFormat {
  return bodyForm({ 'content-type': contentType }, REQUEST_LOGS.formats).format;
}

/** What `work` refuses a request with, or undefined. */
async function refusal(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    assert(error instanceof HttpError, String(error));
    return `${error.code}: ${error.message}`;
  }
}

async function decoded(packed: Buffer, coding: Exclude<ContentCoding, 'identity'>): Promise<string> {
  const pieces: Buffer[] = [];
  await decode(packed, coding, (piece) => pieces.push(piece));
  return Buffer.concat(pieces).toString('utf8');
}

/** Parsed values by their index; a rejected line as its reason. */
function parsed(text: string, format: 'json' | 'ndjson' = 'json'): [number, unknown][] {
  const found: [number, unknown][] = [];
  parseBody(
    { bytes: Buffer.from(text), format },
    { inflatedBytesMax: 1 << 20, reserve: () => undefined },
    (index, value) => found.push([index, isRejection(value) ? value.reason : value]),
  );
  return found;
}

test('all media types of NDJSON are accepted in any case and with charset=utf-8', () => {
  for (const name of [
    'application/x-ndjson',
    'application/ndjson',
    'application/jsonl',
    'application/x-jsonl',
    'application/jsonlines',
    'application/x-jsonlines',
    'application/json-lines',
  ]) {
    assert.equal(formatOf(name), 'ndjson');
    assert.equal(formatOf(`${name.toUpperCase()} ; Charset="UTF-8"; version=1`), 'ndjson');
  }
  assert.equal(formatOf('application/json;charset=us-ascii'), 'json');
});

test('another charset and text/plain are refused by name', async () => {
  assert.match(
    (await refusal(() => formatOf('application/ndjson; charset=iso-8859-1'))) ?? '',
    /^unsupported_media_type: charset is "iso-8859-1"/,
  );
  assert.match(
    (await refusal(() => formatOf('text/plain'))) ?? '',
    /^unsupported_media_type: content type is "text\/plain"/,
  );
});

test('a content coding may be listed with identity, in any case', async () => {
  const codings: readonly (readonly [string | undefined, ContentCoding])[] = [
    [undefined, 'identity'],
    ['', 'identity'],
    ['identity', 'identity'],
    ['gzip, identity', 'gzip'],
    ['Identity,X-GZIP', 'gzip'],
    ['ZSTD', 'zstd'],
    ['deflate , identity', 'deflate'],
  ];
  for (const [header, coding] of codings) assert.equal(contentCoding(header), coding, header);
  for (const header of ['br', 'gzip, gzip', 'identity, br', 'gzip;q=1', 'zstd, deflate']) {
    assert.match((await refusal(() => contentCoding(header))) ?? '', /^unsupported_encoding: /, header);
  }
});

const SKIPPABLE = Buffer.from([0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

test('zstd: several frames, empty ones and skippable ones make one body', async () => {
  const [first, second] = [zstdCompressSync('{"a":1}\n'), zstdCompressSync('{"b":2}\n')];
  const empty = zstdCompressSync('');
  const large = randomBytes(1 << 20).toString('hex');
  assert.equal(await decoded(first, 'zstd'), '{"a":1}\n');
  assert.equal(
    await decoded(Buffer.concat([SKIPPABLE, first, SKIPPABLE, empty, second, SKIPPABLE]), 'zstd'),
    '{"a":1}\n{"b":2}\n',
  );
  assert.equal(await decoded(zstdCompressSync(large), 'zstd'), large);
});

test('deflate is accepted with and without the zlib header', async () => {
  assert.equal(await decoded(deflateSync('{"a":1}'), 'deflate'), '{"a":1}');
  assert.equal(await decoded(deflateRawSync('{"a":1}'), 'deflate'), '{"a":1}');
});

test('an encoded body that is truncated, followed by other bytes or of another coding is unreadable', async () => {
  const text = randomBytes(300).toString('hex');
  const packers = { gzip: gzipSync, deflate: deflateSync, zstd: zstdCompressSync } as const;
  for (const coding of ['gzip', 'deflate', 'zstd'] as const) {
    const packed = packers[coding](text);
    for (const bad of [
      packed.subarray(0, packed.length - 1),
      packed.subarray(0, 3),
      Buffer.concat([packed, Buffer.from('rubbish')]),
      Buffer.from(text),
    ]) {
      assert.match((await refusal(() => decoded(bad, coding))) ?? '', /^unreadable_body: /, coding);
    }
  }
  const cutSkippable = SKIPPABLE.subarray(0, 9);
  assert.match((await refusal(() => decoded(cutSkippable, 'zstd'))) ?? '', /^unreadable_body: /);
});

test('zstd that needs a window beyond 8 MB, or has thousands of frames, is refused', async () => {
  const params = { [constants.ZSTD_c_windowLog]: 25, [constants.ZSTD_c_contentSizeFlag]: 0 };
  const wide = zstdCompressSync(Buffer.alloc(40 << 20, 'abc'), { params });
  assert.match((await refusal(() => decoded(wide, 'zstd'))) ?? '', /^unreadable_body: /);
  const many = Buffer.concat(Array.from({ length: 1_001 }, () => zstdCompressSync('')));
  assert.match((await refusal(() => decoded(many, 'zstd'))) ?? '', /^unreadable_body: /);
});

test('decoding ends with the first chunk that the caller refuses', async () => {
  for (const [coding, bomb] of [
    ['gzip', gzipSync(Buffer.alloc(64 << 20))],
    ['deflate', deflateSync(Buffer.alloc(64 << 20))],
    ['zstd', zstdCompressSync(Buffer.alloc(64 << 20))],
  ] as const) {
    let pieces = 0;
    const refused = await refusal(() =>
      decode(bomb, coding, () => {
        pieces += 1;
        throw new HttpError('body_too_large', 'enough');
      }),
    );
    assert.deepEqual([refused, pieces], ['body_too_large: enough', 1], coding);
  }
});

test('several objects, one a line, are read as NDJSON under application/json too', () => {
  assert.deepEqual(parsed('{"a":1}\n{"b":2}'), [
    [0, { a: 1 }],
    [1, { b: 2 }],
  ]);
  assert.deepEqual(parsed('\n{"a":1}\r\n\r\n{"b":\n {"c":3}\n'), [
    [1, { a: 1 }],
    [3, 'malformed_json'],
    [4, { c: 3 }],
  ]);
  assert.deepEqual(parsed('\uFEFF{"a":1}\n{"b":2}\n'), [
    [0, { a: 1 }],
    [1, { b: 2 }],
  ]);
});

test('a malformed JSON document is refused, whatever lines it has', async () => {
  for (const text of [
    '{"a":1',
    '{"a":1}{"b":2}',
    '{"a":1} {"b":2}\n',
    '{"a":1},\n{"b":2}',
    '{\n"a":1,\n}\n',
    '[{"a":1}\n{"b":2}]',
    '{"a":1}\n]',
    '{"a":1}\nrubbish',
    '[1]\n{"a":1}',
    '1\n2',
    '{"a":\n{"b":2}',
  ]) {
    assert.match(
      (await refusal(() => parsed(text))) ?? 'taken',
      /^unreadable_body: the body is not JSON/,
      text,
    );
  }
  assert.deepEqual(parsed('{\n "a": 1\n}\n'), [[0, { a: 1 }]]);
});

test('lines under application/json are bounded like those of NDJSON', async () => {
  const text = `{"a":1}\n{"b":2}\n${'1\n'.repeat(RECORDS_MAX)}`;
  assert.match((await refusal(() => parsed(text))) ?? '', /^body_too_large: /);
  assert.match((await refusal(() => parsed(text, 'ndjson'))) ?? '', /^body_too_large: /);
});

test('one byte order mark at the beginning is dropped, elsewhere it is content', () => {
  assert.deepEqual(parsed('\uFEFF[{"a":1}]'), [[0, { a: 1 }]]);
  assert.deepEqual(parsed('\uFEFF{"a":1}\n\uFEFF{"b":2}\n', 'ndjson'), [
    [0, { a: 1 }],
    [1, 'malformed_json'],
  ]);
});
