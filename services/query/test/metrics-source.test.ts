import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import { Overview } from '@imscope/schemas/query-api/overview.js';
import { TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import { Type } from 'typebox';
import { openQuery, openStoreAndQuery } from './query-under-test.js';
import { readAnswer } from './read-answer.js';
import { assertFigures, groupRows, sumWeights } from './recompute.js';
import { metricsOf, sample, single } from './stored-metric.js';
import { seededRows, type StoredRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW_MINUTE = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
const WHOLE = 101;
const SAMPLED = 102;
const HISTORY = 103;
const LATE = 104;
const OLD = 105;
const SAMPLED_LACKING = 106;
/** Three hours that end within a minute; the last hour of them is not settled yet. */
const FROM_MS = NOW_MINUTE - 3.5 * HOUR_MS + 12_345;
const TO_MS = NOW_MINUTE - 30 * MINUTE_MS - 23_456;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };
const SECONDS = (TO_MS - FROM_MS) / 1000;
/** What of the window the metrics can answer: whole minutes. */
const METRICS = {
  from: new Date(Math.ceil(FROM_MS / MINUTE_MS) * MINUTE_MS).toISOString(),
  to: new Date(Math.floor(TO_MS / MINUTE_MS) * MINUTE_MS).toISOString(),
};
/** Filters that leave every row in, but that metrics do not have. */
const BY_LOGS = { outcome: ['success', 'caller_error', 'service_error', 'unknown'] };

const requestsOf = (sdkAppId: number, fromMs = FROM_MS - 4 * HOUR_MS, toMs = NOW_MINUTE, count = 12_000) =>
  single(seededRows({ seed: sdkAppId, count, sdkAppId, fromMs, toMs }));
const within = (rows: readonly StoredRow[], fromMs = FROM_MS, toMs = TO_MS): StoredRow[] =>
  rows.filter(({ time }) => time >= fromMs && time < toMs);

const whole = requestsOf(WHOLE);
const requests = requestsOf(SAMPLED);
const kept = sample(requests, 7);
const history = requestsOf(HISTORY);
const historyEndsMs = TO_MS - 90 * MINUTE_MS;
const historyInMetrics = history.filter(({ time }) => time >= historyEndsMs);
const late = requestsOf(LATE);
/** One request of the last hour that the metrics have not seen. */
const lateMissing = late.findIndex(({ time }) => time > TO_MS - 10 * MINUTE_MS);
const lackingRequests = requestsOf(SAMPLED_LACKING);
const lackingKept = sample(lackingRequests, 7);
/** Ten minutes of the settled part are in no metric, as of a collector that was killed. */
const isLost = ({ time }: StoredRow): boolean =>
  time >= FROM_MS + 20 * MINUTE_MS && time < FROM_MS + 30 * MINUTE_MS;
const notLost = (rows: readonly StoredRow[]): StoredRow[] => rows.filter((row) => !isLost(row));
const old = requestsOf(OLD, NOW_MINUTE - 50 * HOUR_MS, NOW_MINUTE - 46 * HOUR_MS, 3_000);

// However few the rows are: metrics first.
const { store, query } = await openStoreAndQuery(
  async (store) => {
    for (const rows of [whole, kept, history, late, lackingKept, old]) await store.insert(rows);
    const metrics = [
      // Windows of both widths in one minute, as late events make them.
      ...metricsOf(whole, whole, (row) => (row.latency_us % 3 === 0 ? 60 : 10)),
      ...metricsOf(requests, kept),
      ...metricsOf(historyInMetrics, historyInMetrics),
      ...metricsOf(late.toSpliced(lateMissing, 1), late.toSpliced(lateMissing, 1)),
      ...metricsOf(notLost(lackingRequests), notLost(lackingKept)),
      ...metricsOf(old, old),
    ];
    await store.client.insert({ table: 'interface_metric', values: metrics, format: 'JSONEachRow' });
  },
  { LOG_ROWS_MAX: '0' },
);

test('overview out of the metrics equals an independent recomputation, at bounds within a minute', async () => {
  const { data, window } = await readAnswer(query.app, Overview, `applications/${WHOLE}/overview`, WINDOW);
  assert.deepEqual(window, { ...WINDOW, step: null, source: 'both', metrics: METRICS, logged_share: 1 });
  assertFigures(data, within(whole), SECONDS);
  assertFigures(data.previous, within(whole, FROM_MS - (TO_MS - FROM_MS), FROM_MS), SECONDS);
  assert.equal(data.interfaces, 3);
});

test('a window of whole minutes comes from the metrics alone, and its steps too', async () => {
  const { data, window } = await readAnswer(
    query.app,
    Type.Array(TimePoint),
    `applications/${WHOLE}/timeseries`,
    { ...METRICS, step: '5m' },
  );
  assert.deepEqual(window, { ...METRICS, step: 300, source: 'metrics', metrics: METRICS, logged_share: 1 });
  const [fromMs, toMs] = [Date.parse(METRICS.from), Date.parse(METRICS.to)];
  assert.equal(data.length, Math.ceil(toMs / 300_000) - Math.floor(fromMs / 300_000));
  for (const point of data) {
    const startMs = Math.max(Date.parse(point.time), fromMs);
    const endMs = Math.min(Date.parse(point.time) + 300_000, toMs);
    assertFigures(point, within(whole, startMs, endMs), (endMs - startMs) / 1000);
  }
});

test('unsampled, metrics and logs give the same answers', async () => {
  for (const question of ['overview', 'timeseries']) {
    const shape = question === 'overview' ? Overview : Type.Array(TimePoint);
    const path = `applications/${WHOLE}/${question}`;
    const metrics = await readAnswer(query.app, shape, path, WINDOW);
    const logs = await readAnswer(query.app, shape, path, { ...WINDOW, ...BY_LOGS });
    assert.deepEqual([metrics.window.source, logs.window.source], ['both', 'logs'], question);
    assert.deepEqual(metrics.data, logs.data, question);
  }
});

test('interfaces out of the metrics equal an independent recomputation, last seen to the minute', async () => {
  const { data, window } = await readAnswer(
    query.app,
    Type.Array(InterfaceRow),
    `applications/${WHOLE}/interfaces`,
    WINDOW,
  );
  assert.equal(window.source, 'both');
  const expected = groupRows(within(whole), (row) => row.interface);
  assert.equal(data.length, expected.size);
  for (const row of data) {
    const own = expected.get(row.interface) ?? [];
    assertFigures(row, own, SECONDS);
    const behindMs = Math.max(...own.map(({ time }) => time)) - Date.parse(row.last_seen);
    assert.ok(behindMs >= 0 && behindMs < MINUTE_MS, `${behindMs} ms`);
    const top = own.filter(({ code, outcome }) => code === row.top_code?.code && outcome !== 'success');
    assert.ok(top.length > 0);
  }
});

test('metrics answer by interface and region', async () => {
  const filter = { interface: ['openim/sendmsg', 'no/such'], region: 'south' };
  const { data, window } = await readAnswer(query.app, Overview, `applications/${WHOLE}/overview`, {
    ...WINDOW,
    ...filter,
  });
  assert.equal(window.source, 'both');
  const own = within(whole).filter(
    (row) => row.interface === 'openim/sendmsg' && row.region === filter.region,
  );
  assertFigures(data, own, SECONDS);
});

test('other filters and steps other than whole minutes are answered from the logs', async () => {
  const filters = [{ node: 'gw-1' }, { platform: 'ios' }, { sdk_version: '8.1.0' }, { code: '0' }];
  for (const filter of [...filters, { outcome: 'success' }]) {
    const { window } = await readAnswer(query.app, Overview, `applications/${WHOLE}/overview`, {
      ...WINDOW,
      ...filter,
    });
    assert.deepEqual([window.source, window.metrics], ['logs', null], JSON.stringify(filter));
  }
  const { data, window } = await readAnswer(
    query.app,
    Type.Array(TimePoint),
    `applications/${WHOLE}/timeseries`,
    { ...WINDOW, from: new Date(TO_MS - 10 * MINUTE_MS).toISOString(), step: '90s' },
  );
  assert.equal(window.source, 'logs');
  assert.equal(
    data.reduce((sum, { requests: count }) => sum + count, 0),
    within(whole, TO_MS - 10 * MINUTE_MS).length,
  );
});

test('of a sampled application metrics count every request, the logs sum weights, and the answer says so', async () => {
  const path = `applications/${SAMPLED}/overview`;
  const { data, window } = await readAnswer(query.app, Overview, path, METRICS);
  const [fromMs, toMs] = [Date.parse(METRICS.from), Date.parse(METRICS.to)];
  const seconds = (toMs - fromMs) / 1000;
  const keptWithin = within(kept, fromMs, toMs);
  assert.equal(window.source, 'metrics');
  assert.equal(window.logged_share, keptWithin.length / sumWeights(keptWithin));
  assert.ok(window.logged_share < 0.6, String(window.logged_share));
  assertFigures(data, within(requests, fromMs, toMs), seconds);
  const logs = await readAnswer(query.app, Overview, path, { ...METRICS, ...BY_LOGS });
  assert.equal(logs.window.source, 'logs');
  assert.equal(logs.window.logged_share, window.logged_share);
  assertFigures(logs.data, keptWithin, seconds);
  assert.notEqual(logs.data.latency_ms.avg, data.latency_ms.avg);
});

test('history that is in no metric is answered from the logs, and what follows it from the metrics', async () => {
  const path = `applications/${HISTORY}/overview`;
  const { data, window } = await readAnswer(query.app, Overview, path, WINDOW);
  assert.equal(window.source, 'both');
  // The settled part lacks in the metrics; the part of the last 70 minutes does not.
  assert.ok(window.metrics !== null && Date.parse(window.metrics.from) > historyEndsMs);
  assert.equal(window.metrics.to, METRICS.to);
  assertFigures(data, within(history), SECONDS);
  const allHistory = { from: WINDOW.from, to: new Date(historyEndsMs).toISOString() };
  const earlier = await readAnswer(query.app, Overview, path, allHistory);
  assert.deepEqual([earlier.window.source, earlier.window.metrics], ['logs', null]);
  assertFigures(earlier.data, within(history, FROM_MS, historyEndsMs), (historyEndsMs - FROM_MS) / 1000);
});

test('one request that the metrics lack is enough to ask the logs for its part of the window', async () => {
  const path = `applications/${LATE}/overview`;
  const { data, window } = await readAnswer(query.app, Overview, path, WINDOW);
  assert.equal(window.source, 'both');
  assert.equal(window.metrics?.from, METRICS.from);
  assert.ok(Date.parse(window.metrics.to) < (late[lateMissing]?.time ?? 0));
  assertFigures(data, within(late), SECONDS);
});

test('of a sampled application too, minutes that the metrics lost are found by their weights', async () => {
  const path = `applications/${SAMPLED_LACKING}/overview`;
  const { data, window } = await readAnswer(query.app, Overview, path, WINDOW);
  assert.equal(window.source, 'both');
  assert.ok(window.metrics !== null);
  const [fromMs, toMs] = [Date.parse(window.metrics.from), Date.parse(window.metrics.to)];
  assert.ok(fromMs > FROM_MS + 30 * MINUTE_MS && toMs === Date.parse(METRICS.to));
  // Rows alone are fewer than what the metrics say was logged: only with their weights are they more.
  assert.ok(within(lackingKept).length < sumWeights(within(notLost(lackingKept))));
  const expected = [
    ...within(lackingKept, FROM_MS, fromMs),
    ...within(lackingRequests, fromMs, toMs),
    ...within(lackingKept, toMs, TO_MS),
  ];
  assertFigures(data, expected, SECONDS);
});

test('the last minutes come from the logs: an answer up to now has every request stored', async () => {
  const { data, window } = await readAnswer(query.app, Overview, `applications/${WHOLE}/overview`, {
    from: 'now-2h',
  });
  assert.equal(window.source, 'both');
  const [fromMs, toMs] = [Date.parse(window.from), Date.parse(window.to)];
  assert.ok(toMs - Date.parse(window.metrics?.to ?? '') >= 3 * MINUTE_MS);
  assertFigures(data, within(whole, fromMs, toMs), 7_200);
});

test('metrics older than 2 days are not asked, whatever is still on disk: the logs have those days', async () => {
  const { data, window } = await readAnswer(query.app, Overview, `applications/${OLD}/overview`, {
    from: new Date(NOW_MINUTE - 50 * HOUR_MS).toISOString(),
    to: new Date(NOW_MINUTE - 46 * HOUR_MS).toISOString(),
  });
  assert.equal(window.source, 'both');
  assert.ok(Date.parse(window.metrics?.from ?? '') > NOW_MINUTE - 48 * HOUR_MS);
  assertFigures(data, old, 4 * 3_600);
});

test('few rows that are not sampled are summed from the logs, with the same result', async () => {
  const usual = await openQuery(store.environment);
  const unsampled = await readAnswer(usual.app, Overview, `applications/${WHOLE}/overview`, METRICS);
  const sampled = await readAnswer(usual.app, Overview, `applications/${SAMPLED}/overview`, METRICS);
  await usual.close();
  assert.equal(unsampled.window.source, 'logs');
  assert.equal(sampled.window.source, 'metrics');
  const metrics = await readAnswer(query.app, Overview, `applications/${WHOLE}/overview`, METRICS);
  assert.equal(metrics.window.source, 'metrics');
  assert.deepEqual(unsampled.data, metrics.data);
});
