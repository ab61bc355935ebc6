import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTraffic, type GatewayRecord } from '../generate.js';
import { incident } from '../incidents.js';
import { Truth, type TruthReport } from '../truth.js';

const FROM_MS = Date.UTC(2026, 2, 4);
const RANGE = {
  fromMs: FROM_MS,
  toMs: FROM_MS + 86_400_000,
  count: 30_000,
  incidents: [incident('error-burst', FROM_MS, FROM_MS + 40_000_000)],
};
const traffic = createTraffic({ seed: 11, applications: 6 });
const records = traffic.records(RANGE);

function accepted(exact: boolean): TruthReport {
  const truth = new Truth(traffic.applications, traffic.series, exact);
  for (const batch of traffic.between(RANGE)) truth.count(batch, { kind: 'accepted', rejected: [] });
  return truth.report();
}

function recount(of: readonly GatewayRecord[]) {
  const codes: Record<string, number> = {};
  for (const { code } of of) codes[String(code)] = (codes[String(code)] ?? 0) + 1;
  const latencies = of.map(({ latency_ms }) => Math.round(latency_ms * 1000)).toSorted((a, b) => a - b);
  const rank = (percent: number) => latencies[Math.ceil((percent * latencies.length) / 100) - 1];
  return {
    acknowledged: of.length,
    codes,
    latency_sum_us: latencies.reduce((sum, latency) => sum + latency, 0),
    latency_max_us: latencies.at(-1),
    latency_us: { p50: rank(50), p90: rank(90), p95: rank(95), p99: rank(99) },
  };
}

test('the truth of every application and interface equals a recount of its records', () => {
  const report = accepted(true);
  assert.equal(report.percentiles, 'exact');
  assert.equal(report.totals.acknowledged, records.length);
  let interfaces = 0;
  for (const application of report.applications) {
    const own = records.filter(({ sdk_app_id }) => sdk_app_id === application.sdk_app_id);
    const { acknowledged, codes, latency_sum_us, latency_max_us, latency_us } = application;
    assert.deepEqual({ acknowledged, codes, latency_sum_us, latency_max_us, latency_us }, recount(own));
    for (const known of application.interfaces) {
      interfaces++;
      const { acknowledged, codes, latency_sum_us, latency_max_us, latency_us } = known;
      const ofInterface = own.filter((record) => record.interface === known.interface);
      assert.deepEqual(
        { acknowledged, codes, latency_sum_us, latency_max_us, latency_us },
        recount(ofInterface),
      );
    }
  }
  assert.equal(interfaces, new Set(records.map((record) => `${record.sdk_app_id} ${record.interface}`)).size);
});

test('percentiles of the histogram are within 1.1 % of the exact ones', () => {
  const exact = accepted(true);
  const bounded = accepted(false);
  assert.equal(bounded.percentiles, 'within_1.1_percent');
  exact.applications.forEach((application, index) => {
    for (const name of ['p50', 'p90', 'p95', 'p99'] as const) {
      const wanted = application.latency_us[name] ?? Number.NaN;
      const given = bounded.applications[index]?.latency_us[name] ?? Number.NaN;
      assert.ok(Math.abs(given / wanted - 1) <= 0.011, `${name}: ${given} against ${wanted}`);
    }
  });
});

test('outcomes add up to the acknowledged, and the burst shows as failures of the service', () => {
  const report = accepted(false);
  for (const { acknowledged, outcomes } of report.applications) {
    const { success, caller_error, service_error, unknown } = outcomes;
    assert.equal(success + caller_error + service_error + unknown, acknowledged);
  }
  const [first, hit] = report.applications;
  assert.ok((hit?.outcomes.service_error ?? 0) > 5 * (first?.outcomes.service_error ?? 0));
});

test('refused, ambiguous and unsent records are counted separately from acknowledged ones', () => {
  const truth = new Truth(traffic.applications, traffic.series, true);
  const batches = [...traffic.between({ ...RANGE, count: 40, batchRecords: 10 })];
  const [named, refused, doubtful, unsent] = batches;
  assert.ok(named && refused && doubtful && unsent);
  truth.count(named, {
    kind: 'accepted',
    rejected: [
      { index: 0, reason: 'time_too_old' },
      { index: 9, reason: 'time_too_old' },
    ],
  });
  truth.count(refused, { kind: 'refused', reason: 'http_413_body_too_large' });
  truth.count(doubtful, { kind: 'ambiguous', reason: 'ECONNRESET' });
  truth.count(unsent, { kind: 'unsent', reason: 'ECONNREFUSED' });
  truth.skip(5);
  const { totals, applications } = truth.report();
  assert.deepEqual(totals.reasons, {
    rejected: { time_too_old: 2, http_413_body_too_large: 10 },
    ambiguous: { ECONNRESET: 10 },
    unsent: { ECONNREFUSED: 10 },
  });
  assert.deepEqual(
    [totals.acknowledged, totals.rejected, totals.ambiguous, totals.unsent, totals.skipped],
    [8, 12, 10, 10, 5],
  );
  assert.equal(
    applications.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    8,
  );
  assert.equal(
    applications.reduce((sum, { ambiguous }) => sum + ambiguous, 0),
    10,
  );
});
