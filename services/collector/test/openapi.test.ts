import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { FIELDS } from '@imscope/schemas/raw-fields.js';
import { DEFAULT_TERMS, HOUR_MS } from '@imscope/schemas/retention.js';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Type } from 'typebox';
import { Compile } from 'typebox/schema';
import { Value } from 'typebox/value';
import { isRejection } from '../src/intake/reject-reasons.js';
import { validateRecord } from '../src/intake/validate-record.js';
import { RecordSchema } from '../src/openapi/record-schema.js';
import { READ_TOKEN, runCollector, type RunningCollector, WRITE_TOKEN } from './running-collector.js';
import { sampleRecord, SAMPLE_TIME_MS } from './sample-record.js';

const Examples = Type.Record(Type.String(), Type.Object({ summary: Type.String(), value: Type.Unknown() }));
const Content = Type.Record(
  Type.String(),
  Type.Object({ schema: Type.Unknown(), examples: Type.Optional(Examples) }),
);
const Parameter = Type.Object({
  name: Type.String(),
  in: Type.Union([Type.Literal('header'), Type.Literal('path'), Type.Literal('query')]),
  example: Type.Optional(Type.Union([Type.String(), Type.Number(), Type.Array(Type.String())])),
});
const Operation = Type.Object({
  operationId: Type.String(),
  security: Type.Array(Type.Record(Type.String(), Type.Array(Type.String()))),
  parameters: Type.Optional(Type.Array(Parameter)),
  requestBody: Type.Optional(Type.Object({ content: Content })),
  responses: Type.Record(
    Type.String(),
    Type.Object({ description: Type.String(), content: Type.Optional(Content) }),
  ),
});
const Document = Type.Object({
  paths: Type.Record(Type.String(), Type.Record(Type.String(), Operation)),
});

let collector: RunningCollector;

before(async () => {
  collector = await runCollector();
});
after(() => collector.remove());

async function readDocument() {
  const response = await fetch(new URL('/v1/openapi.json', collector.url));
  assert.equal(response.status, 200);
  const document: unknown = await response.json();
  assert.ok(Value.Check(Document, document));
  return document;
}

async function operations() {
  const { paths } = await readDocument();
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}

test('the document is valid OpenAPI 3.1 and needs no token', async () => {
  const result = await new Validator().validate({ ...(await readDocument()) });
  assert.deepEqual(result, { valid: true });
});

test('the document has every registered route, with security and error answers', async () => {
  const described = await operations();
  assert.deepEqual(described.map(({ path, method }) => `${method} ${path}`).toSorted(), [
    'get /v1/openapi.json',
    'get /v1/tap',
    'post /v1/logs',
    'post /v1/request-logs',
  ]);
  const intake = ['400', '401', '403', '408', '413', '415', '417', '429', '431', '500', '503', '504'];
  for (const { path, operation } of described) {
    const statuses = Object.keys(operation.responses).filter((status) => !status.startsWith('2'));
    const scopes = operation.security.flatMap((scheme) => Object.keys(scheme));
    if (path === '/v1/tap') assert.deepEqual(scopes, ['requests']);
    else if (path === '/v1/openapi.json') assert.deepEqual(scopes, []);
    else assert.deepEqual([scopes, statuses], [['write'], intake], path);
  }
});

test('every example of a request body gets the answer example of the same name', async () => {
  let sent = 0;
  for (const { path, method, operation } of await operations()) {
    const answers = Object.entries(operation.responses).flatMap(([status, { content }]) =>
      Object.entries(content?.['application/json']?.examples ?? {}).map(([name, { value }]) => ({
        name,
        status: Number(status),
        value,
      })),
    );
    for (const [type, { examples = {} }] of Object.entries(operation.requestBody?.content ?? {})) {
      for (const [name, { value }] of Object.entries(examples)) {
        const expected = answers.find((answer) => answer.name === name);
        assert.ok(expected, `${path} says nothing of what example ${name} is answered`);
        const response = await fetch(new URL(path, collector.url), {
          method,
          headers: { authorization: `Bearer ${WRITE_TOKEN}`, 'content-type': type },
          // Text of other types is sent as it is.
          body: type !== 'application/json' && typeof value === 'string' ? value : JSON.stringify(value),
        });
        const answer: unknown = await response.json();
        assert.deepEqual([response.status, answer], [expected.status, expected.value], `${path} ${name}`);
        sent += 1;
      }
    }
  }
  assert.ok(sent >= 8, `only ${sent} examples`);
});

test('every example of a parameter is accepted', async () => {
  let sent = 0;
  for (const { path, method, operation } of await operations()) {
    for (const { name, in: place, example } of operation.parameters ?? []) {
      if (example === undefined) continue;
      const url = new URL(path, collector.url);
      if (place === 'query') url.searchParams.set(name, String(example));
      const [type, { examples = {} } = {}] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
      const token = operation.security.some((scheme) => 'write' in scheme) ? WRITE_TOKEN : READ_TOKEN;
      const ending = new AbortController();
      const response = await fetch(url, {
        method,
        signal: ending.signal,
        headers: {
          authorization: `Bearer ${token}`,
          ...(place === 'header' ? { [name]: String(example) } : {}),
          ...(type === undefined ? {} : { 'content-type': type }),
        },
        ...(type === undefined ? {} : { body: JSON.stringify(examples['one']?.value) }),
      });
      assert.equal(Math.floor(response.status / 100), 2, `${path} ${name}`);
      // A tap has no end of its own.
      ending.abort();
      sent += 1;
    }
  }
  assert.ok(sent >= 5, `only ${sent} examples`);
});

test('lines of a live tail match their schema in the document', async () => {
  const tap = (await operations()).find(({ path }) => path === '/v1/tap');
  const schema = tap?.operation.responses['200']?.content?.['application/x-ndjson']?.schema;
  assert.ok(Value.Check(Type.Object({ contentSchema: Type.Object({}) }), schema));
  const lineSchema = Compile(schema.contentSchema);
  const ending = new AbortController();
  const response = await fetch(new URL('/v1/tap', collector.url), {
    headers: { authorization: `Bearer ${READ_TOKEN}` },
    signal: ending.signal,
  });
  await collector.post(JSON.stringify([sampleRecord({ time: Date.now() }), sampleRecord({ code: 'x' })]));
  const types = new Set<unknown>();
  let text = '';
  assert.ok(response.body);
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (const line of text.split('\n').slice(0, -1)) {
      const value: unknown = JSON.parse(line);
      assert.ok(lineSchema.Check(value), line);
      if (typeof value === 'object' && value !== null && 'type' in value) types.add(value.type);
    }
    if (['open', 'record', 'rejected'].every((type) => types.has(type))) break;
  }
  ending.abort();
});

/** Values on both sides of every bound, and of every JSON type. */
const NUMBERS = [0, -0, 1, 0.5, -1, 99, 100, 599, 600, 1e300, Number.MIN_VALUE, 86_400_000, 86_400_001];
const LARGE_NUMBERS = [
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 52 - 1,
  2 ** 52,
  SAMPLE_TIME_MS,
];
const ADDRESSES = ['203.0.113.7', '203.0.113.07', '2001:db8::7', '::ffff:1.2.3.4', 'fe80::1%eth0', '1.2.3'];
const NAMES = ['a/b', '/a', 'a/', '/v4/openim/sendmsg', 'openim/{id}', '{ID}', 'a b'];
const TIMES = [
  '2024-05-06T07:08:09.123Z',
  '2024-05-06t07:08:09+01:00',
  '2024-05-06',
  '2024-05-06T07:08:09',
  'now',
];
const LONG = [128, 129, 256, 257, 2_048, 2_049].map((length) => 'x'.repeat(length));
const VALUES = [
  null,
  true,
  [],
  {},
  '',
  ...NUMBERS,
  ...LARGE_NUMBERS,
  ...ADDRESSES,
  ...NAMES,
  ...TIMES,
  ...LONG,
];

test('the schema of a record accepts what the collector accepts, and nothing else', () => {
  const names = ['time', ...FIELDS, '@timestamp', '@version'];
  assert.deepEqual(Object.keys(RecordSchema.properties).toSorted(), names.toSorted());
  const schema = Compile(RecordSchema);
  const context = {
    nowMs: SAMPLE_TIME_MS,
    lateMsMax: DEFAULT_TERMS.lateHoursMax * HOUR_MS,
    codesOf: () => new Map(),
    onDropped: assert.fail,
    onScrubbed: () => undefined,
    onIdTaken: () => undefined,
  };
  /** How old a time may be is stated in words. */
  const isAccepted = (record: unknown): boolean => {
    const checked = validateRecord(record, context);
    return !isRejection(checked) || checked.reason === 'time_too_old' || checked.reason === 'time_too_new';
  };
  const changed = fc.tuple(
    fc.constantFrom(...names, 'unknown'),
    fc.oneof(fc.constantFrom(...VALUES), fc.integer(), fc.double(), fc.string()),
  );
  fc.assert(
    fc.property(changed, ([name, value]) => {
      const record = sampleRecord({ [name]: value });
      const described = schema.Check(record);
      // The document shows senders the usual form: paths with ids and numbers as text may be accepted beside it.
      const isBeside = name === 'interface' || (typeof value === 'string' && /^[+-]?\d*\.?\d+$/.test(value));
      const expected = isBeside ? described || isAccepted(record) : described;
      assert.equal(isAccepted(record), expected, `${name}: ${JSON.stringify(value)}`);
    }),
    { numRuns: 20_000 },
  );
  for (const name of names) {
    const { [name]: _left, ...record } = sampleRecord();
    assert.equal(schema.Check(record), isAccepted(record), `without ${name}`);
  }
});
