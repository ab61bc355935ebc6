import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupValues } from '@imscope/schemas/query-api/dimensions.js';
import { TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import { Type } from 'typebox';
import { FEW, openStoreAndQuery, READ_ALL, READ_FEW } from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';
import { assertFigures, groupRows, sumWeights } from './recompute.js';
import { metricsOf, single } from './stored-metric.js';
import { seededRows, type StoredRow, storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NOW_MINUTE = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
/** Begins and ends within a step. */
const FROM_MS = NOW_MINUTE - 5 * HOUR_MS + 12_345;
const TO_MS = NOW_MINUTE - 3 * HOUR_MS - 23_456;
const STEP_MS = 10 * MINUTE_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString(), step: '10m' };
const [ONE = 0, OTHER = 0] = FEW;
const WITH_METRICS = 300;
const Points = Type.Array(TimePoint);

const requestsOf = (sdkAppId: number, count: number, beforeMs = 0): StoredRow[] =>
  seededRows({
    seed: sdkAppId + beforeMs,
    count,
    sdkAppId,
    fromMs: FROM_MS - 10 * MINUTE_MS - beforeMs,
    toMs: TO_MS + 10 * MINUTE_MS - beforeMs,
  });
const rows = [
  ...requestsOf(ONE, 3_000),
  ...requestsOf(ONE, 2_000, DAY_MS),
  ...requestsOf(ONE, 1_000, 6 * DAY_MS),
  ...requestsOf(OTHER, 800),
  ...requestsOf(OTHER, 700, DAY_MS),
  ...requestsOf(103, 300),
];
const counted = single([...requestsOf(WITH_METRICS, 3_000), ...requestsOf(WITH_METRICS, 2_000, DAY_MS)]);

// However few the rows are: metrics first.
const { query } = await openStoreAndQuery(
  async (store) => {
    // Just after the term: its minute is not kept whole.
    const old = storedRow({ time: NOW_MINUTE - 7 * DAY_MS + 2 * MINUTE_MS, sdk_app_id: ONE });
    await store.insert([...rows, ...counted, old]);
    const metrics = metricsOf(counted, counted);
    await store.client.insert({ table: 'interface_metric', values: metrics, format: 'JSONEachRow' });
  },
  { LOG_ROWS_MAX: '0' },
);

const stepStarts = Array.from(
  { length: Math.ceil(TO_MS / STEP_MS) - Math.floor(FROM_MS / STEP_MS) },
  (_, index) => (Math.floor(FROM_MS / STEP_MS) + index) * STEP_MS,
);
const between = (of: readonly StoredRow[], fromMs: number, toMs: number): StoredRow[] =>
  of.filter(({ time }) => time >= fromMs && time < toMs);
const ofApplication = (sdkAppId: number): StoredRow[] =>
  [...rows, ...counted].filter((row) => row.sdk_app_id === sdkAppId);

/** Compares a series with the rows it is about, and with those of the same time earlier. */
function assertSeries(points: readonly TimePoint[], own: readonly StoredRow[], earlierMs?: number): void {
  assert.deepEqual(
    points.map(({ time }) => Date.parse(time)),
    stepStarts,
  );
  for (const point of points) {
    const startMs = Math.max(Date.parse(point.time), FROM_MS);
    const endMs = Math.min(Date.parse(point.time) + STEP_MS, TO_MS);
    const seconds = (endMs - startMs) / 1_000;
    assertFigures(point, between(own, startMs, endMs), seconds);
    if (earlierMs === undefined) {
      assert.equal(point.compared, undefined);
      continue;
    }
    assert.ok(point.compared);
    assert.equal(Date.parse(point.compared.time), Date.parse(point.time) - earlierMs);
    assertFigures(point.compared, between(own, startMs - earlierMs, endMs - earlierMs), seconds);
  }
}

/** By the value that the requests of a series have in common; null: of the others. */
function seriesOf(points: readonly TimePoint[]): Map<GroupValues | null | undefined, TimePoint[]> {
  const byText = Map.groupBy(points, ({ group }) => JSON.stringify(group));
  return new Map([...byText.values()].map((series) => [series[0]?.group, series]));
}

const askOne = (values: Record<string, string>) =>
  query.app.inject({
    url: addressOf(`applications/${ONE}/timeseries`, { ...WINDOW, ...values }),
    headers: { authorization: `Bearer ${READ_ALL}` },
  });

test('the most frequent values are series, and all others are one', async () => {
  const own = ofApplication(ONE);
  for (const [dimension, limit] of [
    ['node', 2],
    ['code', 3],
    ['platform', 10],
  ] as const) {
    const { data } = await readAnswer(query.app, Points, `applications/${ONE}/timeseries`, {
      ...WINDOW,
      split_by: dimension,
      split_limit: String(limit),
    });
    const expected = groupRows(between(own, FROM_MS, TO_MS), (row) => row[dimension]);
    const byRequests = [...expected].toSorted(([, a], [, b]) => sumWeights(b) - sumWeights(a));
    const shown = byRequests.slice(0, limit).map(([value]) => value);
    const series = seriesOf(data);
    assert.deepEqual(
      [...series.keys()].map((group) => (group ? group[dimension] : group)),
      [...shown, ...(expected.size > limit ? [null] : [])],
    );
    for (const [group, points] of series) {
      const value = group?.[dimension];
      const isOwn = (row: StoredRow): boolean =>
        group === null ? !shown.includes(row[dimension]) : row[dimension] === value;
      assertSeries(points, own.filter(isOwn));
    }
  }
});

test('with split_sort lost, the series are those with most service errors', async () => {
  const { data } = await readAnswer(query.app, Points, `applications/${ONE}/timeseries`, {
    ...WINDOW,
    split_by: 'code',
    split_limit: '2',
    split_sort: 'lost',
  });
  const failed = between(ofApplication(ONE), FROM_MS, TO_MS).filter(
    ({ outcome }) => outcome === 'service_error',
  );
  const most = [...groupRows(failed, ({ code }) => code)]
    .toSorted(([, a], [, b]) => sumWeights(b) - sumWeights(a))
    .map(([code]) => code);
  const given = [...seriesOf(data).keys()].map((group) => group?.code);
  assert.deepEqual(given, [...most.slice(0, 2), undefined]);
});

test('each point is beside the same step of one day and of six days earlier', async () => {
  for (const [compare, days] of [
    ['1d', 1],
    ['6d', 6],
  ] as const) {
    const path = `applications/${ONE}/timeseries`;
    const { data } = await readAnswer(query.app, Points, path, { ...WINDOW, compare });
    assertSeries(data, ofApplication(ONE), days * DAY_MS);
  }
});

test('both windows of a comparison come from the metrics where they can', async () => {
  const { data, window } = await readAnswer(query.app, Points, `applications/${WITH_METRICS}/timeseries`, {
    ...WINDOW,
    compare: '1d',
    split_by: 'interface',
  });
  assert.equal(window.source, 'both');
  for (const [group, points] of seriesOf(data)) {
    const own = ofApplication(WITH_METRICS).filter((row) => row.interface === group?.interface);
    assertSeries(points, own, DAY_MS);
  }
  assert.equal(data.length, 3 * stepStarts.length, 'all three interfaces, and no others');
});

test('of steps whose logs are no longer kept nothing is said', async () => {
  const { data } = await readAnswer(query.app, Points, `applications/${ONE}/timeseries`, {
    from: new Date(NOW_MINUTE - DAY_MS - 30 * MINUTE_MS).toISOString(),
    to: new Date(NOW_MINUTE - DAY_MS + 30 * MINUTE_MS).toISOString(),
    step: '10m',
    compare: '6d',
  });
  const kept = data.filter(({ compared }) => compared !== null);
  assert.ok(kept.length >= 1 && kept.length <= 3, `${kept.length} of ${data.length} steps are kept`);
  for (const { compared } of kept) assert.equal(compared?.requests, 0);
  assert.deepEqual(
    data.slice(-kept.length).map(({ time }) => time),
    kept.map(({ time }) => time),
  );
});

test('the fleet is split by application, in the scope of the caller', async () => {
  const { data } = await readAnswer(
    query.app,
    Points,
    'fleet/timeseries',
    { ...WINDOW, split_by: 'application', split_limit: '1', compare: '1d' },
    READ_FEW,
  );
  const series = [...seriesOf(data)];
  assert.deepEqual(
    series.map(([group]) => group),
    [{ application: ONE }, null],
  );
  assert.equal(data[0]?.application?.sdk_app_id, ONE);
  assertSeries(series[0]?.[1] ?? [], ofApplication(ONE), DAY_MS);
  assertSeries(series[1]?.[1] ?? [], ofApplication(OTHER), DAY_MS);
});

test('the fleet without a split is the sum of all applications', async () => {
  const { data } = await readAnswer(query.app, Points, 'fleet/timeseries', { ...WINDOW, node: 'gw-1' });
  assertSeries(
    data,
    [...rows, ...counted].filter(({ node }) => node === 'gw-1'),
  );
});

test('a step that does not divide the distance is refused, and so are too many points of all series', async () => {
  const odd = assertError(await askOne({ step: '7m', compare: '1d' }), 400, 'invalid_parameter');
  assert.match(odd, /420s, which does not divide the distance of compare, 1d/);
  const many = { step: '10s', split_by: 'node', split_limit: '2' };
  const message = assertError(await askOne(many), 400, 'invalid_parameter');
  assert.match(message, /500 are allowed/);
  assert.equal((await askOne({ step: '10s' })).statusCode, 200);
});
