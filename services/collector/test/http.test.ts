import assert from 'node:assert/strict';
import { request as httpRequest, type ClientRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { parseIpAddress } from '@imscope/schemas/ip-address.js';
import {
  type Answer,
  EAST_APPLICATION,
  EAST_TOKEN,
  READ_TOKEN,
  runCollector,
  type RunningCollector,
  WRITE_TOKEN,
} from './running-collector.js';
import { sampleRecord, storedRecord } from './sample-record.js';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const MIB = 1 << 20;

let collector: RunningCollector;

before(async () => {
  collector = await runCollector({
    environment: { BODY_BYTES_MAX: String(16 * MIB), BODY_INFLATED_BYTES_MAX: String(2 * MIB) },
  });
});

after(() => collector.remove());

let nextId = 0;

/** A record of now, with a request id of its own. */
function record(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return sampleRecord({ time: Date.now(), request_id: `http-${nextId++}`, ...changes });
}

async function storedIds(): Promise<string[]> {
  const messages = await collector.messages();
  return messages.flatMap(({ records }) => records.map(({ request_id: id }) => id)).toSorted();
}

function errorCode({ body }: Answer): unknown {
  const { error } = body as { error: { code: unknown; message: unknown } };
  assert.equal(typeof error.message, 'string');
  return error.code;
}

test('a batch of good and bad records stores the good ones and names each bad one', async () => {
  const now = Date.now();
  const good = record({
    time: new Date(now).toISOString(),
    interface: '/v4/openim/sendmsg',
    identifier: 'admin',
  });
  const body = [
    good,
    record({ latency_ms: -1 }),
    'x',
    record({ time: now - 25 * 3_600_000 }),
    record({ a: 1 }),
  ];
  const { status, body: answer } = await collector.post(JSON.stringify(body));
  assert.equal(status, 202);
  const {
    accepted,
    rejected,
    rejected_count: count,
  } = answer as {
    accepted: number;
    rejected: { index: number; reason: string; detail: string }[];
    rejected_count: number;
  };
  assert.equal(accepted, 1);
  assert.equal(count, 4);
  assert.deepEqual(
    rejected.map(({ index, reason }) => [index, reason]),
    [
      [1, 'out_of_range'],
      [2, 'not_an_object'],
      [3, 'time_too_old'],
      [4, 'unknown_field'],
    ],
  );
  const stored = (await collector.messages()).flatMap(({ records }) => records);
  const found = stored.filter(({ request_id: id }) => id === good['request_id']);
  assert.equal(found.length, 1);
  assert.deepEqual(
    { ...found[0], time: Number(found[0]?.time) },
    {
      time: now,
      sdk_app_id: 1_400_000_001,
      interface: 'openim/sendmsg',
      exit_ip: parseIpAddress('203.0.113.7'),
      latency_us: 12_346,
      upstream_us: 10_000,
      rtt_us: 500,
      code: 0,
      http_status: 200,
      outcome: 'success',
      exception: 'Timeout',
      cause: 'upstream timed out',
      node: 'gw-1',
      region: 'ap-guangzhou',
      platform: 'android',
      sdk_version: '7.9.5666',
      request_id: good['request_id'],
      weight: 1,
    },
  );
});

test('plain and gzipped bodies, JSON and NDJSON, with a byte order mark or not, are all stored', async () => {
  const records = Array.from({ length: 6 }, () => record());
  const [a, b, c, d, e, f] = records.map((each) => JSON.stringify(each));
  const gzip = { 'content-encoding': 'gzip' };
  const answers = await Promise.all([
    collector.post(`${a}`),
    collector.post(gzipSync(`[${b}]`), gzip),
    collector.post(`${c}\n{"time":\n${d}\n`, { ...NDJSON, 'content-encoding': 'identity' }),
    collector.post(gzipSync(`${e}`), { 'content-type': 'application/x-ndjson; charset=UTF-8', ...gzip }),
    collector.post(`\uFEFF[${f}]`, { 'content-type': 'application/json;charset="utf-8"' }),
  ]);
  assert.deepEqual(
    answers.map(({ status, body }) => [status, (body as { accepted: number }).accepted]),
    [
      [202, 1],
      [202, 1],
      [202, 2],
      [202, 1],
      [202, 1],
    ],
  );
  const stored = new Set(await storedIds());
  for (const each of records) assert(stored.has(String(each['request_id'])));
});

test('a request with bad records only is answered 202 and stores nothing', async () => {
  const before = await storedIds();
  const bad = Array.from({ length: 150 }, () => record({ code: 'x' }));
  const { status, body } = await collector.post(JSON.stringify(bad));
  assert.equal(status, 202);
  const {
    accepted,
    rejected,
    rejected_count: count,
  } = body as {
    accepted: number;
    rejected: unknown[];
    rejected_count: number;
  };
  assert.deepEqual([accepted, rejected.length, count], [0, 100, 150]);
  assert.deepEqual(await storedIds(), before);
});

test('an Avro container is accepted like JSON, compressed with gzip too; the outcome of its records is classified', async () => {
  const ids = ['avro-1', 'avro-2'];
  const [plain = Buffer.alloc(0), packed = Buffer.alloc(0)] = ids.map((request_id) => {
    const builder = new BlockBuilder(REQUEST_LOG_SCHEMA);
    builder.append(storedRecord({ time: Date.now(), request_id, code: 91_000, outcome: 'success' }));
    return builder.finish();
  });
  const avro = { 'content-type': 'application/avro' };
  const gzip = { ...avro, 'content-encoding': 'gzip' };
  for (const { status, body } of [
    await collector.post(plain, avro),
    await collector.post(gzipSync(packed), gzip),
  ]) {
    assert.equal(status, 202);
    assert.equal((body as { accepted: number }).accepted, 1);
  }
  const stored = (await collector.messages()).flatMap(({ records }) => records);
  assert.deepEqual(
    stored
      .filter(({ request_id: id }) => ids.includes(id))
      .map(({ request_id: id, outcome }) => `${id} ${outcome}`)
      .toSorted((a, b) => a.localeCompare(b)),
    ['avro-1 service_error', 'avro-2 service_error'],
  );
  const torn = await collector.post(plain.subarray(0, plain.length - 1), avro);
  assert.deepEqual([torn.status, errorCode(torn)], [400, 'unreadable_body']);
});

test('unreadable and empty bodies get 400 and store nothing', async () => {
  const before = await storedIds();
  const good = JSON.stringify(record());
  const gzip = { 'content-encoding': 'gzip' };
  const packed = gzipSync(good);
  const answers: [code: string, answer: Answer][] = [
    ['unreadable_body', await collector.post(`[${good},`)],
    ['unreadable_body', await collector.post('5')],
    ['unreadable_body', await collector.post(good, gzip)],
    ['unreadable_body', await collector.post(packed.subarray(0, packed.length - 9), gzip)],
    ['empty_body', await collector.post('')],
    ['empty_body', await collector.post(' \n')],
    ['empty_body', await collector.post(gzipSync(''), gzip)],
    ['empty_body', await collector.post('\n\n', NDJSON)],
  ];
  for (const [code, answer] of answers) {
    assert.equal(answer.status, 400);
    assert.equal(errorCode(answer), code);
  }
  assert.deepEqual(await storedIds(), before);
});

test('without a token, with an unknown one and with one of scope read, nothing is accepted', async () => {
  const body = JSON.stringify(record());
  const unknown = await collector.post(body, { authorization: 'Bearer unknown-token-0000001' });
  assert.deepEqual([unknown.status, errorCode(unknown)], [401, 'invalid_token']);
  const none = await collector.post(body, { authorization: '' });
  assert.deepEqual([none.status, errorCode(none)], [401, 'missing_token']);
  const reader = await collector.post(body, { authorization: `Bearer ${READ_TOKEN}` });
  assert.deepEqual([reader.status, errorCode(reader)], [403, 'not_allowed']);
});

test('with a token for some applications their records are accepted, and the others named', async () => {
  const body = [record({ sdk_app_id: EAST_APPLICATION }), record()];
  const answer = await collector.post(JSON.stringify(body), { authorization: `Bearer ${EAST_TOKEN}` });
  assert.equal(answer.status, 202);
  const { accepted, rejected } = answer.body as { accepted: number; rejected: { reason: string }[] };
  assert.equal(accepted, 1);
  assert.deepEqual(
    rejected.map(({ reason }) => reason),
    ['application_not_allowed'],
  );
});

test('bodies too large as received or decompressed get 413, and all their bytes are released', async () => {
  const declared = await collector.post(Buffer.alloc(16 * MIB + 1, 32));
  assert.deepEqual([declared.status, errorCode(declared)], [413, 'body_too_large']);
  const chunked = await new Promise<number | undefined>((resolve, reject) => {
    const request = openRequest((response) => resolve(response), reject);
    for (let sent = 0; sent <= 16; sent++) request.write(Buffer.alloc(MIB, 32));
    request.end();
  });
  assert.equal(chunked, 413);
  const bomb = await collector.post(gzipSync(Buffer.alloc(64 * MIB, 32)), { 'content-encoding': 'gzip' });
  assert.deepEqual([bomb.status, errorCode(bomb)], [413, 'body_too_large']);
  assert.equal(await collector.metric('buffered_bytes'), 0);
  assert.equal((await collector.post(JSON.stringify(record()))).status, 202);
});

test('other content types, charsets and encodings get 415', async () => {
  const body = JSON.stringify(record());
  for (const contentType of ['text/plain', 'application/xml', 'application/json; charset=gbk', 'avro']) {
    const answer = await collector.post(body, { 'content-type': contentType });
    assert.deepEqual([answer.status, errorCode(answer)], [415, 'unsupported_media_type'], contentType);
  }
  for (const encoding of ['br', 'compress', 'gzip, gzip', 'gzip, zstd', 'zstd, br']) {
    const answer = await collector.post(body, { 'content-encoding': encoding });
    assert.deepEqual([answer.status, errorCode(answer)], [415, 'unsupported_encoding'], encoding);
    assert.equal(answer.headers.get('accept-encoding'), 'gzip, deflate, zstd, identity');
  }
});

test('an unknown path gets 404 in the common form of errors', async () => {
  const response = await fetch(collector.url.replace('request-logs', 'other'), {
    method: 'POST',
    body: '{}',
  });
  assert.equal(response.status, 404);
  assert.deepEqual(Object.keys((await response.json()) as object), ['error']);
});

test('while the buffers are full a request is refused completely with Retry-After, and accepted once there is capacity', async () => {
  const full = await runCollector({
    environment: { BUFFER_BYTES_MAX: String(33 * MIB), BODY_BYTES_MAX: String(16 * MIB) },
  });
  try {
    // One sender alone would not get so far.
    const senders = [WRITE_TOKEN, EAST_TOKEN].map((token) => {
      const request = openRequest(
        () => undefined,
        () => undefined,
        { url: full.url, token },
      );
      request.write(Buffer.alloc(16 * MIB - 1, 32));
      return request;
    });
    while ((await full.metric('buffered_bytes')) < 2 * (16 * MIB - 1)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const body = JSON.stringify(Array.from({ length: 5_000 }, () => record()));
    const refused = await full.post(body);
    assert.deepEqual([refused.status, errorCode(refused)], [503, 'unavailable']);
    assert.equal(refused.headers.get('retry-after'), '1');
    for (const sender of senders) sender.destroy();
    while ((await full.metric('buffered_bytes')) > 0) await new Promise((resolve) => setImmediate(resolve));
    const taken = await full.post(body);
    assert.equal(taken.status, 202);
    const stored = (await full.messages()).flatMap(({ records }) => records);
    assert.equal(stored.length, 5_000);
  } finally {
    await full.remove();
  }
});

test('many requests at once are each stored completely and once, with sequences from 0 without gaps', async () => {
  const requests = Array.from({ length: 60 }, (_, n) => Array.from({ length: 1 + n * 7 }, () => record()));
  const answers = await Promise.all(requests.map((records) => collector.post(JSON.stringify(records))));
  answers.forEach(({ status, body }, n) => {
    assert.equal(status, 202);
    assert.equal((body as { accepted: number }).accepted, requests[n]?.length);
  });
  const messages = await collector.messages();
  const times = new Map<string, number>();
  for (const { request_id: id } of messages.flatMap(({ records }) => records)) {
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  for (const sent of requests.flat()) assert.equal(times.get(String(sent['request_id'])), 1);
  for (const partition of [0, 1, 2]) {
    const sequences = messages.filter((message) => message.partition === partition);
    assert.deepEqual(
      sequences.map(({ headers }) => [headers.batch.boot, headers.batch.sequence]),
      sequences.map((_, index) => [collector.boot, index]),
    );
  }
  assert.equal(await collector.metric('records_accepted_total'), times.size);
  assert.equal(await collector.metric('buffered_bytes'), 0);
});

test('a request with more records than a message may have is split into several', async () => {
  const records = Array.from({ length: 4_100 }, () => record({ cause: '' }));
  const { status } = await collector.post(gzipSync(JSON.stringify(records)), { 'content-encoding': 'gzip' });
  assert.equal(status, 202);
  const ids = new Set(records.map((each) => each['request_id']));
  const holding = (await collector.messages()).filter((message) =>
    message.records.some(({ request_id: id }) => ids.has(id)),
  );
  assert.deepEqual(
    holding.map(({ headers }) => headers.records).toSorted((a, b) => a - b),
    [100, 2_000, 2_000],
  );
});

/** A request with its body still open. */
function openRequest(
  onStatus: (status: number | undefined) => void,
  onError: (error: Error) => void,
  { url = collector.url, token = WRITE_TOKEN } = {},
): ClientRequest {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const request = httpRequest(url, { method: 'POST', headers }, (response) => {
    response.resume();
    onStatus(response.statusCode);
  });
  return request.on('error', onError);
}
