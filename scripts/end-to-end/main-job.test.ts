import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ApplicationRow, FleetPage } from '@imscope/schemas/query-api/applications.js';
import type { InterfaceRow } from '@imscope/schemas/query-api/interfaces.js';
import type { Overview } from '@imscope/schemas/query-api/overview.js';
import type { RequestPage } from '@imscope/schemas/query-api/requests.js';
import { openCollector } from '../simulate-gateway/collector-client.js';
import { createTraffic } from '../simulate-gateway/generate.js';
import { sendHistory } from '../simulate-gateway/send.js';
import { type Counts, Truth, type TruthReport } from '../simulate-gateway/truth.js';
import { type Pipeline, assertBalanced, startPipeline } from '../pipeline/pipeline.js';

const RECORDS = 100_000;
let pipeline: Pipeline;
let truth: TruthReport;
let span: string;

before(async () => {
  pipeline = await startPipeline();
  const traffic = createTraffic({ seed: 7, applications: 24 });
  const book = new Truth(traffic.applications, traffic.series, true);
  const client = openCollector({
    url: pipeline.collectorUrl,
    token: pipeline.credentials.writeToken,
    connections: 8,
    giveUpAfterMs: 30_000,
  });
  const toMs = Date.now();
  const fromMs = toMs - 20 * 3_600_000;
  await sendHistory({ traffic, client, truth: book, fromMs, toMs, count: RECORDS });
  await client.close();
  truth = book.report();
  span = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs + 1).toISOString()}`;
  await pipeline.untilStored(RECORDS);
});

after(() => pipeline.end());

function assertSameCounts(
  what: string,
  found: Overview | InterfaceRow | ApplicationRow,
  expected: Counts,
): void {
  assert.equal(found.requests, expected.acknowledged, `${what}: requests`);
  assert.deepEqual({ ...found.outcomes }, { ...expected.outcomes }, `${what}: outcomes`);
  const averageMs = expected.latency_sum_us / expected.acknowledged / 1000;
  assert.ok(
    Math.abs((found.latency_ms.avg ?? 0) - averageMs) < 1e-6 * averageMs,
    `${what}: average ${found.latency_ms.avg}, sent ${averageMs}`,
  );
  assert.ok(
    Math.abs((found.latency_ms.max ?? 0) - expected.latency_max_us / 1000) < 1e-9,
    `${what}: greatest delay`,
  );
  for (const name of ['p50', 'p90', 'p95', 'p99'] as const) {
    const exactMs = (expected.latency_us[name] ?? 0) / 1000;
    const error = Math.abs((found.latency_ms[name] ?? 0) - exactMs) / exactMs;
    assert.ok(error <= 0.011, `${what}: ${name} is ${found.latency_ms[name]}, sent ${exactMs}`);
  }
  const { success, service_error: serviceErrors } = expected.outcomes;
  const rated = success + serviceErrors;
  assert.equal(found.success_rate, rated === 0 ? null : success / rated, `${what}: success rate`);
}

test('all sent records are acknowledged and stored once', async () => {
  assert.equal(truth.totals.acknowledged, RECORDS);
  assert.deepEqual(truth.totals.reasons, { rejected: {}, ambiguous: {}, unsent: {} });
  await assertBalanced(pipeline, RECORDS);
});

test('the figures of the fleet equal the simulator’s for each application', async () => {
  const { data } = await pipeline.ask<FleetPage>(`/v1/applications?${span}`);
  assert.equal(data.totals.applications, truth.applications.length);
  for (const expected of truth.applications) {
    const found = data.applications.find(({ sdk_app_id: id }) => id === expected.sdk_app_id);
    assert.ok(found, `application ${expected.sdk_app_id} is missing`);
    assertSameCounts(`application ${expected.sdk_app_id}`, found, expected);
  }
});

test('interfaces and codes of the three largest applications equal the simulator’s', async () => {
  for (const application of truth.applications.slice(0, 3)) {
    const base = `/v1/applications/${application.sdk_app_id}`;
    const { data: interfaces } = await pipeline.ask<InterfaceRow[]>(`${base}/interfaces?${span}`);
    assert.equal(
      interfaces.length,
      application.interfaces.filter(({ acknowledged }) => acknowledged > 0).length,
    );
    for (const expected of application.interfaces.filter(({ acknowledged }) => acknowledged > 0)) {
      const found = interfaces.find((row) => row.interface === expected.interface);
      assert.ok(found, `${expected.interface} is missing`);
      assertSameCounts(expected.interface, found, expected);
    }
    const { data: overview } = await pipeline.ask<Overview>(`${base}/overview?${span}`);
    assertSameCounts(`overview of ${application.sdk_app_id}`, overview, application);
    const codes = Object.fromEntries(overview.codes.map(({ code, count }) => [String(code), count]));
    const { 0: _successes, ...expectedCodes } = application.codes;
    assert.deepEqual(
      codes,
      Object.fromEntries(Object.entries(expectedCodes).filter(([, count]) => count > 0)),
    );
  }
});

test('paging through all requests of an application returns each one once', async () => {
  const application = truth.applications[2];
  assert.ok(application);
  const ids = new Set<string>();
  let count = 0;
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? span : `cursor=${encodeURIComponent(cursor)}`;
    const { data }: { data: RequestPage } = await pipeline.ask<RequestPage>(
      `/v1/applications/${application.sdk_app_id}/requests?limit=1000&${next}`,
    );
    for (const { request_id: id } of data.requests) ids.add(id);
    count += data.requests.length;
    cursor = data.next_cursor;
  } while (cursor !== null);
  assert.equal(count, application.acknowledged);
  assert.equal(ids.size, count);
});

test('no answer contains a complete exit address', async () => {
  const { data } = await pipeline.ask<RequestPage>(
    `/v1/applications/${truth.applications[0]?.sdk_app_id}/requests?limit=1000&${span}`,
  );
  for (const { exit_ip: address } of data.requests)
    assert.match(address, /^(\d+\.\d+\.\d+\.0\/24|[0-9a-f:]+\/48)$/);
});
