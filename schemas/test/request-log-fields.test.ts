import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { REQUEST_LOG_SCHEMA } from '../src/avro-schema.js';
import { OUTCOMES } from '../src/outcome.js';
import { FIELDS, RawFields } from '../src/raw-fields.js';
import type { RequestLog } from '../src/request-log.js';
import { REQUEST_LOG_ENCODER } from '../src/request-log-encoder.js';
import { REQUEST_LOG_FIELDS, type RequestLogField, STORED_FIELDS } from '../src/request-log-fields.js';
import { sampleRequestLog } from './sample-records.js';

const AVRO_TYPES: Readonly<Record<RequestLogField['type'], unknown>> = {
  time: { type: 'long', logicalType: 'timestamp-millis' },
  id: 'long',
  duration: 'long',
  int: 'int',
  text: 'string',
  address: { type: 'fixed', name: 'IpAddress', size: 16 },
  outcome: { type: 'enum', name: 'Outcome', symbols: [...OUTCOMES] },
};

test('the newest Avro schema has the fields of the table, in its order and of its types', () => {
  const { fields } = JSON.parse(REQUEST_LOG_SCHEMA.json) as { fields: { name: string; type: unknown }[] };
  assert.deepEqual(
    fields.map(({ name, type }) => ({ name, type })),
    STORED_FIELDS.map(({ name, type, nullable }) => ({
      name,
      type: nullable ? ['null', AVRO_TYPES[type]] : AVRO_TYPES[type],
    })),
  );
});

const SQL_DIRECTORY = new URL('../clickhouse/', import.meta.url);

/** Columns of the table of request logs with their types, as the migrations leave them. */
function storedColumns(): Map<string, string> {
  const migrations = readdirSync(SQL_DIRECTORY)
    .toSorted()
    .map((file) => readFileSync(new URL(file, SQL_DIRECTORY), 'utf8'));
  const [created = ''] = migrations
    .flatMap((sql) => sql.match(/^CREATE .*TABLE .*\brequest_log(_by_minute)?\n\(\n[^;]*?^\)/gm) ?? [])
    .slice(-1);
  const added = migrations.flatMap(
    (sql) => sql.match(/^ALTER TABLE request_log\b[^;]*ADD COLUMN[^;]*;/gm) ?? [],
  );
  const columns = [created, ...added]
    .flatMap((sql) =>
      Array.from(sql.matchAll(/`(\w+)` ((?:Nullable|LowCardinality|Enum8|DateTime64)\([^)]*\)+|\w+)/g)),
    )
    .map(([, name = '', type = '']): [string, string] => [name, type]);
  return new Map(columns);
}

/** Types of columns that hold every value within the bounds of a field. */
function columnTypes({ type, nullable, min = 0, max = 0 }: RequestLogField): string[] {
  const int = min < 0 ? 'Int32' : max < 2 ** 16 ? 'UInt16' : 'UInt32';
  const outcomes = OUTCOMES.map((outcome, index) => `'${outcome}' = ${index}`).join(', ');
  const types: Record<RequestLogField['type'], string[]> = {
    time: ["DateTime64(3, 'UTC')"],
    id: ['UInt64'],
    duration: ['UInt64'],
    int: [int],
    text: ['String', 'LowCardinality(String)'],
    address: ['IPv6'],
    outcome: [`Enum8(${outcomes})`],
  };
  return nullable ? types[type].map((inner) => `Nullable(${inner})`) : types[type];
}

test('the table of request logs has a column for every field, that holds every value within its bounds', () => {
  const columns = storedColumns();
  assert.deepEqual(
    [...columns.keys()],
    [...STORED_FIELDS.map(({ name }) => name), 'block_id', 'block_row'],
    'columns of request_log',
  );
  for (const field of STORED_FIELDS) {
    const type = columns.get(field.name) ?? '';
    assert.ok(
      columnTypes(field).includes(type),
      `${field.name} is ${type}: ${columnTypes(field).join(' or ')}`,
    );
  }
});

test('the view that readers go through has every column of the table', () => {
  const sql = readFileSync(new URL('0005_read_views.sql', SQL_DIRECTORY), 'utf8');
  assert.match(sql, /VIEW request_log_kept AS\nSELECT \* FROM request_log /);
});

/** Values that lie at the ends of a field's bounds; every one differs from those of the sample. */
function extremes(field: RequestLogField): unknown[] {
  const { type, nullable, min = 0, max = 0, lengthMax = 0 } = field;
  const values: Record<RequestLogField['type'], unknown[]> = {
    time: [0, 2 ** 52],
    id: [min, max],
    duration: [min, max],
    int: [min, max],
    text: ['', 'x'.repeat(lengthMax), '的'.repeat(lengthMax)],
    address: [Buffer.alloc(16, 0xff)],
    outcome: OUTCOMES.filter((outcome) => outcome !== sampleRequestLog(1).outcome),
  };
  return nullable ? [...values[type], null] : values[type];
}

test('every field is encoded at both ends of its bounds, and in its own place', () => {
  const { bytesMax, encode } = REQUEST_LOG_ENCODER;
  for (const field of STORED_FIELDS) {
    for (const value of extremes(field)) {
      const record: RequestLog = { ...sampleRequestLog(1), [field.name]: value };
      const into = Buffer.alloc(bytesMax);
      const decoded: unknown = REQUEST_LOG_SCHEMA.type.fromBuffer(into.subarray(0, encode(record, into, 0)));
      assert.deepEqual({ ...(decoded as object) }, record, field.name);
    }
  }
});

test('the longest record within the bounds fits the encoder’s buffer', () => {
  const longest = Object.fromEntries(
    STORED_FIELDS.map((field) => [field.name, extremes(field).findLast((value) => value !== null)]),
  ) as unknown as RequestLog;
  const into = Buffer.alloc(REQUEST_LOG_ENCODER.bytesMax);
  const end = REQUEST_LOG_ENCODER.encode(longest, into, 0);
  assert.ok(end <= into.length, `${end} bytes`);
});

test('a record before its checks has every field that gateways send, in the order of the table', () => {
  const sent = STORED_FIELDS.flatMap(({ sentAs }) => (sentAs === null ? [] : [sentAs]));
  assert.deepEqual(Object.keys(new RawFields()), sent);
  assert.deepEqual(['time', ...FIELDS], sent);
});

test('a field has the bounds of its type, and a name that is sent differs only by its unit', () => {
  for (const { name, type, sentAs, min, max, lengthMax } of STORED_FIELDS) {
    assert.equal(lengthMax !== undefined, type === 'text', `${name}: lengthMax`);
    const isNumber = type === 'id' || type === 'duration' || type === 'int';
    assert.equal(min !== undefined && max !== undefined, isNumber, `${name}: min and max`);
    if (sentAs !== null) assert.equal(sentAs, type === 'duration' ? name.replace(/_us$/, '_ms') : name);
  }
});

test('what can be filtered by in metrics is a filter of every question', () => {
  for (const { name, filter } of STORED_FIELDS) {
    if (filter?.inMetrics === true) assert.equal(filter.questions, 'every', name);
  }
  assert.equal(
    REQUEST_LOG_FIELDS.exit_ip.filter,
    null,
    'requests must not be found by the address of a person',
  );
});
