import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { encodeCursor } from '../src/questions/request-cursor.js';
import { openStoreAndQuery, READ_ALL } from './query-under-test.js';
import { assertError } from './read-answer.js';
import { storedRow } from './stored-row.js';

const { store, query } = await openStoreAndQuery(async (store) => {
  await store.insert([storedRow({ time: Date.now() - 60_000, sdk_app_id: 101, request_id: 'one' })]);
});

const ask = (url: string) => query.app.inject({ url, headers: { authorization: `Bearer ${READ_ALL}` } });

const ONE = '/v1/applications/101';
const LISTS = ['interface', 'code', 'outcome', 'node', 'region', 'platform', 'sdk_version'];
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  '/v1/applications': [
    'from',
    'to',
    'step',
    ...LISTS,
    'search',
    'tier',
    'reason',
    'sort',
    'order',
    'limit',
    'offset',
    'cursor',
  ],
  '/v1/refusals': ['from', 'to'],
  [`${ONE}/refusals`]: ['from', 'to'],
  [`${ONE}/overview`]: ['from', 'to', ...LISTS],
  [`${ONE}/interfaces`]: ['from', 'to', ...LISTS],
  [`${ONE}/timeseries`]: ['from', 'to', 'step', ...LISTS, 'exception'],
  [`${ONE}/monitor`]: ['from', 'to', 'step', 'interface', 'region'],
  [`${ONE}/exceptions`]: ['from', 'to', 'step', 'new_since', 'silence', 'muted', ...LISTS, 'exception'],
  [`${ONE}/requests`]: [
    'from',
    'to',
    ...LISTS,
    'exception',
    'request_id',
    'latency_ms_min',
    'limit',
    'cursor',
  ],
};
const OPTIONAL_FIELDS = ['exception', 'node', 'region', 'platform', 'sdk_version'];
const EVERY = Object.entries(PARAMETERS).flatMap(([path, names]) => names.map((name) => ({ path, name })));

test('a value that is no percent-encoded UTF-8, holds NUL, is empty or too long is refused, in every parameter', async () => {
  const values = ['%', '%zz', '%ff', '%ed%a0%80', '%c0%af', '%00', 'a%00b', '', 'x'.repeat(5_000)];
  for (const { path, name } of EVERY) {
    for (const value of values) {
      // Empty is a value here: requests of which the source names none.
      if (OPTIONAL_FIELDS.includes(name) && value === '') {
        assert.equal((await ask(`${path}?${name}=`)).statusCode, 200);
        continue;
      }
      const message = assertError(await ask(`${path}?${name}=${value}`), 400, 'invalid_parameter');
      assert.match(message, new RegExp(`^(${name}|cursor) `), `${name}=${value}`);
      assert.ok(message.length < 600, message);
    }
  }
});

test('a parameter that has one value is refused when it is given twice', async () => {
  for (const { path, name } of EVERY) {
    if (LISTS.includes(name) || name === 'exception') continue;
    assertError(await ask(`${path}?${name}=1&${name}=1`), 400, 'invalid_parameter');
  }
});

test('names of prototypes and every other unknown name are unknown parameters', async () => {
  const paths = [...Object.keys(PARAMETERS), '/v1/openapi.json', '/v1/session'];
  for (const path of paths) {
    for (const name of ['__proto__', 'constructor', 'toString', 'from[]', 'FROM', '', 'x'.repeat(2_000)]) {
      assertError(await ask(`${path}?${name}=1`), 400, 'unknown_parameter');
    }
  }
});

const NO_NUMBERS = [
  'Infinity',
  '-Infinity',
  'NaN',
  '1e999',
  '1e3',
  '0x10',
  '0b1',
  '0o7',
  '+5',
  '%2B5',
  '5+',
  '%205',
  '5%0a',

  '007',
  '-0',
  '1_000',
  '1,5',
  '.5',
  '5.',
  '٣',
  'true',
  'null',
  '[]',
  '9'.repeat(400),
  '99999999999999999',
];

test('numbers are plain decimals: anything else is refused, in queries and in paths', async () => {
  for (const text of NO_NUMBERS) {
    const encoded = /[^\x21-\x7e]/.test(text) ? encodeURIComponent(text) : text;
    for (const name of ['latency_ms_min', 'limit', 'code']) {
      const message = assertError(await ask(`${ONE}/requests?${name}=${encoded}`), 400, 'invalid_parameter');
      assert.match(message, new RegExp(`^${name} is `), text);
    }
    for (const question of ['overview', 'requests', 'monitor']) {
      const message = assertError(
        await ask(`/v1/applications/${encoded}/${question}`),
        400,
        'invalid_parameter',
      );
      assert.match(message, /^sdk_app_id is /, text);
    }
  }
  for (const text of ['1.0', '-1', '0', '9007199254740992']) {
    assertError(await ask(`/v1/applications/${text}/overview`), 400, 'invalid_parameter');
  }
  for (const [name, text] of [
    ['limit', '1.0'],
    ['limit', '-1'],
    ['latency_ms_min', '-0.5'],
    ['latency_ms_min', '86400000.1'],
    ['code', '-2147483649'],
  ]) {
    assertError(await ask(`${ONE}/requests?${name}=${text}`), 400, 'invalid_parameter');
  }
});

test('numbers at their bounds are answered', async () => {
  for (const parameters of [
    'latency_ms_min=0',
    'latency_ms_min=0.000000001',
    'latency_ms_min=86400000',
    'limit=1',
    'limit=1000',
    'code=-2147483648&code=2147483647&code=none&code=0',
  ]) {
    assert.equal((await ask(`${ONE}/requests?${parameters}`)).statusCode, 200, parameters);
  }
  assert.equal((await ask('/v1/applications/9007199254740991/overview')).statusCode, 200);
});

test('text of any other characters reaches the store as it is', async () => {
  const texts = [
    ...Array.from({ length: 127 }, (_, code) => String.fromCodePoint(code + 1)),
    '\\',
    "'",
    '"',
    '\\N',
    'a\tb\nc',
    '🙂',
    '\uFFFF',
    '{x:String}',
    '%',
    "') OR 1=1 --",
  ];
  await store.insert(
    texts.map((node, at) => storedRow({ time: Date.now() - 60_000, sdk_app_id: 102, node, block_row: at })),
  );
  // Twenty values a question, as many as are allowed.
  for (let at = 0; at < texts.length; at += 20) {
    const some = texts.slice(at, at + 20);
    const values = some.map((text) => `node=${encodeURIComponent(text)}`).join('&');
    const response = await ask(`/v1/applications/102/requests?${values}`);
    assert.equal(response.statusCode, 200, response.body);
    for (const text of some) {
      assert.ok(response.body.includes(`"node":${JSON.stringify(text)}`), JSON.stringify(text));
    }
  }
});

/** A cursor of the requests of application 101, without filters. */
function forged(fromMs: number, toMs: number, timeMs: number): string {
  const after = { timeMs, blockId: '18446744073709551615', blockRow: 4_294_967_295 };
  return encodeCursor({ window: { fromMs, toMs }, after }, JSON.stringify([101, [false, false], []]));
}

test('a cursor of any bytes is refused, also one whose digest was computed again', async () => {
  const now = Date.now();
  const farMs = 2 ** 48 - 1;
  const cursors = [
    forged(0, farMs, farMs),
    forged(now, now - 1_000, now),
    forged(now - 1_000, now, farMs),
    forged(farMs - 1_000, farMs, farMs - 1),
    forged(0, 1_000, 500),
    createHash('sha512').digest('base64url'),
    '-',
    '____',
    'A'.repeat(256),
  ];
  for (const cursor of cursors) {
    assertError(await ask(`${ONE}/requests?cursor=${cursor}`), 400, 'invalid_parameter');
  }
  const answered = await ask(`${ONE}/requests?cursor=${forged(0, farMs, now)}`);
  assert.equal(answered.statusCode, 200, answered.body);
});
