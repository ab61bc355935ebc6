import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import type { Answer } from '@imscope/schemas/query-api/envelope.js';
import { answerSchema, QUESTIONS } from '@imscope/schemas/query-api/questions.js';
import { LeftOut, PERFORMANCE, Time } from '@imscope/schemas/query-api/values.js';
import fc from 'fast-check';
import {
  IsArray,
  IsEnum,
  IsInteger,
  IsLiteral,
  IsNull,
  IsNumber,
  IsObject,
  IsRecord,
  IsString,
  IsUnion,
  type TSchema,
  Type,
} from 'typebox';
import { answerText } from '../../src/query/answer-text.js';
import { textWidth } from '../../src/query/answer-table.js';

const TIME = '2026-11-23T12:03:10.250Z';

function answerWith(data: unknown, given: Partial<Answer<unknown>> = {}): Answer<unknown> {
  return {
    data,
    window: {
      from: '2026-11-23T11:00:00.000Z',
      to: '2026-11-23T12:00:00.000Z',
      step: null,
      source: 'metrics',
      metrics: null,
      logged_share: 1,
    },
    completeness: { status: 'complete', ratio: 1, watermark: TIME, silent_collectors: [] },
    ...given,
  };
}

function linesOf(answer: Answer<unknown>, data: TSchema, columns = 80, wanted?: string[]): string[] {
  const text = answerText(answer, { title: 'question', data }, { columns, wanted });
  return stripVTControlCharacters(text).split('\n');
}

const FIGURES = {
  requests: 12_345,
  requests_per_s: 3.429,
  outcomes: { success: 12_000, caller_error: 100, service_error: 245, unknown: 0 },
  success_rate: 0.979_991,
  latency_ms: { avg: 15.44, p50: 11.2, p90: 30, p95: 38.51, p99: 9_996, max: null },
};

test('rows are a table of the columns that fit, and the others are named', () => {
  const Row = Type.Object({ interface: Type.String(), ...PERFORMANCE });
  const lines = linesOf(answerWith([{ interface: 'openim/sendmsg', ...FIGURES }]), Type.Array(Row), 64);
  assert.deepEqual(lines.slice(0, 4), [
    'question',
    'INTERFACE       REQUESTS  SERVICE_ERROR  SUCCESS_RATE     P95',
    'openim/sendmsg    12,345            245        97.99%  38.5ms',
    'not shown (--columns, --json): requests_per_s, success, caller…',
  ]);
});

test('groups of exceptions show what failed and why, also in 80 columns', () => {
  const Row = Type.Object({
    id: Type.String(),
    exception: Type.String(),
    code: Type.Integer(),
    cause: Type.String(),
    name: Type.String(),
    outcomes: PERFORMANCE.outcomes,
    count: Type.Integer(),
    share: Type.Number(),
  });
  const group = {
    id: 'db68283112386514',
    exception: 'UpstreamTimeout',
    code: 91_000,
    name: 'internal_error',
  };
  const { outcomes } = FIGURES;
  const rows = ['queue full', 'no route'].map((cause) => ({
    ...group,
    cause,
    outcomes,
    count: 52,
    share: 0.1,
  }));
  const lines = linesOf(answerWith(rows), Type.Array(Row));
  assert.match(lines[1] ?? '', /EXCEPTION.* CODE.* CAUSE/);
  assert.match(lines[2] ?? '', /UpstreamTimeout.* 91000.* queue full/);
  assert.match(lines[3] ?? '', /UpstreamTimeout.* 91000.* no route/);
});

test('a row beside a table that an answer does not have is left out', () => {
  const Other = Type.Object({ groups: Type.Integer(), ...PERFORMANCE });
  const data = Type.Object({
    groups: Type.Array(Type.Object({ node: Type.String(), ...PERFORMANCE })),
    other: Type.Union([Other, Type.Null()]),
    total: Other,
  });
  const groups = [{ node: 'gw-1', ...FIGURES }];
  const lines = linesOf(answerWith({ groups, other: null, total: { groups: 1, ...FIGURES } }), data);
  assert.deepEqual(
    lines.slice(0, 4).map((line) => line.split(' ', 1)[0]),
    ['question', 'NODE', 'gw-1', '(total)'],
  );
});

test('columns can be named, by their title or their path', () => {
  const Row = Type.Object({ interface: Type.String(), ...PERFORMANCE });
  const answer = answerWith([{ interface: 'a', ...FIGURES }]);
  const lines = linesOf(answer, Type.Array(Row), 80, ['interface', 'latency_ms.p99', 'max']);
  assert.deepEqual(lines.slice(1, 3), ['INTERFACE    P99  MAX', 'a          10.0s    -']);
});

test('the fields of an object are lines, and the same fields of another span are beside them', () => {
  const Data = Type.Object({
    requests: Type.Integer(),
    success_rate: Type.Union([Type.Number(), Type.Null()]),
    previous: Type.Object({ requests: Type.Integer(), success_rate: Type.Number(), since: Time }),
    codes: Type.Array(Type.Object({ code: Type.Integer(), share: Type.Number() })),
    codes_left_out: LeftOut,
  });
  const lines = linesOf(
    answerWith({
      requests: 1_000,
      success_rate: null,
      previous: { requests: 900, success_rate: 1, since: TIME },
      codes: [{ code: 91_000, share: 0.25 }],
      codes_left_out: 7,
    }),
    Data,
  );
  assert.deepEqual(lines.slice(1, 10), [
    '                           NOW  PREVIOUS',
    'requests                 1,000       900',
    'success_rate                 -      100%',
    'previous.since  11-23 12:03:10',
    '',
    'codes',
    ' CODE   SHARE',
    '91000  25.00%',
    'and 7 more that the service left out',
  ]);
});

test('the last lines say what the answer covers, how complete it is and what it cost', () => {
  const covered = answerWith([], { left_out: 3, cost: { rows: 204_800, bytes: 5_662_310, ms: 187.04 } });
  assert.deepEqual(linesOf(covered, Type.Array(Type.Object({ a: Type.String() }))).slice(1), [
    'none',
    'and 3 more that the service left out',
    '',
    '11-23 11:00:00 to 12:00:00 UTC (1h), from the metrics',
    'complete',
    'cost: 204,800 rows, 5.40 MiB, 187ms',
  ]);
  const sampled = answerWith([], {
    window: {
      ...covered.window,
      to: '2026-11-24T11:00:00.000Z',
      step: 300,
      source: 'both',
      logged_share: 0.5,
    },
  });
  assert.equal(
    linesOf(sampled, Type.Array(Type.Object({ a: Type.String() })), 120)[3],
    '11-23 11:00:00 to 11-24 11:00:00 UTC (1d), step 5m, from metrics and logs, 50.00% logged one by one',
  );
});

test('units come from names: bytes, milliseconds, rates, parts of one; ids are not counted', () => {
  const Row = Type.Object({
    sdk_app_id: Type.Integer(),
    http_status: Type.Integer(),
    waiting_bytes: Type.Integer(),
    upstream_ms: Type.Number(),
    requests_per_s: Type.Number(),
    share: Type.Number(),
    age_s: Type.Number(),
  });
  const row = {
    sdk_app_id: 1_400_000_001,
    http_status: 200,
    waiting_bytes: 3_145_728,
    upstream_ms: 12_345,
    requests_per_s: 0.001,
    share: 0.999_999,
    age_s: 90,
  };
  const [, , cells = ''] = linesOf(answerWith([row]), Type.Array(Row), 120);
  assert.deepEqual(cells.trim().split(/\s{2,}/), [
    '1400000001',
    '200',
    '3 MiB',
    '12.3s',
    '<0.01/s',
    '99.99%',
    '90s',
  ]);
});

test('points in time inside a row are drawn, other lists show their first entry', () => {
  const Row = Type.Object({
    name: Type.String(),
    sparkline: Type.Array(Type.Object({ time: Time, requests: Type.Integer() })),
    causes: Type.Array(Type.Object({ cause: Type.String(), count: Type.Integer() })),
    nodes: Type.Array(Type.String()),
  });
  const row = {
    name: 'a',
    sparkline: [0, 4, 8].map((requests) => ({ time: TIME, requests })),
    causes: [
      { cause: 'upstream timed out', count: 3 },
      { cause: 'reset', count: 1 },
    ],
    nodes: ['gw-1', 'gw-2'],
  };
  const [, , cells] = linesOf(answerWith([row]), Type.Array(Row), 120);
  assert.equal(cells, 'a     ▁▅█        upstream timed out +1  gw-1, gw-2');
});

test('control characters of foreign text do not reach the terminal', () => {
  const Row = Type.Object({ name: Type.String() });
  const text = answerText(
    answerWith([{ name: '\u001B[2Jx\n' }]),
    { title: 'q', data: Type.Array(Row) },
    { columns: 80, wanted: undefined },
  );
  assert.ok(!text.includes('\u001B[2J'));
});

/** Values of the kinds of schemas that answers are made of. */
function valuesOf(schema: TSchema): fc.Arbitrary<unknown> {
  if (IsObject(schema)) {
    return fc.record(mapped(schema.properties), { requiredKeys: schema.required ?? [] });
  }
  if (IsRecord(schema)) {
    const [of = Type.Null()] = Object.values(schema.patternProperties);
    return fc.dictionary(fc.string({ maxLength: 8 }), valuesOf(of), { maxKeys: 3 });
  }
  if (IsArray(schema)) return fc.array(valuesOf(schema.items), { maxLength: 4 });
  if (IsUnion(schema)) return fc.oneof(...schema.anyOf.map(valuesOf));
  if (IsEnum(schema)) return fc.constantFrom(...schema.enum);
  if (IsLiteral(schema)) return fc.constant(schema.const);
  if (IsNull(schema)) return fc.constant(null);
  if (IsInteger(schema)) return fc.nat({ max: 2_000_000_000 });
  if (IsNumber(schema)) return fc.double({ min: 0, max: 1e6, noNaN: true });
  if (IsString(schema)) {
    return 'format' in schema ? fc.constant(TIME) : fc.string({ unit: 'grapheme', maxLength: 60 });
  }
  return fc.constantFrom(true, false, null);
}

function mapped(properties: Readonly<Record<string, TSchema>>): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, valuesOf(of)]));
}

for (const [question, contract] of Object.entries(QUESTIONS)) {
  test(`any answer to "${question}" fits the terminal`, () => {
    const answers = valuesOf(answerSchema(contract)) as fc.Arbitrary<Answer<unknown>>;
    fc.assert(
      fc.property(answers, fc.integer({ min: 60, max: 160 }), (answer, columns) => {
        for (const line of linesOf(answer, contract.data, columns).slice(1)) {
          const isCursor = line.startsWith('more: --cursor');
          assert.ok(isCursor || textWidth(line) < columns, `${textWidth(line)} of ${columns}: ${line}`);
        }
      }),
      { numRuns: 30 },
    );
  });
}
