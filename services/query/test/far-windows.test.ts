import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { Window } from '@imscope/schemas/query-api/envelope.js';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { openStoreAndQuery, READ_ALL } from './query-under-test.js';
import { addressOf, assertError } from './read-answer.js';
import { storedRow } from './stored-row.js';

const { query } = await openStoreAndQuery(async (store) => {
  await store.insert([storedRow({ time: Date.now() - 60_000, sdk_app_id: 101 })]);
});

const ask = (path: string, parameters: Record<string, string>) =>
  query.app.inject({ url: addressOf(path, parameters), headers: { authorization: `Bearer ${READ_ALL}` } });

const QUESTIONS = ['overview', 'interfaces', 'timeseries', 'monitor', 'exceptions', 'versions', 'requests'];
const PATHS = ['applications', ...QUESTIONS.map((question) => `applications/101/${question}`)];
const FUTURES = ['2060-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:60-23:59'];
const Envelope = Type.Object({ window: Window, data: Type.Unknown() });

test('a window that ends in the far future ends at the clock tolerance of collectors, in every question', async () => {
  for (const path of PATHS) {
    for (const to of FUTURES) {
      const beforeMs = Date.now();
      const response = await ask(path, { from: 'now-1h', to });
      assert.equal(response.statusCode, 200, `${path}: ${response.body.slice(0, 300)}`);
      const answer: unknown = response.json();
      assert.ok(Value.Check(Envelope, answer));
      const toMs = Date.parse(answer.window.to);
      // `monitor` answers whole minutes.
      const earliestMs = beforeMs + REQUEST_LOG_BOUNDS.aheadMsMax - (path.endsWith('monitor') ? 60_000 : 0);
      assert.ok(toMs >= earliestMs && toMs <= Date.now() + REQUEST_LOG_BOUNDS.aheadMsMax, answer.window.to);
      assert.ok(response.body.length < 200_000);
    }
    // Without `from` as well, and with every window there is.
    assert.equal((await ask(path, { to: '9999-01-01T00:00:00Z' })).statusCode, 200, path);
    const from = path.endsWith('monitor') ? 'now-2d' : '0001-01-01T00:00:00Z';
    assert.equal((await ask(path, { from, to: '9999-01-01T00:00:00Z' })).statusCode, 200, path);
  }
});

test('a window wholly in the future is refused, and the message names the tolerance', async () => {
  for (const path of PATHS) {
    for (const from of FUTURES.slice(0, 1)) {
      const message = assertError(
        await ask(path, { from, to: '9999-12-31T00:00:00Z' }),
        400,
        'invalid_parameter',
      );
      assert.match(message, /is in the future: events are accepted up to 5 minutes ahead/);
    }
  }
});

test('times no calendar has, or in another form, are refused', async () => {
  const texts = [
    '%2B275760-09-13T00:00:00Z',
    '-000001-01-01T00:00:00Z',
    '2026-06-30T24:00:00Z',
    '2026-06-30T23:59:61Z',

    '2026-06-31T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-06-30T00:00:00%2B24:00',
    '2026-06-30',
    '0',
    'now+1h',
    'now-1000000d',
    'now-1y',
    '178277760000',
    '2026-06-30T00:00:00',
    '2026-06-30t00:00:00z',
  ];
  for (const path of PATHS) {
    for (const text of texts) {
      const url = `/v1/${path}?from=${text}`;
      const response = await query.app.inject({ url, headers: { authorization: `Bearer ${READ_ALL}` } });
      assertError(response, 400, 'invalid_parameter');
    }
  }
});

test('any step that is allowed gives an answer, also one longer than the window; others are refused', async () => {
  for (const path of ['applications', 'applications/101/timeseries', 'applications/101/monitor']) {
    const isMonitor = path.endsWith('monitor');
    for (const step of isMonitor ? ['1d', '1440m', '24h'] : ['1d', '99999d', '7h', '86401s']) {
      const response = await ask(path, { step });
      assert.equal(response.statusCode, 200, `${path} ${step}: ${response.body.slice(0, 300)}`);
      const answer: unknown = response.json();
      assert.ok(Value.Check(Envelope, answer));
    }
    for (const step of ['-1m', '0m', '01m', '1.5m', '1e3s', '100000d', '1w', 'm', '1', '1M', ' 1m', '1ms']) {
      assertError(await ask(path, { step }), 400, 'invalid_parameter');
    }
    assertError(
      await ask(path, { step: isMonitor ? '7m' : '1s', from: 'now-40h' }),
      400,
      'invalid_parameter',
    );
  }
});
