/*
 * Hours that the aggregator builds, and the answers that the query service reads from them: over a store, without Kafka.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRollupMetrics } from '@imscope/aggregator/rollup/rollup-metrics.js';
import { Rollups } from '@imscope/aggregator/rollup/rollups.js';
import { rollupPorts } from '@imscope/aggregator/rollup/start-rollups.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { Registry } from 'prom-client';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { addressOf } from '../../services/query/test/read-answer.js';
import { openQuery, openStoreAndQuery, READ_ALL } from '../../services/query/test/query-under-test.js';
import { metricsOf, sample, single } from '../../services/query/test/stored-metric.js';
import { seededRows, type StoredRow } from '../../services/query/test/stored-row.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const THIS_HOUR = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
/** Whole hours that have ended, and a window that begins and ends within a minute. */
const HOURS = { from: iso(THIS_HOUR - 6 * HOUR_MS), to: iso(THIS_HOUR - HOUR_MS) };
const CUT = { from: iso(THIS_HOUR - 6 * HOUR_MS + 23_456), to: iso(Date.now() - 5 * MINUTE_MS) };
/** Begins within an hour of which the metrics lack an application, and ends within the hour that runs. */
const INSIDE = { from: iso(THIS_HOUR - 4 * HOUR_MS + 26 * MINUTE_MS), to: iso(Date.now() - 6 * MINUTE_MS) };
/** It overlaps the same window a day earlier, and both bounds are within an hour. */
const LONG = { from: iso(THIS_HOUR - 28 * HOUR_MS + 17 * MINUTE_MS), to: CUT.to };
const WHOLE = 101;
const SAMPLED = 102;
const LACKING = 103;
const LOST_HOUR = THIS_HOUR - 4 * HOUR_MS;

const Answer = Type.Object({
  data: Type.Unknown(),
  window: Type.Object({ source: Type.String() }),
});

const requestsOf = (sdkAppId: number): StoredRow[] =>
  single(
    seededRows({ seed: sdkAppId, count: 9_000, sdkAppId, fromMs: THIS_HOUR - 7 * HOUR_MS, toMs: Date.now() }),
  );
const whole = requestsOf(WHOLE);
const wholeBefore = single(
  seededRows({
    seed: 9,
    count: 9_000,
    sdkAppId: WHOLE,
    fromMs: THIS_HOUR - 31 * HOUR_MS,
    toMs: THIS_HOUR - 23 * HOUR_MS,
  }),
);
const sampled = requestsOf(SAMPLED);
const kept = sample(sampled, 7);
const lacking = requestsOf(LACKING);
const counted = lacking.filter(({ time }) => time < LOST_HOUR || time >= LOST_HOUR + HOUR_MS);

const { store } = await openStoreAndQuery(async ({ client, insert }) => {
  for (const rows of [whole, wholeBefore, kept, lacking]) await insert(rows);
  const values = [
    ...metricsOf(whole, whole),
    ...metricsOf(wholeBefore, wholeBefore),
    ...metricsOf(sampled, kept),
    ...metricsOf(counted, counted),
  ];
  await client.insert({ table: 'interface_metric', values, format: 'JSONEachRow' });
});

type Asked = readonly [path: string, query: Readonly<Record<string, string>>];

const QUESTIONS: readonly Asked[] = [WHOLE, SAMPLED, LACKING].flatMap((sdkAppId) => {
  const of = (question: string, query: Asked[1]): Asked => [`applications/${sdkAppId}/${question}`, query];
  return [
    of('overview', HOURS),
    of('timeseries', { ...HOURS, step: '10m' }),
    of('overview', CUT),
    of('overview', { ...CUT, interface: 'openim/sendmsg' }),
    of('overview', { ...CUT, region: 'south' }),
    of('overview', { ...CUT, node: 'gw-1' }),
    of('interfaces', CUT),
    of('timeseries', { ...CUT, step: '1h' }),
    of('timeseries', { ...CUT, step: '20m' }),
    of('timeseries', { ...CUT, step: '5m' }),
    of('timeseries', { ...CUT, step: '1h', split_by: 'interface' }),
    of('overview', INSIDE),
    of('timeseries', { ...INSIDE, step: '10m' }),
    of('interfaces', INSIDE),
    of('monitor', { ...CUT, step: '10m' }),
    of('monitor', { ...CUT, step: '1h', interface: 'openim/sendmsg' }),
  ];
});
/** The day before begins with the first minute that is kept, so these answers change from minute to minute. */
const LONG_QUESTIONS: readonly Asked[] = [WHOLE, SAMPLED, LACKING].flatMap((sdkAppId): Asked[] => [
  [`applications/${sdkAppId}/monitor`, { ...LONG, step: '10m' }],
  [`applications/${sdkAppId}/monitor`, { ...LONG, step: '1h' }],
  [`applications/${sdkAppId}/monitor`, { ...LONG, step: '5m', region: 'south' }],
]);
const FLEET: readonly Asked[] = [HOURS, CUT, INSIDE].flatMap((window): Asked[] => [
  ['fleet/timeseries', { ...window, step: '1h' }],
  ['fleet/timeseries', { ...window, step: '10m', interface: 'openim/sendmsg' }],
  ['fleet/breakdown', { ...window, group_by: 'application' }],
  ['fleet/breakdown', { ...window, group_by: 'interface' }],
  ['applications', { ...window, step: '10m', sort: 'requests' }],
]);

/** Of a new service: it has not remembered anything. LOG_ROWS_MAX of 0: metrics first, however few the rows are. */
async function askAll(questions: readonly Asked[]): Promise<Static<typeof Answer>[]> {
  const query = await openQuery({ ...store.environment, LOG_ROWS_MAX: '0' });
  const answers: Static<typeof Answer>[] = [];
  for (const [path, parameters] of questions) {
    const url = addressOf(path, parameters);
    const response = await query.app.inject({ url, headers: { authorization: `Bearer ${READ_ALL}` } });
    assert.equal(response.statusCode, 200, `${path}: ${response.body}`);
    answers.push(Value.Parse(Answer, response.json()));
  }
  await query.close();
  return answers;
}

const ports = rollupPorts(store.client, new AbortController().signal);
/** Added to the store's clock by the rollups. */
let aheadMs = 0;
let failsAt = '';
const rollups = new Rollups({
  ...ports,
  command: async (sql, params) => {
    if (failsAt !== '' && sql.includes(failsAt)) throw new Error('the connection was lost');
    await ports.command(sql, params);
  },
  readClock: async () => (await ports.readClock()) + aheadMs,
  topicPrefix: '',
  builder: 1,
  isBuilder: () => true,
  metrics: createRollupMetrics(new Registry()),
  logger: createLogger('aggregator', 'silent'),
});

async function count(sql: string): Promise<number> {
  const result = await store.client.query({
    query: `SELECT toUInt32(${sql}) AS count`,
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ count: number }>();
  return row?.count ?? Number.NaN;
}

/** Metrics know only the minute in which an interface was used last. */
function toTheMinute(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data).replaceAll(/("last_seen":"[^"]{16})[^"]*/g, '$1'));
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

let unbuilt: Static<typeof Answer>[];
let unbuiltFleet: Static<typeof Answer>[];

before(async () => {
  unbuilt = await askAll(QUESTIONS);
  unbuiltFleet = await askAll(FLEET);
});

test('a build that was interrupted is not read, and the next pass builds the hour', async () => {
  failsAt = 'hour_rollup_build';
  await rollups.pass();
  failsAt = '';
  assert.ok((await count('(SELECT count() FROM hour_rollup)')) > 0);
  assert.equal(await count('(SELECT count() FROM hour_rollup_build)'), 0);
  assert.deepEqual(
    (await askAll(FLEET)).map(({ data }) => data),
    unbuiltFleet.map(({ data }) => data),
  );
  await rollups.pass();
  assert.ok((await count('(SELECT uniqExact(window_start) FROM hour_rollup_build)')) >= 40);
});

test('answers about one application are the same from built hours, also where metrics lack an hour', async () => {
  const built = await askAll(QUESTIONS);
  for (const [index, [path, parameters]] of QUESTIONS.entries()) {
    assert.deepEqual(
      toTheMinute(built[index]?.data),
      toTheMinute(unbuilt[index]?.data),
      `${path} ${JSON.stringify(parameters)}`,
    );
  }
});

async function showBuilds(condition: string): Promise<void> {
  const query = `CREATE OR REPLACE VIEW hour_rollup_build_kept AS SELECT * FROM hour_rollup_build WHERE ${condition}`;
  await store.client.command({ query });
}

/** Asks as if no hour was built. */
async function askUnbuilt(questions: readonly Asked[]): Promise<Static<typeof Answer>[]> {
  await showBuilds('false');
  assert.equal(await count('(SELECT count() FROM hour_rollup_build_kept)'), 0);
  const answers = await askAll(questions);
  await showBuilds(`window_start > now64(3, 'UTC') - INTERVAL 2 DAY`);
  assert.ok((await count('(SELECT count() FROM hour_rollup_build_kept)')) > 0);
  return answers;
}

test('answers about more than a day and the day before are the same from built hours', async () => {
  for (;;) {
    const minute = Math.floor(Date.now() / MINUTE_MS);
    const [built, own] = [await askAll(LONG_QUESTIONS), await askUnbuilt(LONG_QUESTIONS)];
    if (Math.floor(Date.now() / MINUTE_MS) !== minute) continue;
    for (const [index, [path, parameters]] of LONG_QUESTIONS.entries()) {
      assert.deepEqual(built[index]?.data, own[index]?.data, `${path} ${JSON.stringify(parameters)}`);
    }
    return;
  }
});

test('answers about the fleet are the same from built hours', async () => {
  const built = await askAll(FLEET);
  for (const [index, [path, parameters]] of FLEET.entries()) {
    assert.deepEqual(
      toTheMinute(built[index]?.data),
      toTheMinute(unbuiltFleet[index]?.data),
      `${path} ${JSON.stringify(parameters)}`,
    );
  }
});

test('an hour is built again when late rows of it are stored, and older builds are deleted', async () => {
  const late = requestsOf(WHOLE)
    .filter(({ time }) => time >= LOST_HOUR && time < LOST_HOUR + HOUR_MS)
    .slice(0, 50)
    .map((row) => ({ ...row, sdk_app_id: 104 }));
  await store.insert(late);
  const values = metricsOf(late, late);
  await store.client.insert({ table: 'interface_metric', values, format: 'JSONEachRow' });
  const times = { first_event: LOST_HOUR, last_event: LOST_HOUR + HOUR_MS - 1, last_appended: Date.now() };
  for (const topic of [TOPICS.requestLog.name, TOPICS.interfaceMetric.name]) {
    await store.client.insert({
      table: 'block_ledger',
      values: [{ topic, partition: 0, first_offset: 0, last_offset: 9, ...times }],
      format: 'JSONEachRow',
    });
  }
  const path = 'applications/104/overview';
  aheadMs = 3 * MINUTE_MS;
  await rollups.pass();
  const versions = `(SELECT uniqExact(version) FROM hour_rollup
    WHERE kind = 'application_hour' AND toUnixTimestamp64Milli(window_start) = ${LOST_HOUR})`;
  assert.ok((await count(versions)) >= 2);
  const [answer] = await askAll([[path, HOURS]]);
  assert.equal(Value.Parse(Type.Object({ requests: Type.Number() }), answer?.data).requests, late.length);
  aheadMs = 40 * MINUTE_MS;
  await rollups.pass();
  assert.equal(await count(versions), 1);
});

test('built hours are read in place of the metrics', async () => {
  const questions: readonly Asked[] = [
    [`applications/${WHOLE}/overview`, HOURS],
    // Not interfaces: their peaks are read from the minutes of the metrics.
    [`applications/${WHOLE}/timeseries`, { ...HOURS, step: '10m' }],
    [`applications/${SAMPLED}/monitor`, { ...HOURS, step: '1h' }],
    ['fleet/breakdown', { ...HOURS, group_by: 'interface' }],
  ];
  const expected = await askAll(questions);
  await store.client.command({ query: 'TRUNCATE TABLE interface_metric' });
  const answers = await askAll(questions);
  for (const [index, answer] of answers.entries()) {
    assert.deepEqual(answer.data, expected[index]?.data, questions[index]?.[0]);
  }
  assert.equal(answers[0]?.window.source, 'metrics');
});
