import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Grant } from '@imscope/runtime/tokens.js';
import { singleLane } from '@imscope/schemas/lanes.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import { Batch } from '../src/batch.js';
import { type Intake, REJECTED_NAMED_MAX, takeIn } from '../src/intake.js';
import { RECORDS_MAX } from '../src/parse-body.js';
import type { BodyFormat } from '../src/read-body.js';
import { sampleRecord, SAMPLE_TIME_MS } from './sample-record.js';

const BOUNDS = { nowMs: SAMPLE_TIME_MS, lateMsMax: 86_400_000 };
const ALL: Grant = { name: 'gateways', scope: 'write', applications: 'all', tokenHash: '0'.repeat(64) };

function take(text: string, format: BodyFormat, grant = ALL): Intake & { records: RequestLog[] } {
  const records: RequestLog[] = [];
  const [lane] = singleLane(1).lanes;
  assert(lane !== undefined);
  const batch = new Batch(lane, Number.POSITIVE_INFINITY);
  const intake = takeIn({ text, format }, grant, BOUNDS, (record) => {
    records.push(record);
    return batch;
  });
  return { ...intake, records };
}

function refusal(text: string, format: BodyFormat): string {
  try {
    take(text, format);
  } catch (error) {
    assert(error instanceof HttpError);
    return error.code;
  }
  return 'taken';
}

test('an array keeps its good records in order and names each bad one by its place', () => {
  const body = [
    sampleRecord({ request_id: 'a' }),
    5,
    sampleRecord({ code: 'x' }),
    sampleRecord({ request_id: 'b' }),
  ];
  const { accepted, rejected, records } = take(JSON.stringify(body), 'json');
  assert.equal(accepted, 2);
  assert.deepEqual(
    rejected.map(({ index, reason }) => [index, reason]),
    [
      [1, 'not_an_object'],
      [2, 'wrong_type'],
    ],
  );
  assert.deepEqual(
    records.map((record) => record.request_id),
    ['a', 'b'],
  );
});

test('one object is one record, an empty array is none', () => {
  assert.equal(take(JSON.stringify(sampleRecord()), 'json').accepted, 1);
  assert.equal(take('[]', 'json').accepted, 0);
});

test('a malformed NDJSON line is refused alone; an index is the line, blank ones counted', () => {
  const good = JSON.stringify(sampleRecord());
  const { accepted, rejected } = take(`${good}\r\n\n{"time":\n  \n${good}${good}\n[]\n${good}`, 'ndjson');
  assert.equal(accepted, 2);
  assert.deepEqual(
    rejected.map(({ index, reason }) => [index, reason]),
    [
      [2, 'malformed_json'],
      [4, 'malformed_json'],
      [5, 'not_an_object'],
    ],
  );
});

test('a body that is not JSON, or neither array nor object, is refused whole', () => {
  const good = JSON.stringify(sampleRecord());
  for (const text of [`[${good},{"time":]`, `${good}${good}`, '5', 'null', '"text"', '{', '\u0000']) {
    assert.equal(refusal(text, 'json'), 'unreadable_body', text.slice(0, 20));
  }
});

test('a body of nothing but white space is empty', () => {
  for (const format of ['json', 'ndjson'] as const) {
    for (const text of ['', ' \r\n\t', '\n\n']) assert.equal(refusal(text, format), 'empty_body');
  }
});

test('records of an application outside the token are refused, those inside are taken', () => {
  const grant: Grant = { ...ALL, name: 'gw-east', applications: new Set([7]) };
  const body = [sampleRecord({ sdk_app_id: 7 }), sampleRecord({ sdk_app_id: 8 })];
  const { accepted, rejected } = take(JSON.stringify(body), 'json', grant);
  assert.equal(accepted, 1);
  assert.deepEqual(rejected, [
    {
      index: 1,
      reason: 'application_not_allowed',
      detail: 'token "gw-east" does not speak for application 8',
    },
  ]);
});

test('pieces taken out of texts and ids taken out of paths are counted over the body', () => {
  const body = [
    sampleRecord({ cause: 'user bob_1987 at 10.0.0.7 refused', interface: 'group/12345/members' }),
    sampleRecord(),
    sampleRecord({ exception: 'mail bob@example.com', interface: 'group/7/members/8' }),
  ];
  const { piecesScrubbed, idsTaken, records } = take(JSON.stringify(body), 'json');
  assert.equal(piecesScrubbed, 3);
  assert.equal(idsTaken, 2);
  assert.deepEqual(
    records.map((record) => [record.interface, record.exception, record.cause]),
    [
      ['group/{id}/members', 'Timeout', 'user <account> at <ip> refused'],
      ['openim/sendmsg', 'Timeout', 'upstream timed out'],
      ['group/{id}/members/{id}', 'mail <email>', 'upstream timed out'],
    ],
  );
});

test('beyond a hundred, bad records are counted by reason but not named', () => {
  const bad = Array.from({ length: 250 }, (_, index) => (index % 5 === 0 ? 1 : sampleRecord({ code: 'x' })));
  const { rejected, rejectedByReason } = take(JSON.stringify(bad), 'json');
  assert.equal(rejected.length, REJECTED_NAMED_MAX);
  assert.deepEqual(
    rejectedByReason,
    new Map<string, number>([
      ['not_an_object', 50],
      ['wrong_type', 200],
    ]),
  );
});

function many(record: string, separator: string): string {
  return Array.from({ length: RECORDS_MAX + 1 }, () => record).join(separator);
}

test('a body of more records than the bound is refused whole, whatever they are', () => {
  for (const record of ['{}', '[]', '1', '""']) {
    assert.equal(refusal(`[${many(record, ',')}]`, 'json'), 'body_too_large', record);
  }
  assert.equal(refusal(`${many('{}', '\n')}\n`, 'ndjson'), 'body_too_large');
  const most = Array.from({ length: RECORDS_MAX }, () => '{}').join(',');
  assert.equal(take(`[${most}]`, 'json').rejectedByReason.get('missing_field'), RECORDS_MAX);
});

test('deep nesting, repeated keys and prototype names do no harm', () => {
  const depth = 90_000;
  const deep = '['.repeat(depth) + ']'.repeat(depth);
  assert.deepEqual([...take(deep, 'json').rejectedByReason], [['not_an_object', 1]]);
  const nested = JSON.stringify(sampleRecord()).replace('"cause":"upstream timed out"', `"cause":${deep}`);
  assert.deepEqual([...take(nested, 'json').rejectedByReason], [['wrong_type', 1]]);
  const repeated = JSON.stringify(sampleRecord()).replace('{', '{"code":"x","code":"y",');
  assert.equal(take(repeated, 'json').accepted, 1);
  const polluting = JSON.stringify(sampleRecord()).replace('{', '{"__proto__":{"exit_ip":"x"},');
  assert.deepEqual([...take(polluting, 'json').rejectedByReason], [['unknown_field', 1]]);
});

test('whatever lines stand beside them, good lines are all taken and no others', () => {
  const line = fc.oneof(
    fc.constant({ good: true, text: JSON.stringify(sampleRecord()) }),
    fc.oneof(fc.json(), fc.string(), fc.constant('{"time":')).map((text) => ({
      good: false,
      text: text.replaceAll('\n', ' '),
    })),
  );
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), (lines) => {
      fc.pre(lines.some(({ text }) => text.trim() !== ''));
      const { accepted, rejectedByReason } = take(lines.map(({ text }) => text).join('\n'), 'ndjson');
      const good = lines.filter((each) => each.good).length;
      const blank = lines.filter(({ text }) => text.trim() === '').length;
      const refused = [...rejectedByReason.values()].reduce((sum, records) => sum + records, 0);
      return accepted === good && refused === lines.length - good - blank;
    }),
  );
});
