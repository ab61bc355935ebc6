import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callbackInterface } from '@imscope/schemas/callback-interface.js';
import { Callbacks } from '@imscope/schemas/query-api/callbacks.js';
import { openStoreAndQuery, READ_ALL } from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';
import { assertFigures } from './recompute.js';
import { metricsOf, sample } from './stored-metric.js';
import { type StoredRow, storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const FROM_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 30 * MINUTE_MS;
const TO_MS = FROM_MS + 20 * MINUTE_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };
const SECONDS = 1_200;
const APPLICATION = 101;
const OTHER = 102;
const SILENT = 103;
const MANY = 104;

/** Every fifth fails: the application's server did not answer. */
function callbacksOf(event: string, count: number, given: Partial<StoredRow> = {}): StoredRow[] {
  return Array.from({ length: count }, (_, index) =>
    storedRow({
      time: FROM_MS + index * 1_000,
      sdk_app_id: APPLICATION,
      interface: callbackInterface(event),
      latency_us: 2_000 * (index + 1),
      outcome: index % 5 === 0 ? 'service_error' : 'success',
      ...given,
    }),
  );
}

const before = callbacksOf('C2C.CallbackBeforeSendMsg', 300);
const joined = callbacksOf('Group.CallbackAfterNewMemberJoin', 40);
const ofOther = callbacksOf('C2C.CallbackBeforeSendMsg', 70, { sdk_app_id: OTHER });
const outside = callbacksOf('State.StateChange', 10, { time: TO_MS });
const requests = Array.from({ length: 50 }, (_, index) =>
  storedRow({ time: FROM_MS + index, sdk_app_id: APPLICATION, interface: 'callbacks/list' }),
);
const many = Array.from({ length: 205 }, (_, index) =>
  callbacksOf(
    `Custom.Event${String.fromCharCode(97 + (index % 26))}${'x'.repeat(Math.floor(index / 26))}`,
    1,
    {
      sdk_app_id: MANY,
    },
  ),
).flat();
const all = [...before, ...joined, ...ofOther, ...outside, ...requests, ...many];

const { query } = await openStoreAndQuery(async (store) => {
  const logged = sample(all, 5);
  await store.insert(logged);
  const values = metricsOf(all, logged);
  await store.client.insert({ table: 'interface_metric', values, format: 'JSONEachRow' });
});

const ask = (application: number) =>
  readAnswer(query.app, Callbacks, `applications/${application}/callbacks`, WINDOW);

test('success rate and delay of callbacks count every one of them, sampled or not, and no other interface', async () => {
  const { data, window } = await ask(APPLICATION);
  assert.deepEqual([window.source, window.metrics], ['metrics', WINDOW]);
  assert.equal(data.success_rate, 0.8);
  assertFigures(data, [...before, ...joined], SECONDS);
});

test('each event has its own figures, the most frequent first', async () => {
  const { data } = await ask(APPLICATION);
  assert.deepEqual(
    data.events.map(({ event, requests }) => [event, requests]),
    [
      ['C2C.CallbackBeforeSendMsg', 300],
      ['Group.CallbackAfterNewMemberJoin', 40],
    ],
  );
  for (const [index, rows] of [before, joined].entries()) {
    const event = data.events[index];
    assert.ok(event !== undefined);
    assertFigures(event, rows, SECONDS);
  }
});

test('callbacks of an application are its own', async () => {
  const { data } = await ask(OTHER);
  assert.equal(data.requests, 70);
});

test('an application without callbacks has none, and no success rate', async () => {
  const { data } = await ask(SILENT);
  assert.deepEqual([data.requests, data.success_rate, data.latency_ms.avg, data.events], [0, null, null, []]);
});

test('events beyond the bound of the list are left out, said so, and counted in the sums', async () => {
  const { data } = await ask(MANY);
  assert.deepEqual([data.events.length, data.events_left_out, data.requests], [200, 5, 205]);
});

test('a window before the term of metrics is refused', async () => {
  const url = addressOf(`applications/${APPLICATION}/callbacks`, { from: 'now-3d' });
  const response = await query.app.inject({ url, headers: { authorization: `Bearer ${READ_ALL}` } });
  assert.match(assertError(response, 400, 'invalid_parameter'), /metrics are kept 2 days/);
});
