import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { LABEL_PATTERNS } from '../src/intake/personal-patterns.js';
import { isRejection } from '../src/intake/reject-reasons.js';
import { type LabelField, scrubLabel } from '../src/intake/scrub-label.js';
import { scrubBy } from '../src/intake/scrub-text.js';
import { validateRecord } from '../src/intake/validate-record.js';
import { sampleRecord, validationContext } from './sample-record.js';

const FIELDS = ['node', 'region', 'platform', 'sdk_version', 'request_id'] as const;

/** A field as it is stored. */
function stored(field: LabelField, text: string): string {
  let pieces = 0;
  const record = validateRecord(
    sampleRecord({ [field]: text }),
    validationContext({ onScrubbed: (found) => (pieces += found) }),
  );
  assert(!isRejection(record), text);
  assert.equal(pieces > 0, record[field] !== text, `pieces are counted: ${text}`);
  return record[field];
}

test('mail addresses, accounts, phone numbers and public addresses are replaced in every label', () => {
  const cases: readonly (readonly [text: string, expected: string])[] = [
    ['alice@example.com', '<email>'],
    ['req-alice%40example.com-17', '<email>-17'],
    ['user_id=alice', 'user_id=<account>'],
    ['identifier:bob_1987/3', 'identifier:<account>'],
    ['user_13800138000', 'user_<account>'],
    ['UID-10086123-77', 'UID-<account>-77'],
    ['member12345678', 'member<account>'],
    ['13800138000-1712345678', '<phone>-1712345678'],
    ['8613800138000-77', '<phone>-77'],
    ['+86 138 0013 8000', '<phone>'],
    ['phone_02012345678', 'phone_<phone>'],
    ['x-tel:1234567', 'x-tel:<phone>'],
    ['203.0.113.9-17', '<ip>-17'],
    ['gw [2001:db8::7]:443', 'gw <ip>'],
    ['2001:db8::7', '<ip>'],
    ['@TGS#2J4SZEAEL', '<group>'],
    ['用户张三', '用户张三'],
    ['用户：张三', '用户：<account>'],
    ['token=abcdef123456', 'token=<token>'],
    ['https://gw/x?identifier=alice&usersig=e', 'https://gw/x?<query>'],
  ];
  for (const [text, expected] of cases) {
    for (const field of FIELDS) assert.equal(stored(field, text), expected, `${field}: ${text}`);
  }
});

test('tokens with a known beginning are replaced in every label, also alone', () => {
  const usersig = 'eJwtzEELgjAYxvHvsnPIO51zCh0iDKQkMYJs2Rhe6laWxf';
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijklmnop';
  const cases: readonly (readonly [text: string, expected: string])[] = [
    [jwt, '<token>'],
    [`gw-1/${jwt}`, 'gw-1/<token>'],
    ['AKIAIOSFODNNEXAMPLEX', '<token>'],
    ['AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE-2', '<token>-2'],
    [usersig, '<token>'],
    [usersig.replace('zEEL', '*-_L'), '<token>'],
    [`sdk-${usersig}`, 'sdk-<token>'],
    [usersig.slice(0, 32), usersig.slice(0, 32)],
  ];
  for (const [text, expected] of cases) {
    for (const field of FIELDS) assert.equal(stored(field, text), expected, `${field}: ${text}`);
  }
});

test('request ids of every usual form are unchanged', () => {
  const ids = [
    ...Array.from({ length: 200 }, () => randomUUID()),
    ...Array.from({ length: 200 }, () => randomUUID().toUpperCase()),
    ...Array.from({ length: 200 }, () => randomBytes(16).toString('hex')),
    ...Array.from({ length: 500 }, () => randomBytes(16).toString('base64url')),
    ...Array.from({ length: 200 }, () => randomBytes(18).toString('base64')),
    ...Array.from({ length: 200 }, () => randomBytes(8).readBigUInt64LE().toString()),
    '13800138000',
    '1714979289123',
    '7192837465019283746',
    '0',
    'req-1',
    'req_20240506_00017',
    'Root=1-5759e988-bd862e3fe1be46a994272793',
    '1-5759e988-bd862e3fe1be46a994272793',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    'gz-gw-03/1714979289/000017',
    'session-8f3a9c11d2',
    'call:1234567890',
    'hotel-1234567890',
    'a1b2c3d4.e5f6',
    'trace:8f3a9c11',
    'Xk3+9sQ/7z==',
  ];
  for (const id of ids) assert.equal(stored('request_id', id), id);
});

test('names of machines, regions, platforms and versions stay', () => {
  for (const node of [
    'gw-1',
    'gw_01',
    'ip-10-0-1-7',
    'gw-10.0.1.7',
    '10.0.1.7:8080',
    '192.168.0.12',
    'gw-gz-03.ap-guangzhou.example.com',
    'fd00::17',
    'tke-node-7f9c6d5b8-x2x4z',
    'ins-8f3a9c11',
    '网关-3',
  ]) {
    assert.equal(stored('node', node), node);
  }
  for (const region of ['ap-guangzhou', 'ap-guangzhou-3', 'zone_10', 'eu-central-1a', '华南']) {
    assert.equal(stored('region', region), region);
  }
  for (const platform of ['android', 'iOS 17.4.1', 'Windows NT 10.0', 'web', 'flutter/3.19']) {
    assert.equal(stored('platform', platform), platform);
  }
  for (const version of ['7.9.5666', '7.9.56.12', 'v8.1.2.3', '7.9.5666-beta.1', '5.1.66+build.20240506']) {
    assert.equal(stored('sdk_version', version), version);
  }
});

test('an address of a private network stays in a node name, and nowhere else', () => {
  assert.equal(stored('node', 'gw-10.0.1.7'), 'gw-10.0.1.7');
  assert.equal(stored('node', 'gw-203.0.113.9'), 'gw-<ip>');
  assert.equal(stored('node', '[fe80::1%eth0]:80'), '[fe80::1%eth0]:80');
  for (const field of ['region', 'platform', 'request_id'] as const) {
    assert.equal(stored(field, 'gw-10.0.1.7'), 'gw-<ip>', field);
  }
  assert.equal(stored('sdk_version', '7.9.1 (10.0.1.7)'), '7.9.1 (<ip>)');
});

test('a label that placeholders make longer than its bound is truncated', () => {
  const text = stored('request_id', `${'::1 '.repeat(31)}::1`);
  assert.equal(text.length, 128);
  assert.match(text, /^<ip> <ip> /);
});

test('scrubbing a label is idempotent', () => {
  for (const text of ['user_13800138000', '13800138000-7', 'gw-203.0.113.9', 'a@example.com b@example.com']) {
    for (const field of FIELDS) {
      const once = scrubLabel(field, text).text;
      assert.deepEqual(scrubLabel(field, once), { text: once, replaced: 0 }, `${field}: ${text}`);
    }
  }
});

/** Parts of ids and of what is to be found in them, put together in every order. */
const PIECES = [
  'user uid tel token group_id gw ab AKIAIOSFODNN7EXAMPLE eyJhbGciOi.x1 12345 7 13800138000 86 +86138 10.0.0.1 ::1 a@b.example _ - . = : /'.split(
    ' ',
  ),
  ' ',
].flat();

test('the quick checks let nothing pass that the patterns would match', () => {
  const pairs = PIECES.flatMap((a) => PIECES.map((b) => a + b));
  for (const text of pairs.flatMap((a) => PIECES.map((b) => a + b))) {
    const found = scrubBy(LABEL_PATTERNS, text);
    // Only digits: a number without anything beside it is an id.
    if (found.replaced === 0 || /^\d+$/.test(text)) continue;
    assert.equal(stored('request_id', text), found.text);
  }
});
