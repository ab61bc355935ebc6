import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIELDS } from '@imscope/schemas/raw-fields.js';
import { parseBody } from '../src/bodies/parse-body.js';
import type { UnmappedAttributes } from '../src/intake/intake.js';
import { isRejection } from '../src/intake/reject-reasons.js';
import { validateRecord } from '../src/intake/validate-record.js';
import { asJson, asProtobuf, attributes, logRecord, type ResourceLogs } from './otlp-body.js';
import { sampleRecord, validationContext } from './sample-record.js';

const ROOM = { inflatedBytesMax: 1 << 20, reserve: () => undefined };
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CONTEXT = validationContext();

type Fields = Record<string, unknown>;

/** What both forms of a request become, which has to be the same. */
function read(resourceLogs: readonly ResourceLogs[]): { records: Fields[]; strays: UnmappedAttributes } {
  const [protobuf, json] = (['otlp-protobuf', 'otlp-json'] as const).map((format) => {
    const bytes = format === 'otlp-json' ? asJson(resourceLogs) : asProtobuf(resourceLogs);
    const records: Fields[] = [];
    const strays = parseBody({ bytes, format }, ROOM, (_, value) => records.push(value as Fields));
    return { records, strays };
  });
  assert(protobuf !== undefined);
  assert.deepEqual(protobuf, json);
  return protobuf;
}

function readOne(...of: Parameters<typeof logRecord>): Fields {
  const [record] = read([{ logRecords: [logRecord(...of)] }]).records;
  assert(record !== undefined);
  return record;
}

/** What the checks make of a record: the reason it is refused for, or `taken`. */
function judged(...of: Parameters<typeof logRecord>): string {
  const checked = validateRecord(readOne(...of), CONTEXT);
  return isRejection(checked) ? checked.reason : 'taken';
}

/** JSON with any value as its time. */
function jsonWithTime(time: unknown): Buffer {
  const logRecords = [{ timeUnixNano: time, attributes: [{ key: 'im.code', value: { intValue: 5 } }] }];
  return Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }));
}

test('every field of a record may be given as im. and its name, and is stored as the same in JSON', () => {
  const { time: _time, ...fields } = sampleRecord();
  assert.deepEqual(Object.keys(fields).toSorted(), FIELDS.toSorted());
  const given = Object.entries(fields).map(([field, value]) => [`im.${field}`, value as string | number]);
  const record = readOne({ 'client.address': undefined, ...Object.fromEntries(given) });
  assert.deepEqual(validateRecord(record, CONTEXT), validateRecord(sampleRecord(), CONTEXT));
});

test('semantic conventions map to fields; im. precedes them, and the first of two precedes the second', () => {
  const conventional = {
    'im.interface': undefined,
    'url.path': '/v4/openim/sendmsg',
    'im.latency_ms': undefined,
    'http.server.request.duration': 0.0125,
    'http.response.status_code': 502,
    'error.type': '502',
    'exception.message': 'bad gateway',
    'service.instance.id': 'a1b2',
    'cloud.region': 'ap-guangzhou',
  };
  const { time: _time, ...first } = readOne(conventional);
  assert.deepEqual(first, {
    sdk_app_id: 1_400_000_001,
    interface: '/v4/openim/sendmsg',
    exit_ip: '203.0.113.7',
    latency_ms: 12.5,
    upstream_ms: undefined,
    rtt_ms: undefined,
    code: undefined,
    http_status: 502,
    exception: '502',
    cause: 'bad gateway',
    node: 'a1b2',
    region: 'ap-guangzhou',
    platform: undefined,
    sdk_version: undefined,
    request_id: undefined,
  });
  const second = readOne({
    ...conventional,
    'http.route': '/v4/group/{group_id}/members/:id/*',
    'host.name': 'gw-1',
    'exception.type': 'Timeout',
    'im.cause': 'of our own',
  });
  assert.deepEqual(
    [second['interface'], second['node'], second['exception'], second['cause']],
    ['/v4/group/{id}/members/{id}/{id}', 'gw-1', 'Timeout', 'of our own'],
  );
});

test('attributes of a resource apply to its records unless a record has an attribute of the same field', () => {
  const { records } = read([
    {
      resource: {
        attributes: attributes({ 'im.node': 'gw-1', 'cloud.region': 'east', 'im.platform': 'web' }),
      },
      logRecords: [logRecord(), logRecord({ 'host.name': 'gw-2', 'im.region': 'west' }), logRecord()],
    },
    { logRecords: [logRecord()] },
  ]);
  assert.deepEqual(
    records.map(({ node, region, platform }) => [node, region, platform]),
    [
      ['gw-1', 'east', 'web'],
      ['gw-2', 'west', 'web'],
      ['gw-1', 'east', 'web'],
      [undefined, undefined, undefined],
    ],
  );
});

test('numbers may be text, as from environment variables; other text is refused', () => {
  const record = readOne({ 'im.sdk_app_id': '1400000001', 'im.latency_ms': '12.5', 'im.code': '-7' });
  assert.deepEqual([record['sdk_app_id'], record['latency_ms'], record['code']], [1_400_000_001, 12.5, -7]);
  for (const text of ['', ' 7', '0x10', '1e3', '7 ', '٣', 'many', '9'.repeat(40)]) {
    assert.equal(judged({ 'im.code': text }), 'wrong_type', text);
  }
  assert.equal(judged({ 'http.server.request.duration': 'x', 'im.latency_ms': undefined }), 'wrong_type');
});

test('the time is that of the event in milliseconds, or the observed one, or the record is refused', () => {
  const times = ['1715000889123000000', '1715000889122999999', '18446744073709551615', '999999', '0'];
  assert.deepEqual(
    times.map((timeUnixNano) => readOne({}, { timeUnixNano })['time']),
    [1_715_000_889_123, 1_715_000_889_122, 18_446_744_073_709, 0, undefined],
  );
  const observedTimeUnixNano = '1715000889123000000';
  assert.equal(readOne({}, { timeUnixNano: '0', observedTimeUnixNano })['time'], 1_715_000_889_123);
  assert.equal(judged({}, { timeUnixNano: '0' }), 'missing_field');
  assert.equal(judged({}, { timeUnixNano: '1' }), 'time_too_old');
});

test('64-bit numbers of JSON may be numbers too; a record with a malformed time is refused', () => {
  for (const [time, expected] of [
    [1_715_000_889_123_000_000, 1_715_000_889_123],
    ['soon', 'soon'],
    [true, true],
    [null, undefined],
  ]) {
    parseBody({ bytes: jsonWithTime(time), format: 'otlp-json' }, ROOM, (_, value) => {
      assert.equal((value as Fields)['time'], expected);
      assert.equal((value as Fields)['code'], 5);
    });
  }
});

test('the trace id is the request id if none is given', () => {
  assert.equal(readOne({}, { traceId: TRACE_ID })['request_id'], TRACE_ID);
  assert.equal(readOne({ 'im.request_id': 'r-1' }, { traceId: TRACE_ID })['request_id'], 'r-1');
  assert.equal(readOne({}, { traceId: '0'.repeat(32) })['request_id'], undefined);
});

test('from WARN on the body is the cause if there is no other; messages are truncated at the bound of a cause', () => {
  const body = { stringValue: 'no answer' };
  assert.equal(readOne({}, { body, severityNumber: 9 })['cause'], undefined);
  assert.equal(readOne({}, { body, severityNumber: 13 })['cause'], 'no answer');
  assert.equal(readOne({ 'exception.message': 'refused' }, { body, severityNumber: 17 })['cause'], 'refused');
  assert.equal(readOne({}, { body: { boolValue: true }, severityNumber: 17 })['cause'], undefined);
  const long = 'x'.repeat(3_000);
  assert.equal(judged({ 'exception.message': long }), 'taken');
  assert.equal(judged({}, { body: { stringValue: long }, severityNumber: 17 }), 'taken');
  assert.equal(judged({ 'im.cause': long }), 'too_long');
});

test('attributes of SDKs are ignored, those about a person dropped, each counted; a misspelt im. refuses its record', () => {
  const { strays, records } = read([
    {
      resource: {
        attributes: attributes({ 'service.name': 'gateway', 'telemetry.sdk.name': 'opentelemetry' }),
      },
      logRecords: [
        logRecord({
          'user.id': 'alice',
          'enduser.role': 'x',
          'user_agent.original': 'curl',
          'http.request.header.authorization': 'x',
          'im.usersig': 'x',
          From_Account: 'alice',
          'http.request.method': 'POST',
          'network.peer.address': '192.0.2.1',
        }),
        logRecord({ 'im.latency': 5 }),
      ],
    },
  ]);
  assert.deepEqual(strays, { ignored: 4, personal: 6 });
  const [first, second] = records.map((record) => validateRecord(record, CONTEXT));
  assert(!isRejection(first) && isRejection(second));
  assert.equal(second.reason, 'unknown_field');
  assert.match(second.detail, /"im\.latency" is not known/);
  assert.doesNotMatch(JSON.stringify(records), /alice|curl/);
});

test('lists, maps and bytes are invalid for every field', () => {
  const list = { arrayValue: { values: [{ stringValue: 'a' }] } };
  assert.equal(judged({ 'im.code': list }), 'wrong_type');
  assert.equal(judged({ 'host.name': { kvlistValue: { values: [] } } }), 'wrong_type');
  assert.equal(judged({ 'client.address': { bytesValue: 'AAAAAAAAAAAAAAAAAAAAAA==' } }), 'wrong_type');
  assert.equal(judged({ 'im.sdk_app_id': true }), 'wrong_type');
});
