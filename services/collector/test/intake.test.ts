import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { type ApplicationSettings, NO_APPLICATION_SETTINGS } from '@imscope/access/application-settings.js';
import type { Grant } from '@imscope/access/grant.js';
import { singleLane } from '@imscope/schemas/lanes.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import { Batch } from '../src/batches/batch.js';
import { type Intake, REJECTED_NAMED_MAX } from '../src/intake/intake.js';
import { acceptBody } from '../src/bodies/accept-body.js';
import { ApplicationLimits } from '../src/limits/application-limits.js';
import { RECORDS_MAX } from '../src/bodies/parse-body.js';
import type { BodyFormat } from '../src/bodies/read-body.js';
import { sampleRecord, SAMPLE_TIME_MS } from './sample-record.js';

const BOUNDS = { nowMs: SAMPLE_TIME_MS, lateMsMax: 86_400_000 };
const ALL: Grant = {
  name: 'gateways',
  scope: 'write',
  applications: 'all',
  tokenHash: '0'.repeat(64),
  recordsPerSecondMax: Number.POSITIVE_INFINITY,
  expiresMs: Number.POSITIVE_INFINITY,
};

type TakeOptions = {
  readonly grant?: Grant;
  readonly settings?: Partial<ApplicationSettings>;
  readonly limits?: ApplicationLimits;
  readonly nowMs?: number;
  readonly allOrNothing?: boolean;
};

function limitsOf(settings: Partial<ApplicationSettings> = {}): ApplicationLimits {
  return new ApplicationLimits({
    lookUp: () => ({ ...NO_APPLICATION_SETTINGS, ...settings }),
    refusalOf: () => undefined,
    random: Math.random,
  });
}

function take(
  text: string,
  format: BodyFormat,
  options: TakeOptions = {},
): Intake & { records: NewRequestLog[]; counted: number; retryAfterS: number } {
  const records: NewRequestLog[] = [];
  let counted = 0;
  const [lane] = singleLane(1).lanes;
  assert(lane !== undefined);
  const batch = new Batch(lane, Number.POSITIVE_INFINITY);
  const limits = (options.limits ?? limitsOf(options.settings)).forRequest(options.nowMs ?? 0);
  const intake = acceptBody(
    { bytes: Buffer.from(text), format },
    { inflatedBytesMax: 8 << 20, reserve: () => undefined },
    {
      ...BOUNDS,
      grant: options.grant ?? ALL,
      limits,
      allOrNothing: options.allOrNothing ?? false,
      watch: undefined,
      append: (record) => {
        records.push(record);
        return batch;
      },
      countOnly: () => {
        counted += 1;
        return batch;
      },
    },
  );
  return { ...intake, records, counted, retryAfterS: limits.retryAfterS };
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

test('valid records of an array are accepted in order, refused ones are listed by position', () => {
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

test('one object is one record, an empty array has no record', () => {
  assert.equal(take(JSON.stringify(sampleRecord()), 'json').accepted, 1);
  assert.equal(take('[]', 'json').accepted, 0);
});

test('only the malformed NDJSON line is refused; an index is the line number, blank lines counted', () => {
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

test('a body that is not JSON, or neither array nor object, is refused entirely', () => {
  const good = JSON.stringify(sampleRecord());
  for (const text of [`[${good},{"time":]`, `${good}${good}`, '5', 'null', '"text"', '{', '\u0000']) {
    assert.equal(refusal(text, 'json'), 'unreadable_body', text.slice(0, 20));
  }
});

test('a body of only white space is empty', () => {
  for (const format of ['json', 'ndjson'] as const) {
    for (const text of ['', ' \r\n\t', '\n\n']) assert.equal(refusal(text, format), 'empty_body');
  }
});

test('records of an application outside the token are refused, others are accepted', () => {
  const grant: Grant = { ...ALL, name: 'gw-east', applications: new Set([7]) };
  const body = [sampleRecord({ sdk_app_id: 7 }), sampleRecord({ sdk_app_id: 8 })];
  const { accepted, rejected } = take(JSON.stringify(body), 'json', { grant });
  assert.equal(accepted, 1);
  assert.deepEqual(rejected, [
    {
      index: 1,
      reason: 'application_not_allowed',
      detail: 'token "gw-east" is not for application 8',
    },
  ]);
});

test('scrubbed pieces and replaced ids are counted for the body', () => {
  const body = [
    sampleRecord({ cause: 'user bob_1987 at 10.0.0.7 refused', interface: 'group/12345/members' }),
    sampleRecord(),
    sampleRecord({ exception: 'mail bob@example.com', interface: 'group/7/members/8' }),
  ];
  const { piecesScrubbed, idsReplaced, records } = take(JSON.stringify(body), 'json');
  assert.equal(piecesScrubbed, 3);
  assert.equal(idsReplaced, 2);
  assert.deepEqual(
    records.map((record) => [record.interface, record.exception, record.cause]),
    [
      ['group/{id}/members', 'Timeout', 'user <account> at <ip> refused'],
      ['openim/sendmsg', 'Timeout', 'upstream timed out'],
      ['group/{id}/members/{id}', 'mail <email>', 'upstream timed out'],
    ],
  );
});

test('beyond a hundred, refused records are counted by reason but not listed', () => {
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

test('a body with more records than the bound is refused entirely', () => {
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

test('exactly the valid lines are accepted, whatever other lines there are', () => {
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

function bodyOf(records: number, changes: (n: number) => Record<string, unknown> = () => ({})): string {
  return JSON.stringify(Array.from({ length: records }, (_, n) => sampleRecord(changes(n))));
}

test('records beyond an application’s limit are refused one by one, those of other applications are accepted', () => {
  // A limit of 2 a second lets 10 come at once.
  const seven = { ...NO_APPLICATION_SETTINGS, limitPerSecond: 2 };
  const others = { ...NO_APPLICATION_SETTINGS, limitPerSecond: 1_000 };
  const limits = new ApplicationLimits({
    lookUp: (sdkAppId) => (sdkAppId === 7 ? seven : others),
    refusalOf: () => undefined,
    random: Math.random,
  });
  const body = bodyOf(30, (n) => ({ sdk_app_id: n % 2 === 0 ? 7 : 8 }));
  const first = take(body, 'json', { limits });
  assert.equal(first.accepted, 25);
  assert.deepEqual([...first.rejectedByReason], [['rate_limited', 5]]);
  assert.deepEqual([...first.rejectedByApplication], [[7, new Map([['rate_limited', 5]])]]);
  assert.deepEqual(
    first.rejected.map(({ index }) => index),
    [20, 22, 24, 26, 28],
  );
  assert.match(first.rejected[0]?.detail ?? '', /application 7 is over its 2 records a second/);
  // 5 of 2 a second come again in 2.5 seconds, and not before.
  assert.equal(first.retryAfterS, 3);
  const five = bodyOf(5, () => ({ sdk_app_id: 7 }));
  assert.equal(take(five, 'json', { limits, nowMs: 3_000 }).accepted, 5);
});

test('an all-or-nothing request is refused while one of its applications is over its limit', () => {
  const limits = limitsOf({ limitPerSecond: 2 });
  const options = { limits, allOrNothing: true };
  assert.equal(take(bodyOf(8), 'json', options).accepted, 8);
  const second = take(bodyOf(4), 'json', options);
  assert.deepEqual([second.accepted, second.records.length, second.retryAfterS], [0, 0, 1]);
  assert.deepEqual([...second.rejectedByReason], [['rate_limited', 4]]);
  assert.equal(take(bodyOf(4), 'json', { ...options, nowMs: 1_000 }).accepted, 4);
});

test('an all-or-nothing request larger than a full bucket is accepted with a full bucket, which is then in debt', () => {
  const limits = limitsOf({ limitPerSecond: 2 });
  assert.equal(take(bodyOf(30), 'json', { limits, allOrNothing: true }).accepted, 30);
  const after = take(bodyOf(1), 'json', { limits, allOrNothing: true });
  // It owes 20, at 2 a second.
  assert.deepEqual([after.accepted, after.retryAfterS], [0, 11]);
});

test('over the quota every request is accepted, errors are logged, and successes have the weight of those not logged', () => {
  const body = bodyOf(1_000, (n) => ({ code: n % 10 === 0 ? 60_002 : 0 }));
  const { accepted, records, counted } = take(body, 'json', { settings: { quotaPerSecond: 20 } });
  assert.equal(accepted, 1_000);
  assert.equal(records.length + counted, 1_000);
  assert.equal(records.filter(({ outcome }) => outcome !== 'success').length, 100);
  assert(counted > 500);
  assert(records.every(({ outcome, weight }) => outcome === 'success' || weight === 1));
});
