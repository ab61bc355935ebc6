import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeCode } from '@imscope/schemas/codes/catalogue.js';
import { Monitor } from '@imscope/schemas/query-api/monitor.js';
import { openStoreAndQuery, READ_ALL } from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';
import { assertFigures, assertSums, groupRows } from './recompute.js';
import { metricsOf, sample, single } from './stored-metric.js';
import { seededRows, type StoredRow, storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const STEP_MS = 10 * MINUTE_MS;
/** Two hours that ended four hours ago, on the bounds of steps. */
const TO_MS = Math.floor((Date.now() - 4 * HOUR_MS) / STEP_MS) * STEP_MS;
const FROM_MS = TO_MS - 2 * HOUR_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };
const BEFORE = {
  from: new Date(FROM_MS - DAY_MS).toISOString(),
  to: new Date(TO_MS - DAY_MS).toISOString(),
};
const SECONDS = 7_200;
const APPLICATION = 101;
const LACKING = 102;
const STEADY = 103;
const MANY = 104;
const PATH = `applications/${APPLICATION}/monitor`;

const rowsOf = (sdkAppId: number, seed: number, fromMs: number, count: number) =>
  single(seededRows({ seed, count, sdkAppId, fromMs, toMs: fromMs + 2 * HOUR_MS }));
const today = rowsOf(APPLICATION, 1, FROM_MS, 4_000);
const gone = storedRow({ time: FROM_MS - DAY_MS, sdk_app_id: APPLICATION, interface: 'gone/silent' });
const yesterday = [...rowsOf(APPLICATION, 2, FROM_MS - DAY_MS, 3_000), gone];
const kept = sample([...today, ...yesterday], 5);
const lacking = rowsOf(LACKING, 3, FROM_MS, 2_000);
/** A collector was killed: the requests of two steps are in no metric. */
const lostFromMs = FROM_MS + 3 * STEP_MS;
const isLost = ({ time }: StoredRow): boolean => time >= lostFromMs && time < lostFromMs + 2 * STEP_MS;
const counted = lacking.filter((row) => !isLost(row));
/** A request in each minute that is kept. */
const steady = Array.from({ length: 48 * 60 }, (_, minute) =>
  storedRow({ time: TO_MS + 4 * HOUR_MS - (minute + 1) * MINUTE_MS, sdk_app_id: STEADY }),
);
/** 1,003 interfaces in 102 regions; the three of `least` have one request, the others two. */
const manyOf = (fromMs: number, least: readonly number[]): StoredRow[] =>
  Array.from({ length: 1_003 }, (_, index) => {
    const row = storedRow({
      time: fromMs,
      sdk_app_id: MANY,
      interface: `interface/${1_000 + index}`,
      region: `region-${100 + (index % 102)}`,
      code: 60_002,
      outcome: 'caller_error',
    });
    return least.includes(index) ? [row] : [row, { ...row, time: fromMs + HOUR_MS }];
  }).flat();
const many = manyOf(FROM_MS, [0, 1, 2]);
const manyBefore = manyOf(FROM_MS - DAY_MS, [3, 4, 5]);

const { query } = await openStoreAndQuery(async (store) => {
  for (const rows of [kept, lacking]) await store.insert(rows);
  const metrics = [
    ...metricsOf([...today, ...yesterday], kept),
    ...metricsOf(counted, counted),
    ...metricsOf([...steady, ...many, ...manyBefore], []),
  ];
  await store.client.insert({ table: 'interface_metric', values: metrics, format: 'JSONEachRow' });
});

const ask = (parameters: Record<string, string | string[]>, path = PATH) =>
  readAnswer(query.app, Monitor, path, parameters);

test('monitor counts every request, sampled or not, now and one day before', async () => {
  const { data, window } = await ask(WINDOW);
  assert.deepEqual([window.source, window.metrics], ['metrics', WINDOW]);
  assert.ok(window.logged_share !== null && window.logged_share < 0.7);
  assertFigures(data, today, SECONDS);
  assert.equal(data.missing, 0);
  assert.ok(data.day_before !== null);
  const { from, to, missing, ...figures } = data.day_before;
  assert.deepEqual({ from, to, missing }, { ...BEFORE, missing: 0 });
  assertSums(figures, yesterday, SECONDS);
});

test('each step equals an independent recomputation, and so does the same step a day before', async () => {
  const { data, window } = await ask({ ...WINDOW, step: '10m' });
  assert.equal(window.step, 600);
  assert.equal(data.steps.length, 12);
  for (const { time, day_before: before, missing, ...figures } of data.steps) {
    const startMs = Date.parse(time);
    const own = (rows: StoredRow[], at: number) =>
      rows.filter((row) => row.time >= at && row.time < at + STEP_MS);
    assertFigures(figures, own(today, startMs), 600);
    assert.ok(before !== null);
    assertSums(before, own(yesterday, startMs - DAY_MS), 600);
    assert.deepEqual([missing, before.missing], [0, 0]);
  }
});

test('interfaces and regions come most used first, and what fell silent since yesterday is among them', async () => {
  const { data } = await ask(WINDOW);
  const byInterface = groupRows(today, (row) => row.interface);
  const beforeByInterface = groupRows(yesterday, (row) => row.interface);
  assert.equal(data.interfaces.length, byInterface.size + 1);
  for (const row of data.interfaces) {
    assertFigures(row, byInterface.get(row.interface) ?? [], SECONDS);
    assert.ok(row.day_before !== null);
    assertSums(row.day_before, beforeByInterface.get(row.interface) ?? [], SECONDS);
  }
  assert.equal(data.interfaces.at(-1)?.interface, 'gone/silent');
  const counts = data.interfaces.map(({ requests }) => requests);
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => b - a),
  );
  const byRegion = groupRows(today, (row) => row.region);
  assert.equal(data.regions.length, byRegion.size);
  for (const row of data.regions) assertFigures(row, byRegion.get(row.region) ?? [], SECONDS);
});

const mostUsed = (rows: StoredRow[], keyOf: (row: StoredRow) => string, max: number) =>
  [...groupRows(rows, keyOf)]
    .toSorted(([a, rowsA], [b, rowsB]) => rowsB.length - rowsA.length || (a < b ? -1 : 1))
    .slice(0, max);

test('each list of each day has its own bound, and the most used are listed', async () => {
  const { data } = await ask(WINDOW, `applications/${MANY}/monitor`);
  const lists = [
    { rows: data.interfaces.map(({ interface: name, ...row }) => ({ name, ...row })), max: 1_000 },
    { rows: data.regions.map(({ region: name, ...row }) => ({ name, ...row })), max: 100 },
  ];
  const keys = [(row: StoredRow) => row.interface, (row: StoredRow) => row.region];
  for (const [at, keyOf] of keys.entries()) {
    const { rows, max } = lists[at] ?? assert.fail();
    const expected = mostUsed(many, keyOf, max);
    const expectedBefore = new Map(mostUsed(manyBefore, keyOf, max));
    assert.deepEqual(
      rows.map(({ name, requests }) => [name, requests]),
      expected.map(([name, own]) => [name, own.length]),
    );
    for (const { name, day_before: before } of rows) {
      // A name that the full list of the day before left out is not known to be silent.
      assert.equal(before?.requests, expectedBefore.get(name)?.length, name);
    }
  }
  assert.deepEqual([data.interfaces_left_out, data.regions_left_out], [3, 2]);
  assert.deepEqual([data.requests, data.day_before?.requests], [many.length, manyBefore.length]);
  assert.deepEqual(
    data.codes.map(({ code, count }) => [code, count]),
    [[60_002, mostUsed(many, ({ interface: name }) => name, 1_000).flatMap(([, rows]) => rows).length]],
  );
});

const countsOf = (rows: StoredRow[]) =>
  [...groupRows(rows, ({ code }) => code)]
    .filter(([code]) => code !== 0)
    .map(([code, group]) => [code, group.length] as const)
    .toSorted(([, a], [, b]) => b - a);

test('codes are counted over the application and for each interface, code 0 left out', async () => {
  const { data } = await ask(WINDOW);
  const given = data.codes.map(({ code, count }) => [code, count]);
  assert.deepEqual(new Map(given as [number, number][]), new Map(countsOf(today)));
  for (const { code, count, share, name } of data.codes) {
    assert.equal(share, count / data.requests);
    assert.equal(name, describeCode(code === 'other' ? null : code).name);
  }
  for (const row of data.interfaces) {
    const own = countsOf(today.filter((one) => one.interface === row.interface)).map(([, count]) => count);
    assert.deepEqual(
      row.codes.map(({ count }) => count),
      own.slice(0, 3),
    );
  }
});

const inFilters = (rows: StoredRow[]) =>
  rows.filter((row) => row.interface === 'openim/sendmsg' && row.region === 'south');

test('filters narrow every part of the answer', async () => {
  const { data } = await ask({ ...WINDOW, interface: 'openim/sendmsg', region: ['south', 'west'] });
  assertFigures(data, inFilters(today), SECONDS);
  assert.deepEqual([data.interfaces.length, data.regions.length], [1, 1]);
  assert.ok(data.day_before !== null);
  assert.equal(data.day_before.requests, inFilters(yesterday).length);
});

test('requests that are in the logs and not in the metrics are counted as missing, step by step', async () => {
  const path = `applications/${LACKING}/monitor`;
  const { data } = await ask({ ...WINDOW, step: '10m' }, path);
  assertFigures(data, counted, SECONDS);
  assert.equal(data.missing, lacking.length - counted.length);
  for (const { time, requests, missing } of data.steps) {
    const own = lacking.filter((row) => row.time - (row.time % STEP_MS) === Date.parse(time));
    assert.equal(requests, own.filter((row) => !isLost(row)).length);
    assert.equal(missing, own.filter(isLost).length);
  }
  const narrow = await ask({ ...WINDOW, region: 'south' }, path);
  assert.equal(narrow.data.missing, lacking.filter((row) => isLost(row) && row.region === 'south').length);
});

test('both bounds are rounded down to their minute; without from it is the last hour', async () => {
  const { window } = await ask({});
  const [fromMs, toMs] = [Date.parse(window.from), Date.parse(window.to)];
  assert.deepEqual([fromMs % MINUTE_MS, toMs % MINUTE_MS, toMs - fromMs], [0, 0, HOUR_MS]);
  assert.equal(window.step, 60);
  const minute = await ask({ from: 'now-1m' });
  assert.equal(minute.data.steps.length, 1);
});

test('two days back is allowed; of what lies before them no day before is told', async () => {
  const { data, window } = await ask({ from: 'now-2d', step: '1h' });
  const keptMs = Date.parse(window.to) - Date.parse(window.from);
  assert.ok(keptMs > 47 * HOUR_MS && keptMs <= 48 * HOUR_MS, String(keptMs));
  assert.equal(data.requests, today.length + yesterday.length);
  assert.equal(data.steps[0]?.day_before, null);
  assert.notEqual(data.steps.at(-1)?.day_before, null);
  assert.ok(data.day_before !== null);
  assert.equal(Date.parse(data.day_before.to), Date.parse(window.to) - DAY_MS);
  assert.equal(data.day_before.from, window.from);
});

test('minutes of a window longer than a day count for it and for the day before', async () => {
  // Both windows begin and end within a step.
  const [fromMs, toMs] = [FROM_MS - 25 * HOUR_MS - 7 * MINUTE_MS, TO_MS - 35 * MINUTE_MS];
  const window = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
  const { data } = await ask({ ...window, step: '1h' });
  const all = [...today, ...yesterday];
  const within = (startMs: number, endMs: number) =>
    all.filter(({ time }) => time >= startMs && time < endMs);
  assert.ok(data.day_before !== null);
  const beforeFromMs = Date.parse(data.day_before.from);
  assert.equal(Date.parse(data.day_before.to), toMs - DAY_MS);
  const now = within(fromMs, toMs);
  const before = within(beforeFromMs, toMs - DAY_MS);
  assert.ok(before.length > 0 && before.length < yesterday.length);
  assertFigures(data, now, (toMs - fromMs) / 1000);
  for (const { time, day_before: earlier, ...step } of data.steps) {
    const startMs = Math.max(Date.parse(time), fromMs);
    const endMs = Math.min(Date.parse(time) + HOUR_MS, toMs);
    assertFigures(step, within(startMs, endMs), (endMs - startMs) / 1000);
    if (earlier === null) continue;
    assert.equal(earlier.requests, within(Math.max(startMs - DAY_MS, beforeFromMs), endMs - DAY_MS).length);
  }
  const beforeSeconds = (toMs - DAY_MS - beforeFromMs) / 1000;
  for (const row of data.interfaces) {
    const own = (rows: StoredRow[]) => rows.filter((one) => one.interface === row.interface);
    assertFigures(row, own(now), (toMs - fromMs) / 1000);
    assert.ok(row.day_before !== null);
    assertSums(row.day_before, own(before), beforeSeconds);
  }
});

test('the most steps that are allowed are answered, with those of the day before', async () => {
  const to = new Date(TO_MS + 4 * HOUR_MS).toISOString();
  const from = new Date(TO_MS - 21 * HOUR_MS).toISOString();
  const { data } = await ask({ from, to, step: '1m' }, `applications/${STEADY}/monitor`);
  assert.equal(data.steps.length, 1_500);
  for (const { requests, time } of data.steps) assert.equal(requests, 1, time);
  const before = data.steps.map((step) => step.day_before?.requests);
  const lastMissing = before.lastIndexOf(undefined);
  assert.ok(lastMissing < 90, `of ${lastMissing + 1} steps no day before is kept`);
  assert.deepEqual(new Set(before.slice(lastMissing + 1)), new Set([1]));
});

const refusals: [what: string, query: Record<string, string>, code: string, says: RegExp][] = [
  [
    'a window that begins before the term',
    { from: 'now-49h' },
    'invalid_parameter',
    /^from is "now-49h", but metrics are kept 2 days, since .* or ask timeseries, which answers up to 7 days/,
  ],
  ['a window of days past', { from: 'now-9d' }, 'invalid_parameter', /^from is "now-9d"/],
  ['a window without a whole minute', { from: 'now-0s' }, 'invalid_parameter', /is not before to/],
  [
    'a window within one minute',
    { from: new Date(TO_MS + 1_000).toISOString(), to: new Date(TO_MS + 2_000).toISOString() },
    'invalid_parameter',
    /holds no minute that has ended: monitor answers whole minutes/,
  ],
  ['a step below a minute', { step: '30s' }, 'invalid_parameter', /whole minutes that divide a day/],
  ['a step that does not divide a day', { step: '7m' }, 'invalid_parameter', /7m.*does not divide a day/],
  [
    'a step longer than a day',
    { from: 'now-2d', step: '2d' },
    'invalid_parameter',
    /2d.*does not divide a day/,
  ],
  ['a filter by code', { code: '0' }, 'unknown_parameter', /"code" is no parameter here/],
  [
    'a filter by node',
    { node: 'gw-1' },
    'unknown_parameter',
    /give any of from, to, step, interface, region/,
  ],
];
for (const [what, parameters, code, says] of refusals) {
  test(`refuses ${what} and says what is allowed`, async () => {
    const response = await query.app.inject({
      url: addressOf(PATH, parameters),
      headers: { authorization: `Bearer ${READ_ALL}` },
    });
    assert.match(assertError(response, 400, code), says);
  });
}
