import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import type { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import type { Monitor } from '@imscope/schemas/query-api/monitor.js';
import type { Overview } from '@imscope/schemas/query-api/overview.js';
import type { TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import { openCollector } from '../simulate-gateway/collector-client.js';
import { createTraffic } from '../simulate-gateway/generate.js';
import { sendHistory } from '../simulate-gateway/send.js';
import { Truth } from '../simulate-gateway/truth.js';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';

const MINUTE_MS = 60_000;
const RECORDS = 20_000;
const LATE_RECORDS = 2_000;
/** Half an hour that ended five minutes ago: the metrics have all of it once they are stored. */
const TO_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 5 * MINUTE_MS;
const FROM_MS = TO_MS - 30 * MINUTE_MS;
const SPAN = `from=${new Date(FROM_MS).toISOString()}&to=${new Date(TO_MS).toISOString()}`;
/** Excludes no request, but metrics have no such filter, so the answer is read from request logs. */
const BY_LOGS = '&outcome=success&outcome=caller_error&outcome=service_error&outcome=unknown';

let pipeline: Pipeline;
let sdkAppIds: number[];

before(async () => {
  // The query service answers from metrics, also where there are few request logs.
  pipeline = await startPipeline({ query: { LOG_ROWS_MAX: '0' } });
  await send(RECORDS, FROM_MS, TO_MS);
  await pipeline.untilStored(RECORDS);
  await untilCounted(RECORDS);
  const rows = await pipeline.select<{ sdk_app_id: number }>(
    'SELECT DISTINCT sdk_app_id FROM request_log ORDER BY sdk_app_id',
  );
  sdkAppIds = rows.map((row) => row.sdk_app_id);
  assert.equal(sdkAppIds.length, 10);
});

after(() => pipeline.end());

async function send(count: number, fromMs: number, toMs: number): Promise<void> {
  const traffic = createTraffic({ seed: 29, applications: 10 });
  const truth = new Truth(traffic.applications, traffic.series, false);
  const client = openCollector({
    url: pipeline.collectorUrl,
    token: pipeline.credentials.writeToken,
    connections: 4,
    giveUpAfterMs: 30_000,
  });
  await sendHistory({ traffic, client, truth, fromMs, toMs, count });
  await client.close();
  assert.equal(truth.totals().acknowledged, count);
}

/** Late windows are written ten seconds after they were opened. */
async function untilCounted(requests: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const [row] = await pipeline.select<{ requests: number }>(
      'SELECT sum(success + caller_error + service_error + unknown) AS requests FROM interface_metric',
    );
    if (row?.requests === requests) return;
    if (Date.now() > deadline) throw new Error(`${row?.requests} of ${requests} in the metrics after 60 s`);
    await delay(100);
  }
}

/** Asks both sources the same question. */
async function askBoth<T>(sdkAppId: number, question: string, span: string) {
  const path = `/v1/applications/${sdkAppId}/${question}?${span}`;
  const metrics = await pipeline.ask<T>(path);
  const logs = await pipeline.ask<T>(path + BY_LOGS);
  assert.deepEqual([logs.window.source, logs.window.metrics], ['logs', null]);
  return { metrics, logs };
}

const timeless = (rows: InterfaceRow[]) => rows.map(({ last_seen: _lastSeen, ...row }) => row);

test('answers from metrics and from request logs are equal for real traffic', async () => {
  let requests = 0;
  for (const sdkAppId of sdkAppIds) {
    const overview = await askBoth<Overview>(sdkAppId, 'overview', SPAN);
    assert.equal(overview.metrics.window.source, 'metrics');
    assert.deepEqual(overview.metrics.data, overview.logs.data);
    const series = await askBoth<TimePoint[]>(sdkAppId, 'timeseries', `${SPAN}&step=1m`);
    assert.equal(series.metrics.window.source, 'metrics');
    assert.deepEqual(series.metrics.data, series.logs.data);
    const interfaces = await askBoth<InterfaceRow[]>(sdkAppId, 'interfaces', SPAN);
    assert.equal(interfaces.metrics.window.source, 'metrics');
    assert.deepEqual(timeless(interfaces.metrics.data), timeless(interfaces.logs.data));
    requests += overview.metrics.data.requests;
  }
  assert.equal(requests, RECORDS);
});

test('monitor equals the request logs over time, by interface and by region', async () => {
  for (const sdkAppId of sdkAppIds) {
    const { data, window } = await pipeline.ask<Monitor>(
      `/v1/applications/${sdkAppId}/monitor?${SPAN}&step=1m`,
    );
    const overview = await askBoth<Overview>(sdkAppId, 'overview', SPAN);
    const series = await askBoth<TimePoint[]>(sdkAppId, 'timeseries', `${SPAN}&step=1m`);
    assert.deepEqual([window.source, window.logged_share, data.missing], ['metrics', 1, 0]);
    assert.deepEqual(data.outcomes, overview.logs.data.outcomes);
    assert.deepEqual(data.latency_ms, overview.logs.data.latency_ms);
    assert.deepEqual(
      data.steps.map(({ day_before: _before, missing: _missing, ...point }) => point),
      series.logs.data,
    );
    for (const rows of [data.interfaces, data.regions]) {
      const sum = rows.reduce((total, row) => total + row.requests, 0);
      assert.equal(sum, data.requests);
    }
  }
});

test('events hours late are in no metric, but answers contain them', async () => {
  const lateFromMs = FROM_MS - 180 * MINUTE_MS;
  await send(LATE_RECORDS, lateFromMs, lateFromMs + 30 * MINUTE_MS);
  await pipeline.untilStored(RECORDS + LATE_RECORDS);
  const span = SPAN.replace(/^from=[^&]*/, `from=${new Date(lateFromMs).toISOString()}`);
  let requests = 0;
  let missing = 0;
  for (const sdkAppId of sdkAppIds) {
    const { metrics, logs } = await askBoth<Overview>(sdkAppId, 'overview', span);
    assert.deepEqual(metrics.data, logs.data);
    requests += metrics.data.requests;
    const monitor = await pipeline.ask<Monitor>(`/v1/applications/${sdkAppId}/monitor?${span}`);
    assert.equal(monitor.data.requests + monitor.data.missing, metrics.data.requests);
    missing += monitor.data.missing;
  }
  assert.deepEqual({ requests, missing }, { requests: RECORDS + LATE_RECORDS, missing: LATE_RECORDS });
});
