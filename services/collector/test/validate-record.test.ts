import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import type { Outcome } from '@imscope/schemas/outcome.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { type NewRequestLog, REQUEST_LOG_ENCODER } from '@imscope/schemas/request-log-encoder.js';
import { isRejection, REJECT_REASONS } from '../src/intake/reject-reasons.js';
import { validateRecord } from '../src/intake/validate-record.js';
import { sampleRecord, SAMPLE_TIME_MS, validationContext as context } from './sample-record.js';

const HOUR_MS = 3_600_000;

/** The record as a reader finds it. */
function asStored(record: NewRequestLog): unknown {
  const into = Buffer.alloc(REQUEST_LOG_ENCODER.bytesMax);
  const end = REQUEST_LOG_ENCODER.encode(record, into, 0);
  const read: unknown = REQUEST_LOG_SCHEMA.type.fromBuffer(into.subarray(0, end));
  return { ...(read as object) };
}

function accept(changes: Record<string, unknown>) {
  const result = validateRecord(sampleRecord(changes), context());
  assert(!isRejection(result), isRejection(result) ? result.detail : '');
  return result;
}

test('a full record is stored with microseconds, 16 address bytes and its outcome', () => {
  assert.deepEqual(accept({}), {
    time: SAMPLE_TIME_MS,
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    exit_ip: 0xcb00_7107,
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
    request_id: 'req-1',
    weight: 1,
  });
});

test('absent or null optional fields are stored as unknown, and a record without a code is never a success', () => {
  const { time, sdk_app_id, interface: name, exit_ip, latency_ms } = sampleRecord();
  const required = { time, sdk_app_id, interface: name, exit_ip, latency_ms };
  const nulls = Object.fromEntries(Object.keys(sampleRecord()).map((field) => [field, null]));
  for (const record of [required, { ...nulls, ...required }]) {
    const stored = validateRecord(record, context());
    assert(!isRejection(stored));
    assert.deepEqual(
      { ...stored, exit_ip: undefined },
      {
        time: SAMPLE_TIME_MS,
        sdk_app_id: 1_400_000_001,
        interface: 'openim/sendmsg',
        exit_ip: undefined,
        latency_us: 12_346,
        upstream_us: null,
        rtt_us: null,
        code: null,
        http_status: 0,
        outcome: 'unknown',
        exception: '',
        cause: '',
        node: '',
        region: '',
        platform: '',
        sdk_version: '',
        request_id: '',
        weight: 1,
      },
    );
  }
});

test('a name with {id} is accepted as it is', () => {
  for (const name of ['users/{id}', '{id}/profile', 'a/{id}/b']) {
    assert.equal(accept({ interface: name }).interface, name);
  }
});

test('the version and the slash before an interface are removed', () => {
  for (const given of ['/v4/openim/sendmsg', '/openim/sendmsg', 'openim/sendmsg']) {
    assert.equal(accept({ interface: given }).interface, 'openim/sendmsg');
  }
});

test('ids in a path become {id}, which is reported once a record', () => {
  let taken = 0;
  const counting = context({ onIdTaken: () => (taken += 1) });
  const stored = validateRecord(sampleRecord({ interface: '/v4/group/12345/members/7' }), counting);
  assert(!isRejection(stored));
  assert.equal(stored.interface, 'group/{id}/members/{id}');
  assert.equal(taken, 1);
});

test('cause and exception are stored scrubbed, and replaced pieces are counted', () => {
  const pieces: number[] = [];
  const record = sampleRecord({
    exception: 'UserNotFound: user "bob_1987"',
    cause: 'bob@example.com at 10.0.0.7:80 with usersig=eJwtzEELgjAYxvHvsnPIpm',
    request_id: '7f3c9a52-1b7e-4c1f-9d55-0e7d0c2b9b11',
  });
  const stored = validateRecord(record, context({ onScrubbed: (count) => pieces.push(count) }));
  assert(!isRejection(stored));
  assert.equal(stored.exception, 'UserNotFound: user "<account>"');
  assert.equal(stored.cause, '<email> at <ip> with usersig=<token>');
  assert.equal(stored.request_id, '7f3c9a52-1b7e-4c1f-9d55-0e7d0c2b9b11');
  assert.deepEqual(pieces, [1, 3]);
});

test('a text that placeholders make longer than its bound is truncated', () => {
  const { cause } = accept({
    cause: 'uid=1 '.repeat(40).padEnd(REQUEST_LOG_BOUNDS.causeLengthMax, 'is gone '),
  });
  assert.equal(cause.length, REQUEST_LOG_BOUNDS.causeLengthMax);
  assert.doesNotMatch(cause, /\d/);
});

test('times are accepted as RFC 3339 and as epoch milliseconds', () => {
  for (const time of [
    '2024-05-06T07:08:09.123Z',
    '2024-05-06T15:08:09.123456789+08:00',
    SAMPLE_TIME_MS + 0.7,
    String(SAMPLE_TIME_MS),
    `${SAMPLE_TIME_MS}.7`,
  ]) {
    assert.equal(accept({ time }).time, SAMPLE_TIME_MS);
  }
});

test('a number as text is the same as the number', () => {
  const numbers = {
    sdk_app_id: 7,
    latency_ms: 41.5,
    upstream_ms: 0.25,
    rtt_ms: 3,
    code: -7,
    http_status: 502,
  };
  const texts = Object.fromEntries(Object.entries(numbers).map(([field, value]) => [field, String(value)]));
  assert.deepEqual(accept(texts), accept(numbers));
  assert.equal(accept({ code: '0' }).outcome, 'success');
  assert.equal(accept({ http_status: '0' }).http_status, 0);
});

test('text with more digits than 64 bits hold is not a number', () => {
  for (const changes of [
    { code: `1${'0'.repeat(20)}` },
    { code: `${'0'.repeat(20)}1` },
    { latency_ms: `0.${'0'.repeat(16)}1` },
  ]) {
    const rejection = validateRecord(sampleRecord(changes), context());
    assert(isRejection(rejection), JSON.stringify(changes));
    assert.equal(rejection.reason, 'wrong_type');
  }
});

test('a port after an address is dropped if the text is unambiguous', () => {
  const ipv6 = accept({ exit_ip: '2001:db8::7' }).exit_ip;
  for (const text of [
    '203.0.113.7:52110',
    '[::ffff:203.0.113.7]:443',
    '[::ffff:203.0.113.7]',
    '203.0.113.7:0',
  ]) {
    assert.equal(addressOf(text), '203.0.113.7', text);
  }
  for (const text of ['[2001:db8::7]:443', '[2001:db8::7]', '[2001:DB8:0::7]:65535']) {
    assert.deepEqual(accept({ exit_ip: text }).exit_ip, ipv6, text);
  }
  // Without brackets the last group is of the address.
  assert.deepEqual(
    accept({ exit_ip: '2001:db8::7:443' }).exit_ip,
    accept({ exit_ip: '2001:db8:0::7:0443' }).exit_ip,
  );
});

function addressOf(text: string): string {
  const address = accept({ exit_ip: text }).exit_ip;
  const bytes =
    typeof address === 'number' ? Buffer.from(address.toString(16).padStart(8, '0'), 'hex') : address;
  return [...bytes.subarray(-4)].join('.');
}

test('values at the bounds are accepted', () => {
  const late = SAMPLE_TIME_MS - 24 * HOUR_MS;
  const ahead = SAMPLE_TIME_MS + REQUEST_LOG_BOUNDS.aheadMsMax;
  assert.equal(accept({ time: late }).time, late);
  assert.equal(accept({ time: ahead }).time, ahead);
  assert.equal(accept({ latency_ms: 86_400_000 }).latency_us, REQUEST_LOG_BOUNDS.durationUsMax);
  assert.equal(Object.is(accept({ latency_ms: -0 }).latency_us, 0), true);
  assert.equal(accept({ code: -2_147_483_648 }).code, -2_147_483_648);
  assert.equal(accept({ sdk_app_id: 2 ** 52 - 1 }).sdk_app_id, 2 ** 52 - 1);
  assert.equal(accept({ http_status: 0 }).http_status, 0);
  assert.equal(accept({ cause: 'x'.repeat(2_048) }).cause.length, 2_048);
});

test('a longer lateness is accepted only if it is set', () => {
  const record = sampleRecord({ time: SAMPLE_TIME_MS - 100 * HOUR_MS });
  assert(isRejection(validateRecord(record, context())));
  assert(!isRejection(validateRecord(record, context({ lateMsMax: 168 * HOUR_MS }))));
});

test('fields about a person are dropped and counted in any spelling, and the record is accepted', () => {
  let dropped = 0;
  const personal = {
    identifier: 'a',
    usersig: 'b',
    random: 3,
    From_Account: 'c',
    'user-id': 'd',
    TOKEN: 'e',
  };
  const stored = validateRecord(sampleRecord(personal), context({ onDropped: () => (dropped += 1) }));
  assert(!isRejection(stored));
  assert.equal(dropped, 6);
  assert.deepEqual(stored, validateRecord(sampleRecord(), context()));
});

test('@timestamp is the time if there is no time, and @version is ignored', () => {
  const at = '2024-05-06T07:08:09.123Z';
  for (const changes of [
    { time: undefined, '@timestamp': at, '@version': '1' },
    { time: null, '@timestamp': SAMPLE_TIME_MS, '@version': 1 },
    { '@timestamp': '2024-05-06T01:00:00Z' },
    { '@timestamp': 'not a time', '@version': null },
  ]) {
    assert.deepEqual(accept(changes), accept({}));
  }
});

test('a time that cannot be read is refused, whatever @timestamp says', () => {
  const at = '2024-05-06T07:08:09.123Z';
  for (const [changes, reason] of [
    [{ time: '06/May/2024:07:08:09 +0000', '@timestamp': at }, 'invalid_time'],
    [{ time: true, '@timestamp': at }, 'wrong_type'],
    [{ time: null, '@timestamp': 'yesterday' }, 'invalid_time'],
    [{ time: null, '@timestamp': SAMPLE_TIME_MS / 1000 }, 'time_too_old'],
    [{ time: null, '@timestamp': null }, 'missing_field'],
    [{ '@metadata': {} }, 'unknown_field'],
    [{ date: SAMPLE_TIME_MS / 1000 }, 'unknown_field'],
  ] as const) {
    const result = validateRecord(sampleRecord(changes), context());
    assert(isRejection(result), JSON.stringify(changes));
    assert.equal(result.reason, reason, JSON.stringify(changes));
  }
});

test('NUL and lone surrogates are stored as the replacement character', () => {
  const stored = accept({ cause: 'a\0b', node: 'x\uD800y', request_id: '\uDFFF' });
  const texts = asStored(stored) as Record<string, unknown>;
  assert.equal(texts['cause'], 'a\uFFFDb');
  assert.equal(texts['node'], 'x\uFFFDy');
  assert.equal(texts['request_id'], '\uFFFD');
});

test('any value gives a storable record or a rejection', () => {
  const field = fc.constantFrom(...Object.keys(sampleRecord()), 'identifier', 'other', '__proto__');
  const changed = fc
    .tuple(field, fc.oneof(fc.jsonValue(), fc.double(), fc.string({ unit: 'binary' })))
    .map(([name, value]) => sampleRecord({ [name]: value }));
  fc.assert(
    fc.property(fc.oneof(fc.anything(), changed), (value) => {
      const result = validateRecord(value, context());
      if (isRejection(result)) return Object.hasOwn(REJECT_REASONS, result.reason);
      const exitIp = typeof result.exit_ip === 'number' ? Buffer.alloc(16) : result.exit_ip;
      // Valid, and its bytes read as what it is.
      const valid = REQUEST_LOG_SCHEMA.type.isValid({ ...result, exit_ip: exitIp });
      const { exit_ip: _, ...rest } = result;
      assert.deepEqual(
        { ...(asStored(result) as object), exit_ip: undefined },
        { ...rest, exit_ip: undefined },
      );
      return valid;
    }),
    { numRuns: 2_000 },
  );
});

test('an application’s own codes classify its outcomes, others use the catalogue', () => {
  const codesOfSeven = new Map<number, Outcome>([[30_001, 'success']]);
  const noCodes = new Map<number, Outcome>();
  const judging = context({ codesOf: (sdkAppId) => (sdkAppId === 7 ? codesOfSeven : noCodes) });
  const outcomes = [7, 8].map((sdkAppId) => {
    const stored = validateRecord(sampleRecord({ sdk_app_id: sdkAppId, code: 30_001 }), judging);
    assert(!isRejection(stored));
    return stored.outcome;
  });
  assert.deepEqual(outcomes, ['success', 'caller_error']);
});
