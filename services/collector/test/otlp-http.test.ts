import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { HttpError, setErrorAnswers } from '@imscope/runtime/http-errors.js';
import { createLogger } from '@imscope/runtime/logger.js';
import Fastify from 'fastify';
import { sendOtlpError } from '../src/requests/otlp-logs.js';
import { asJson, asProtobuf, logRecord, type ResourceLogs } from './otlp-body.js';
import {
  EAST_APPLICATION,
  EAST_TOKEN,
  READ_TOKEN,
  runCollector,
  type RunningCollector,
  WRITE_TOKEN,
} from './running-collector.js';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
const MIB = 1 << 20;

type Reply = { readonly status: number; readonly headers: Headers; readonly body: Buffer };

let collector: RunningCollector;

before(async () => {
  collector = await runCollector({ environment: { BODY_INFLATED_BYTES_MAX: String(2 * MIB) } });
});

after(() => collector.remove());

async function post(
  body: Buffer | string,
  headers: Record<string, string> = {},
  of: Pick<RunningCollector, 'url'> = collector,
): Promise<Reply> {
  const response = await fetch(of.url.replace('request-logs', 'logs'), {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${WRITE_TOKEN}`, 'content-type': PROTOBUF, ...headers },
  });
  return {
    status: response.status,
    headers: response.headers,
    body: Buffer.from(await response.arrayBuffer()),
  };
}

let nextId = 0;

/** Requests of now, each record with an id of its own. */
function request(...changes: Parameters<typeof logRecord>[0][]): ResourceLogs[] {
  const timeUnixNano = `${Date.now()}000000`;
  const logRecords = changes.map((one) =>
    logRecord({ 'im.request_id': `otlp-${nextId++}`, ...one }, { timeUnixNano }),
  );
  return [{ logRecords }];
}

async function storedIds(of = collector): Promise<string[]> {
  const messages = await of.messages();
  return messages.flatMap(({ records }) => records.map(({ request_id: id }) => id));
}

/** Numbers and texts of a message by field; nested ones as bytes. */
function fields(bytes: Uint8Array): Map<number, number | Buffer> {
  const found = new Map<number, number | Buffer>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    found.set(field, type === WireType.Varint ? Number(reader.int64()) : Buffer.from(reader.bytes()));
  }
  return found;
}

/** A google.rpc.Status, in either form. */
function statusOf({ body, headers }: Reply): { code: unknown; message: string } {
  if (headers.get('content-type')?.startsWith(JSON_TYPE) === true) {
    return JSON.parse(body.toString()) as { code: unknown; message: string };
  }
  assert.equal(headers.get('content-type'), PROTOBUF);
  const status = fields(body);
  return { code: status.get(1), message: String(status.get(2)) };
}

test('a request without refused records gets an empty 200 in its own encoding, plain and gzipped', async () => {
  const first = nextId;
  const packed = await post(gzipSync(asProtobuf(request({}, {}))), { 'content-encoding': 'gzip' });
  const plain = await post(asProtobuf(request({})));
  const json = await post(asJson(request({})), { 'content-type': `${JSON_TYPE}; charset=utf-8` });
  for (const reply of [packed, plain]) {
    assert.deepEqual(
      [reply.status, reply.headers.get('content-type'), reply.body.length],
      [200, PROTOBUF, 0],
    );
  }
  assert.equal(json.status, 200);
  assert.match(json.headers.get('content-type') ?? '', /^application\/json/);
  assert.equal(json.body.toString(), '{}');
  const ids = await storedIds();
  for (let id = first; id < nextId; id++) assert.equal(ids.filter((one) => one === `otlp-${id}`).length, 1);
  for (const empty of [await post(''), await post('{}', { 'content-type': JSON_TYPE })])
    assert.equal(empty.status, 200);
});

test('refused records are reported as partial success: number, reasons, and the detail of the first', async () => {
  const mixed = request({}, { 'im.latency_ms': -1 }, { 'client.address': 'x' }, { 'im.latency_ms': -2 });
  const message =
    '3 of 4 records refused: out_of_range 2, invalid_ip 1; the first, record 1: latency_ms is -1: give a number from 0 to 86400000';
  const protobuf = await post(asProtobuf(mixed));
  const partial = fields(protobuf.body).get(1);
  assert(partial instanceof Buffer);
  assert.deepEqual(
    [protobuf.status, fields(partial).get(1), String(fields(partial).get(2))],
    [200, 3, message],
  );
  const json = await post(asJson(mixed), { 'content-type': JSON_TYPE });
  assert.deepEqual(JSON.parse(json.body.toString()), {
    partialSuccess: { rejectedLogRecords: '3', errorMessage: message },
  });
  assert.equal(json.status, 200);
  const all = await post(asJson(request({ 'im.code': 'x' })), { 'content-type': JSON_TYPE });
  assert.match(all.body.toString(), /"rejectedLogRecords":"1"/);
});

test('errors are a google.rpc.Status in the encoding of the request, with the stable code first', async () => {
  const good = asProtobuf(request({}));
  const before = await storedIds();
  const cases: readonly (readonly [number, number, string, Reply])[] = [
    [400, 3, 'unreadable_body', await post(good.subarray(0, good.length - 1))],
    [400, 3, 'unreadable_body', await post('{"resourceLogs":[', { 'content-type': JSON_TYPE })],
    [400, 3, 'unreadable_body', await post(good, { 'content-encoding': 'gzip' })],
    [401, 16, 'missing_token', await post(good, { authorization: '' })],
    [401, 16, 'invalid_token', await post(good, { authorization: 'Bearer unknown-token-0000001' })],
    [403, 7, 'not_allowed', await post(good, { authorization: `Bearer ${READ_TOKEN}` })],
    [413, 3, 'body_too_large', await post(gzipSync(Buffer.alloc(3 * MIB)), { 'content-encoding': 'gzip' })],
    [400, 3, 'unreadable_body', await post(good, { 'content-encoding': 'zstd' })],
    [415, 3, 'unsupported_encoding', await post(good, { 'content-encoding': 'br' })],
    [415, 3, 'unsupported_media_type', await post(good, { 'content-type': 'application/avro' })],
    [415, 3, 'unsupported_media_type', await post(good, { 'content-type': 'application/x-ndjson' })],
  ];
  for (const [status, code, stable, reply] of cases) {
    const told = statusOf(reply);
    assert.deepEqual([reply.status, told.code], [status, code], stable);
    assert.ok(told.message.startsWith(`${stable}: `), told.message);
  }
  assert.deepEqual(await storedIds(), before);
});

test('/v1/request-logs refuses OTLP, and the token of one application sends for that one only', async () => {
  const own = await collector.post(asProtobuf(request({})), { 'content-type': PROTOBUF });
  assert.equal(own.status, 415);
  const mixed = request({ 'im.sdk_app_id': EAST_APPLICATION }, {});
  const reply = await post(asProtobuf(mixed), { authorization: `Bearer ${EAST_TOKEN}` });
  const partial = fields(reply.body).get(1);
  assert(partial instanceof Buffer);
  assert.match(String(fields(partial).get(2)), /^1 of 2 records refused: application_not_allowed 1;/);
});

test('a request that is sent twice with an Idempotency-Key counts once', async () => {
  const id = nextId;
  const body = asProtobuf(request({}, {}));
  for (let time = 0; time < 2; time++) {
    assert.equal((await post(body, { 'idempotency-key': 'otlp-key-1' })).status, 200);
  }
  const headers = (await collector.messages()).filter(({ records }) =>
    records.some(({ request_id: found }) => found === `otlp-${id}`),
  );
  assert.equal(new Set(headers.map(({ headers }) => JSON.stringify(headers.batch))).size, 1);
});

test('a request in doubt gets 500, which clients do not retry; with a key it gets 504, which they do', async () => {
  const app = Fastify();
  setErrorAnswers(app, createLogger('collector', 'fatal'), sendOtlpError);
  app.post('/v1/logs', () => {
    throw new HttpError('timeout', 'in doubt');
  });
  const headers = { 'content-type': JSON_TYPE };
  const ask = { method: 'POST', url: '/v1/logs', payload: '{}' } as const;
  const without = await app.inject({ ...ask, headers });
  assert.deepEqual([without.statusCode, without.json()], [500, { code: 4, message: 'timeout: in doubt' }]);
  const keyed = await app.inject({ ...ask, headers: { ...headers, 'idempotency-key': 'a' } });
  assert.equal(keyed.statusCode, 504);
  await app.close();
});
