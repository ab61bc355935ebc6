import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VersionRow } from '@imscope/schemas/query-api/versions.js';
import { Type } from 'typebox';
import { openStoreAndQuery } from './query-under-test.js';
import { readAnswer } from './read-answer.js';
import { assertFigures } from './recompute.js';
import { type StoredRow, storedRow } from './stored-row.js';

const FROM_MS = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
const WINDOW = {
  from: new Date(FROM_MS).toISOString(),
  to: new Date(FROM_MS + 600_000).toISOString(),
};
const APP = 101;
const MANY = 102;

/** Requests of one version; every tenth is a service error, and each row has `weight`. */
function requestsOf(count: number, given: Partial<StoredRow>): StoredRow[] {
  return Array.from({ length: count }, (_, index) =>
    storedRow({
      time: FROM_MS + index * 1_000,
      sdk_app_id: APP,
      latency_us: 1_000 * (index + 1),
      outcome: index % 10 === 0 ? 'service_error' : 'success',
      ...given,
    }),
  );
}

const android = requestsOf(40, { platform: 'android', sdk_version: '8.1.0' });
const ios = requestsOf(20, { platform: 'ios', sdk_version: '8.1.0', weight: 3 });
const unnamed = requestsOf(10, { platform: '', sdk_version: '' });
const many = Array.from({ length: 203 }, (_, index) =>
  storedRow({ time: FROM_MS, sdk_app_id: MANY, sdk_version: `1.0.${index}`, weight: index < 3 ? 1 : 2 }),
);

const { query } = await openStoreAndQuery(async (store) => {
  await store.insert([...android, ...ios, ...unnamed, ...many]);
});

const ask = (application: number, filters: Record<string, string> = {}) =>
  readAnswer(query.app, Type.Array(VersionRow), `applications/${application}/versions`, {
    ...WINDOW,
    ...filters,
  });

test('each platform and version equals an independent recomputation, most used first, with its share', async () => {
  const { data, window } = await ask(APP);
  assert.deepEqual(
    data.map((row) => [row.platform, row.sdk_version, row.requests, row.share]),
    [
      ['ios', '8.1.0', 60, 60 / 110],
      ['android', '8.1.0', 40, 40 / 110],
      ['', '', 10, 10 / 110],
    ],
  );
  for (const [index, rows] of [ios, android, unnamed].entries()) {
    const row = data[index];
    assert.ok(row !== undefined);
    assertFigures(row, rows, 600);
  }
  assert.deepEqual([window.source, window.metrics, window.step], ['logs', null, null]);
  assert.equal(window.logged_share, 70 / 110);
});

test('filters keep the requests that are counted, and the share is of these', async () => {
  const { data } = await ask(APP, { platform: 'android', outcome: 'service_error' });
  assert.deepEqual(
    data.map((row) => [row.platform, row.requests, row.success_rate, row.share]),
    [['android', 4, 0, 1]],
  );
});

test('of more than 200 versions the least used are left out, and the answer says how many', async () => {
  const answer = await ask(MANY);
  assert.equal(answer.data.length, 200);
  assert.ok(answer.data.every(({ requests }) => requests === 2));
  assert.equal(Object.entries(answer).find(([name]) => name === 'left_out')?.[1], 3);
});

test('without requests the list is empty', async () => {
  assert.deepEqual((await ask(APP, { region: 'nowhere' })).data, []);
});
