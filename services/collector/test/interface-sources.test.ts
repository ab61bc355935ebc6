/* One path is one interface, whatever way its request came. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAccessLogReader } from '@imscope/access-log/access-log-record.js';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import fc from 'fast-check';
import { parseBody } from '../src/bodies/parse-body.js';
import type { BodyFormat } from '../src/bodies/read-body.js';
import { isRejection } from '../src/intake/reject-reasons.js';
import { validateRecord } from '../src/intake/validate-record.js';
import { asJson, asProtobuf, logRecord } from './otlp-body.js';
import { SAMPLE_TIME_MS, sampleRecord, storedRecord, validationContext } from './sample-record.js';

const CONTEXT = validationContext();
const ROOM = { inflatedBytesMax: 1 << 20, reserve: () => undefined };

const logs = createAccessLogReader({
  formats: [
    { text: '$remote_addr [$msec] "$request" $status $request_time', escape: 'default' },
    { text: '$remote_addr [$msec] $uri $status $request_time', escape: 'default' },
  ],
  sdkAppId: 1_400_000_001,
  codeVariable: undefined,
  node: undefined,
  region: undefined,
});

function stored(value: unknown): string {
  const record = isRejection(value) ? value : validateRecord(value, CONTEXT);
  if (!isRejection(record)) return record.interface;
  return record.reason === 'too_long' ? 'invalid_interface' : record.reason;
}

function ofBody(bytes: Buffer, format: BodyFormat): string {
  const names: string[] = [];
  parseBody({ bytes, format }, ROOM, (_, value) => names.push(stored(value)));
  const [name] = names;
  assert(name !== undefined && names.length === 1);
  return name;
}

function avroOf(name: string): Buffer {
  const builder = new BlockBuilder(REQUEST_LOG_SCHEMA);
  builder.append(storedRecord({ interface: name, time: SAMPLE_TIME_MS }));
  return builder.finish();
}

/** As a tailed file has it, and as the command line sends it. */
function ofLine(request: string): readonly [tailed: string, sent: string] {
  const line = `198.51.100.7 [${SAMPLE_TIME_MS / 1_000}] ${request} 200 0.001`;
  const fields = logs.readFields(line);
  const record = logs.readRecord(line);
  return [
    'ok' in fields ? fields.reason : stored(fields),
    record.ok ? ofBody(Buffer.from(record.toJson(0)), 'json') : record.reason,
  ];
}

function namesOf(path: string): Record<string, string> {
  const json = Buffer.from(JSON.stringify(sampleRecord({ interface: path })));
  const otlp = [{ logRecords: [logRecord({ 'im.interface': undefined, 'url.path': path })] }];
  const own = [{ logRecords: [logRecord({ 'im.interface': path })] }];
  const url = [
    {
      logRecords: [
        logRecord({ 'im.interface': undefined, 'url.full': `https://im.example.com${path}?a=/b` }),
      ],
    },
  ];
  const [tailed, sent] = ofLine(`"POST ${path}?sdkappid=1400000001 HTTP/1.1"`);
  return {
    json: ofBody(json, 'json'),
    ndjson: ofBody(json, 'ndjson'),
    avro: ofBody(avroOf(path), 'avro'),
    'otlp in protobuf': ofBody(asProtobuf(otlp), 'otlp-protobuf'),
    'otlp in JSON': ofBody(asJson(otlp), 'otlp-json'),
    'im.interface': ofBody(asProtobuf(own), 'otlp-protobuf'),
    'url.full': ofBody(asProtobuf(url), 'otlp-protobuf'),
    'a tailed log': tailed,
    'a log sent': sent,
  };
}

function holdOneName(path: string): string {
  const names = namesOf(path);
  const [name, ...others] = new Set(Object.values(names));
  assert(name !== undefined && others.length === 0, `${path}: ${JSON.stringify(names)}`);
  return name;
}

test('a path has the same interface name from every source', () => {
  for (const [path, name] of [
    ['/v4/openim/admin_c2c_msg_withdraw_v2', 'openim/admin_c2c_msg_withdraw_v2'],
    ['/v4/contact/batch_get_c2c_conversation_v2', 'contact/batch_get_c2c_conversation_v2'],
    ['/v4/file/h264', 'file/h264'],
    ['/v4/file/get_sha256', 'file/get_sha256'],
    ['/v4/svc/feedface1', 'svc/feedface1'],
    ['/v4/openim/sendmsg/', 'openim/sendmsg'],
    ['//v4//openim//sendmsg', 'openim/sendmsg'],
    ['/v4/openim/%73endmsg;a=b', 'openim/sendmsg'],
    ['/v4/openim/messages:batchGet', 'openim/{id}'],
    ['/v4/group/@TGS#2J4SZEAEL/info', 'group/{id}/info'],
    ['/v4/group/@TGS%232J4SZEAEL', 'group/{id}'],
    ['/v4/users/user_42', 'users/{id}'],
    ['/', 'root'],
    ['/v4/', 'v4'],
    [`/${'ab/'.repeat(70)}`, 'invalid_interface'],
  ] as const) {
    assert.equal(holdOneName(path), name);
  }
});

test('for any path all sources produce the same name', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'v4',
      'V4',
      'openim',
      'sendmsg',
      '.',
      '..',
      '',
      ';a=1',
      '%73',
      '%2F',
      '%E5%BC',
      '{name}',
      ':id',
      '*',
    ),
    fc.constantFrom('h264', 'c2c', '@TGS#1', 'user_42', '张三', 'a,b', '2024', '-', '_v2', '$x', '(1)', 'A'),
    fc.uuid(),
    fc.nat().map(String),
    fc.string({
      unit: fc.constantFrom('a', 'Z', '7', 'f', '_', '-', '.', '/', '%', '+', '~', '!'),
      maxLength: 24,
    }),
  );
  const segment = fc.array(piece, { maxLength: 2 }).map((pieces) => pieces.join(''));
  const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`);
  fc.assert(
    fc.property(path, (one) => void holdOneName(one)),
    { numRuns: 1_500, seed: 26 },
  );
});

test('a path that nginx decoded has the same name', () => {
  for (const path of [
    '/v4/openim/sendmsg',
    '/v4/openim/sendmsg/',
    '/v4/group/@TGS#2J4SZEAEL/info',
    '/a//b',
  ]) {
    const [tailed, sent] = ofLine(path);
    assert.equal(tailed, holdOneName(path));
    assert.equal(sent, tailed);
  }
});
