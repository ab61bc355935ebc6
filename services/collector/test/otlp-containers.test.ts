/* Where records are in an OTLP body: both spellings, old names, and bodies that hold something else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { parseBody } from '../src/bodies/parse-body.js';
import { asProtobuf, attributes, logRecord } from './otlp-body.js';

const ROOM = { inflatedBytesMax: 1 << 20, reserve: () => undefined };

/** How many records are read, or the error. */
function read(bytes: Buffer, format: 'otlp-protobuf' | 'otlp-json'): string {
  let records = 0;
  try {
    parseBody({ bytes, format }, ROOM, () => (records += 1));
  } catch (error) {
    assert(error instanceof HttpError, String(error));
    assert.equal(records, 0);
    return `${error.code}: ${error.message}`;
  }
  return `${records} records`;
}

const json = (body: unknown): string => read(Buffer.from(JSON.stringify(body)), 'otlp-json');

function message(...fields: readonly (readonly [number: number, value: Uint8Array | string])[]): Buffer {
  const writer = new BinaryWriter();
  for (const [field, value] of fields) {
    writer.tag(field, WireType.LengthDelimited);
    if (typeof value === 'string') writer.string(value);
    else writer.bytes(value);
  }
  return Buffer.from(writer.finish());
}

const LOG_RECORD = new BinaryWriter().tag(1, WireType.Bit64).fixed64('1715000889123000000').finish();

test('a request may be empty at every level', () => {
  for (const body of [
    {},
    { resourceLogs: [] },
    { resource_logs: null },
    { resourceLogs: [{}] },
    { resourceLogs: [{ resource: { attributes: [] }, schemaUrl: 'x' }] },
    { resourceLogs: [{ scopeLogs: [] }, { scopeLogs: null }] },
    { resourceLogs: [{ scopeLogs: [{}, { scope: { name: 'x' }, schema_url: '' }] }] },
    { resourceLogs: [{ scopeLogs: [{ logRecords: [] }] }], later: 1 },
  ]) {
    assert.equal(json(body), '0 records', JSON.stringify(body));
  }
  const empty = Buffer.alloc(0);
  const resource = message([1, attributesOf({ 'host.name': 'gw-1' })]);
  for (const body of [
    empty,
    message([1, empty]),
    message([1, message([1, resource], [3, 'https://opentelemetry.io/schemas/1.26.0'])]),
    message([1, message([2, empty])]),
    message([1, message([2, message([1, message([1, 'scope'])], [3, 'x'])])]),
  ]) {
    assert.equal(read(body, 'otlp-protobuf'), '0 records');
  }
});

test('a JSON body without the lists of records is refused, with its names in the message', () => {
  const logRecords = [{ timeUnixNano: '1' }];
  for (const [body, names] of [
    [{ logRecords }, '"logRecords"'],
    [{ resourceSpans: [{}] }, '"resourceSpans"'],
    [{ resourceMetrics: [], later: 1 }, '"resourceMetrics", "later"'],
    [{ ResourceLogs: [] }, '"ResourceLogs"'],
    [{ resourceLogs: [{ logRecords }] }, '"logRecords"'],
    [{ resourceLogs: [{ resource: {}, scopeSpans: [] }] }, '"resource", "scopeSpans"'],
    [{ resourceLogs: [{ scopeLogs: [{ records: [] }] }] }, '"records"'],
    [{ resource_logs: [{ scope_logs: [{ log_records: logRecords }] }, { scopelogs: [] }] }, '"scopelogs"'],
    [{ resourceLogs: [], logRecords }, '"resourceLogs", "logRecords"'],
    [{ resource_logs: null, resourceSpans: [{}] }, '"resource_logs", "resourceSpans"'],
    [{ resourceLogs: [{ scopeLogs: [], logRecords }] }, '"scopeLogs", "logRecords"'],
    [{ resourceLogs: [{ scopeLogs: [{ logRecords: [], records: logRecords }] }] }, '"logRecords", "records"'],
  ] as const) {
    const said = json(body);
    assert.match(
      said,
      /^unreadable_body: the body is no ExportLogsServiceRequest of OTLP: .* has (?:no|nothing in) \w+, it has/,
    );
    assert.ok(said.includes(`it has ${names}:`), said);
  }
  assert.match(json([{ resourceLogs: [] }]), /^unreadable_body: .*the body is an array/);
  assert.ok(json(Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`n${n}`, 1]))).length < 500);
});

test('lists under both spellings of a name are read', () => {
  const one = [{ timeUnixNano: '1' }];
  for (const body of [
    {
      resourceLogs: [{ scopeLogs: [{ logRecords: one }] }],
      resource_logs: [{ scope_logs: [{ logRecords: one }] }],
    },
    { resourceLogs: [{ scopeLogs: [{ logRecords: one }], scope_logs: [{ log_records: one }] }] },
    { resourceLogs: [{ scopeLogs: [{ logRecords: one, log_records: one }] }] },
  ]) {
    assert.equal(json(body), '2 records');
  }
  assert.equal(json({ resourceLogs: [{ instrumentationLibraryLogs: [{ logs: one }] }] }), '1 records');
});

test('scopes are read by their name before version 0.15 too', () => {
  const logRecords = [{ timeUnixNano: '1' }, {}];
  for (const resourceLogs of [
    { instrumentationLibraryLogs: [{ instrumentationLibrary: { name: 'x' }, logs: logRecords }] },
    { instrumentation_library_logs: [{ instrumentation_library: {}, log_records: logRecords }] },
    { scopeLogs: [], instrumentationLibraryLogs: [{ logRecords }] },
    { scopeLogs: [{ logRecords }], instrumentationLibraryLogs: [{ logRecords }] },
  ]) {
    assert.equal(json({ resourceLogs: [resourceLogs] }), '2 records');
  }
  const logs = message([2, LOG_RECORD], [2, LOG_RECORD]);
  assert.equal(read(message([1, message([1000, logs])]), 'otlp-protobuf'), '2 records');
  assert.equal(read(message([1, message([1000, logs], [2, logs])]), 'otlp-protobuf'), '2 records');
});

test('another protobuf message is refused', () => {
  const ofScope = (record: Uint8Array): Buffer => message([1, message([2, message([2, record])])]);
  const span = message([1, Buffer.alloc(16, 7)], [2, Buffer.alloc(8, 7)], [5, 'POST /v4/openim/sendmsg']);
  const metric = message([1, 'http.server.request.duration'], [2, 'text'], [3, 's']);
  for (const [what, body] of [
    ['spans', ofScope(span)],
    ['metrics', ofScope(metric)],
    ['one log record', Buffer.from(LOG_RECORD)],
    ['one ResourceLogs without a resource', message([2, message([2, LOG_RECORD])])],
    ['an empty ResourceLogs and something else', message([1, Buffer.alloc(0)], [2, 'x'])],
    ['a resource and unknown fields', message([1, message([1, Buffer.alloc(0)], [5, 'x'])])],
    ['a scope and unknown fields', message([1, message([2, message([1, Buffer.alloc(0)], [5, 'x'])])])],
  ] as const) {
    assert.match(
      read(body, 'otlp-protobuf'),
      /^unreadable_body: .*(?:has no \w+, it has a field|spans or metrics)/,
      what,
    );
  }
});

test('unknown fields beside records are ignored', () => {
  const scope = message([2, LOG_RECORD], [9, 'later']);
  const body = message([1, message([2, scope], [9, 'later'])], [9, 'later']);
  assert.equal(read(body, 'otlp-protobuf'), '1 records');
  assert.equal(read(asProtobuf([{ logRecords: [logRecord()] }]), 'otlp-protobuf'), '1 records');
  assert.equal(
    json({ resourceLogs: [{ later: 1, scopeLogs: [{ later: 1, logRecords: [{ later: 1 }] }] }], later: 1 }),
    '1 records',
  );
});

/** What one log record in JSON is read as. */
function readOne(record: Record<string, unknown>): Record<string, unknown> {
  const body = { resource_logs: [{ scope_logs: [{ log_records: [record] }] }] };
  const values: unknown[] = [];
  parseBody({ bytes: Buffer.from(JSON.stringify(body)), format: 'otlp-json' }, ROOM, (_, value) =>
    values.push(value),
  );
  return values[0] as Record<string, unknown>;
}

function valueOf(any: unknown): unknown {
  return readOne({ attributes: [{ key: 'im.latency_ms', value: any }] })['latency_ms'];
}

test('values of the JSON mapping are read: ids in base64, numbers as text, times with an exponent, null', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  for (const id of [traceId, traceId.toUpperCase(), Buffer.from(traceId, 'hex').toString('base64')]) {
    assert.equal(readOne({ trace_id: id })['request_id'], traceId, id);
  }
  for (const id of ['', 'x', traceId.slice(1), 'AAAAAAAAAAAAAAAAAAAAAA==', 5, null]) {
    assert.equal(readOne({ traceId: id })['request_id'], undefined, String(id));
  }
  assert.equal(readOne({ time_unix_nano: '1.715000889123e18' })['time'], 1_715_000_889_123);
  assert.equal(
    readOne({ timeUnixNano: null, time_unix_nano: '1715000889123000000' })['time'],
    1_715_000_889_123,
  );
  assert.equal(
    readOne({ timeUnixNano: 'soon', observedTimeUnixNano: 1_715_000_889_123_000_000 })['time'],
    1_715_000_889_123,
  );
  assert.equal(readOne({ timeUnixNano: null, observedTimeUnixNano: 'soon' })['time'], 'soon');
  assert.equal(valueOf({ double_value: '41.5' }), 41.5);
  assert.equal(valueOf({ int_value: '7' }), 7);
  assert.ok(Number.isNaN(valueOf({ doubleValue: 'NaN' })));
  assert.equal(valueOf({ doubleValue: '-Infinity' }), Number.NEGATIVE_INFINITY);
  assert.equal(valueOf({ stringValue: null, intValue: 7 }), 7);
  assert.deepEqual(valueOf({ bytes_value: 'AA==' }), {});
  assert.equal(readOne({ attributes: [{ key: null, value: { stringValue: 'x' } }] })['node'], undefined);
});

function attributesOf(values: Record<string, string>): Buffer {
  const [one] = attributes(values);
  assert(one !== undefined);
  return message([1, one.key], [2, message([1, values[one.key] ?? ''])]);
}
