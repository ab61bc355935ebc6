import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeCode } from '@imscope/schemas/codes/catalogue.js';
import { FleetPage } from '@imscope/schemas/query-api/applications.js';
import { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import { Overview } from '@imscope/schemas/query-api/overview.js';
import { TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import { Type } from 'typebox';
import { openQuery, openStoreAndQuery } from './query-under-test.js';
import { readAnswer } from './read-answer.js';
import { assertFigures, groupRows, sumWeights } from './recompute.js';
import { seededRows, type StoredRow, storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
/** A window of 40 minutes that ended two hours ago, with as much before it. */
const TO_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 120 * MINUTE_MS;
const FROM_MS = TO_MS - 40 * MINUTE_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };
const SECONDS = 2_400;
const BUSY = 101;
const WITHOUT_CODES = 102;

const busyRows = seededRows({
  seed: 1,
  count: 6_000,
  sdkAppId: BUSY,
  fromMs: FROM_MS - 40 * MINUTE_MS,
  toMs: TO_MS,
});
const rows: StoredRow[] = [
  ...busyRows,
  ...Array.from({ length: 50 }, (_, index) =>
    storedRow({
      time: FROM_MS + index,
      sdk_app_id: WITHOUT_CODES,
      code: null,
      outcome: 'unknown',
      weight: 2,
      block_row: index,
    }),
  ),
  // 1 of 2 fails; 5,000 of 50,000 fail; 3 of 3 fail.
  storedRow({ time: FROM_MS, sdk_app_id: 201, block_row: 1 }),
  storedRow({ time: FROM_MS, sdk_app_id: 201, outcome: 'service_error', code: 91_000, block_row: 2 }),
  storedRow({ time: FROM_MS, sdk_app_id: 202, weight: 45_000, block_row: 3 }),
  storedRow({ time: FROM_MS, sdk_app_id: 202, outcome: 'service_error', weight: 5_000, block_row: 4 }),
  storedRow({ time: FROM_MS, sdk_app_id: 203, weight: 9, block_row: 5 }),
];
const inWindow = (row: StoredRow): boolean => row.time >= FROM_MS && row.time < TO_MS;
const busyNow = busyRows.filter(inWindow);

const ledgerRow = (topic: string, partition: number, offset: number, last: string) => ({
  topic,
  epoch: 0,
  partition,
  first_offset: offset,
  last_offset: offset + 9,
  cut: 'rows',
  first_appended: last,
  last_appended: last,
});

const { store, query } = await openStoreAndQuery(async (store) => {
  await store.insert(rows);
});

test('overview equals an independent recomputation, now and over the span before', async () => {
  const { data, window, completeness } = await readAnswer(
    query.app,
    Overview,
    `applications/${BUSY}/overview`,
    WINDOW,
  );
  assertFigures(data, busyNow, SECONDS);
  assertFigures(
    data.previous,
    busyRows.filter((row) => row.time < FROM_MS),
    SECONDS,
  );
  assert.equal(data.interfaces, 3);
  assert.deepEqual(window, {
    ...WINDOW,
    step: null,
    source: 'logs',
    metrics: null,
    logged_share: busyNow.length / sumWeights(busyNow),
  });
  assert.equal(completeness.status, 'unknown');
});

test('codes are counted by weight with their share and what the catalogue says; code 0 is left out', async () => {
  const { data } = await readAnswer(query.app, Overview, `applications/${BUSY}/overview`, WINDOW);
  const expected = [
    ...groupRows(
      busyNow.filter((row) => row.code !== 0),
      (row) => `${row.code} ${row.outcome}`,
    ),
  ].map(([key, group]) => [key, sumWeights(group)]);
  const given = data.codes.map(({ code, outcome, count }) => [`${code} ${outcome}`, count]);
  assert.deepEqual(Object.fromEntries(given), Object.fromEntries(expected));
  assert.equal(given.length, 6);
  const counts = data.codes.map(({ count }) => count);
  assert.deepEqual(
    counts,
    [...counts].toSorted((a, b) => b - a),
  );
  for (const { code, count, share, name, meaning, advice } of data.codes) {
    assert.equal(share, count / data.requests);
    const described = describeCode(code);
    assert.deepEqual([name, meaning, advice], [described.name, described.meaning, described.advice]);
  }
});

test('an application whose source has no codes never reads 100 %', async () => {
  const { data } = await readAnswer(query.app, Overview, `applications/${WITHOUT_CODES}/overview`, WINDOW);
  assert.equal(data.requests, 100);
  assert.equal(data.outcomes.unknown, 100);
  assert.equal(data.success_rate, null);
});

test('an application without requests answers zeros and nulls', async () => {
  const { data } = await readAnswer(query.app, Overview, 'applications/999/overview', WINDOW);
  assertFigures(data, [], SECONDS);
  assert.deepEqual([data.interfaces, data.codes], [0, []]);
});

test('interfaces equal an independent recomputation, most used first, with the code of their service errors', async () => {
  const { data } = await readAnswer(
    query.app,
    Type.Array(InterfaceRow),
    `applications/${BUSY}/interfaces`,
    WINDOW,
  );
  const expected = groupRows(busyNow, (row) => row.interface);
  assert.equal(data.length, expected.size);
  assert.deepEqual(
    data.map((row) => row.requests),
    data.map((row) => row.requests).toSorted((a, b) => b - a),
  );
  for (const row of data) {
    const own = expected.get(row.interface) ?? [];
    assertFigures(row, own, SECONDS);
    assert.equal(Date.parse(row.last_seen), Math.max(...own.map(({ time }) => time)));
    const failures = groupRows(
      own.filter(({ outcome }) => outcome === 'service_error'),
      ({ code, outcome }) => `${code} ${outcome}`,
    );
    const most = Math.max(...[...failures.values()].map(sumWeights));
    assert.equal(row.top_code?.outcome, 'service_error', 'all three are failing');
    assert.equal(row.top_code.count, most);
    assert.equal(sumWeights(failures.get(`${row.top_code.code} ${row.top_code.outcome}`) ?? []), most);
    assert.equal(row.top_code.share, most / row.requests);
  }
});

test('timeseries has every step, empty ones too, and each equals an independent recomputation', async () => {
  // Begins and ends within a step, and goes beyond the last row.
  const fromMs = FROM_MS + 90_000;
  const toMs = TO_MS + 150_000;
  const { data, window } = await readAnswer(
    query.app,
    Type.Array(TimePoint),
    `applications/${BUSY}/timeseries`,
    { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), step: '2m' },
  );
  assert.equal(window.step, 120);
  const stepMs = 2 * MINUTE_MS;
  const first = Math.floor(fromMs / stepMs) * stepMs;
  assert.deepEqual(
    data.map(({ time }) => Date.parse(time)),
    Array.from({ length: Math.ceil((toMs - first) / stepMs) }, (_, index) => first + index * stepMs),
  );
  for (const point of data) {
    const startMs = Math.max(Date.parse(point.time), fromMs);
    const endMs = Math.min(Date.parse(point.time) + stepMs, toMs);
    const own = busyRows.filter(({ time }) => time >= startMs && time < endMs);
    assertFigures(point, own, (endMs - startMs) / 1000);
  }
  assert.equal(data.at(-1)?.requests, 0);
});

test('applications come worst first: those in trouble by requests lost, before one with 1 failure of 2', async () => {
  const { data } = await readAnswer(query.app, FleetPage, 'applications', WINDOW);
  assert.deepEqual(
    data.applications.map((row) => row.sdk_app_id),
    // 5,000 of 50,000 and some thousands are failing, 1 of 2 and 0 of 9 are healthy, and nothing of 102 is judged.
    [202, BUSY, 201, 203, WITHOUT_CODES],
  );
});

test('applications equal an independent recomputation, with worst interface and sparkline', async () => {
  const { data, window } = await readAnswer(query.app, FleetPage, 'applications', {
    ...WINDOW,
    step: '5m',
  });
  assert.equal(window.step, 300);
  for (const row of data.applications) {
    const own = rows.filter((stored) => stored.sdk_app_id === row.sdk_app_id && inWindow(stored));
    assertFigures(row, own, SECONDS);
    assert.equal(row.interfaces, new Set(own.map((stored) => stored.interface)).size);
    assert.equal(Date.parse(row.last_seen), Math.max(...own.map(({ time }) => time)));
    const steps = groupRows(own, ({ time }) => Math.floor(time / (5 * MINUTE_MS)) * 5 * MINUTE_MS);
    for (const { time, requests } of row.sparkline) {
      assert.equal(requests, sumWeights(steps.get(Date.parse(time)) ?? []));
    }
    assert.equal(
      row.sparkline.reduce((sum, { requests }) => sum + requests, 0),
      row.requests,
    );
    const errors = [...groupRows(own, (stored) => stored.interface)].map(([name, group]) => ({
      name,
      errors: sumWeights(group.filter(({ outcome }) => outcome === 'service_error')),
    }));
    const most = Math.max(...errors.map((one) => one.errors));
    if (most === 0) assert.equal(row.worst_interface, null);
    else {
      assert.equal(row.worst_interface?.service_errors, most);
      assert.equal(errors.find(({ name }) => name === row.worst_interface?.interface)?.errors, most);
    }
  }
});

test('every filter narrows an answer to exactly its rows, alone and together', async () => {
  const cases: { query: Record<string, string | string[]>; keeps: (row: StoredRow) => boolean }[] = [
    { query: { interface: 'openim/sendmsg' }, keeps: (row) => row.interface === 'openim/sendmsg' },
    {
      query: { interface: ['openim/sendmsg', 'no/such'] },
      keeps: (row) => row.interface === 'openim/sendmsg',
    },
    { query: { code: '91000' }, keeps: (row) => row.code === 91_000 },
    { query: { code: 'none' }, keeps: (row) => row.code === null },
    { query: { code: ['none', '0'] }, keeps: (row) => row.code === null || row.code === 0 },
    {
      query: { outcome: ['caller_error', 'unknown'] },
      keeps: (row) => row.outcome === 'caller_error' || row.outcome === 'unknown',
    },
    { query: { node: 'gw-2' }, keeps: (row) => row.node === 'gw-2' },
    { query: { region: 'south' }, keeps: (row) => row.region === 'south' },
    { query: { platform: ['ios', 'web'] }, keeps: (row) => row.platform !== 'android' },
    { query: { sdk_version: '8.2.0' }, keeps: (row) => row.sdk_version === '8.2.0' },
    {
      query: { node: 'gw-1', region: 'north', outcome: 'success' },
      keeps: (row) => row.node === 'gw-1' && row.region === 'north' && row.outcome === 'success',
    },
    { query: { interface: "x' OR 1=1 --" }, keeps: () => false },
  ];
  for (const { query: filter, keeps } of cases) {
    const { data } = await readAnswer(query.app, Overview, `applications/${BUSY}/overview`, {
      ...WINDOW,
      ...filter,
    });
    assertFigures(data, busyNow.filter(keeps), SECONDS);
  }
});

test('the longest lists of filters that are allowed reach the store', async () => {
  const long = Array.from({ length: 20 }, (_, index) => `${'é'.repeat(120)}${index}`);
  const { data } = await readAnswer(query.app, Overview, `applications/${BUSY}/overview`, {
    ...WINDOW,
    interface: long,
    node: long,
    region: long,
  });
  assert.equal(data.requests, 0);
});

test('what is older than the term is not shown, and window.from says where the answer begins', async () => {
  const { window } = await readAnswer(query.app, Overview, `applications/${BUSY}/overview`, {
    from: 'now-30d',
  });
  const keptForMs = Date.parse(window.to) - Date.parse(window.from);
  assert.equal(keptForMs, 7 * 24 * 60 * MINUTE_MS);
});

test('the watermark is that of the slowest partition, and null before anything was stored', async () => {
  const before = await readAnswer(query.app, Overview, `applications/${BUSY}/overview`, WINDOW);
  assert.equal(before.completeness.watermark, null);
  const day = new Date().toISOString().slice(0, 10);
  await store.client.insert({
    table: 'block_ledger',
    format: 'JSONEachRow',
    values: [
      ledgerRow('im.request-log', 0, 0, `${day} 00:00:01.000`),
      ledgerRow('im.request-log', 0, 10, `${day} 00:00:05.250`),
      ledgerRow('im.request-log', 1, 0, `${day} 00:00:09.000`),
      ledgerRow('im.interface-metric', 0, 0, `${day} 00:00:00.500`),
    ],
  });
  // A second service, because the first may still remember its last reading.
  const second = await openQuery(store.environment);
  const { completeness } = await readAnswer(second.app, Overview, `applications/${BUSY}/overview`, WINDOW);
  await second.close();
  assert.equal(completeness.watermark, `${day}T00:00:05.250Z`);
});
