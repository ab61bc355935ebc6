import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openCollector } from '../simulate-gateway/collector-client.js';
import { createTraffic } from '../simulate-gateway/generate.js';
import { sendHistory } from '../simulate-gateway/send.js';
import { Truth } from '../simulate-gateway/truth.js';
import { assertReconciled } from '../pipeline/reconcile-settled.js';
import { type Pipeline, assertBalanced, startPipeline } from '../pipeline/pipeline.js';
import { until } from '../pipeline/until.js';

const RECORDS = 20_000;
let pipeline: Pipeline;

before(async () => {
  pipeline = await startPipeline();
  const traffic = createTraffic({ seed: 23, applications: 10 });
  const truth = new Truth(traffic.applications, traffic.series, false);
  const client = openCollector({
    url: pipeline.collectorUrl,
    token: pipeline.credentials.writeToken,
    connections: 4,
    giveUpAfterMs: 30_000,
  });
  const toMs = Date.now();
  await sendHistory({ traffic, client, truth, fromMs: toMs - 1_800_000, toMs, count: RECORDS });
  await client.close();
  assert.equal(truth.totals().acknowledged, RECORDS);
  await pipeline.untilStored(RECORDS);
  // A clean stop sends the open metric windows and the last account.
  await pipeline.stop('collector');
  await until('the final account is stored', async () => {
    const [row] = await pipeline.select<{ final: number }>(
      'SELECT countIf(final) AS final FROM edge_account',
    );
    return row?.final === 1;
  });
  await until('all metrics are stored', async () => {
    const [row] = await pipeline.select<{ requests: number }>(
      'SELECT sum(success + caller_error + service_error + unknown) AS requests FROM interface_metric',
    );
    return row?.requests === RECORDS;
  });
});

after(() => pipeline.end());

test('metrics and request logs agree by application, interface, region and minute', async () => {
  await assertBalanced(pipeline, RECORDS);
  const differences = await pipeline.select(`
    SELECT * FROM (
      SELECT sdk_app_id, interface, region, toStartOfMinute(time) AS minute,
        sum(weight) AS requests, sumIf(weight, outcome = 'success') AS success,
        sumIf(weight, outcome = 'service_error') AS service_error, sum(latency_us) AS latency_sum_us,
        max(latency_us) AS latency_max_us
      FROM request_log GROUP BY sdk_app_id, interface, region, minute
    ) AS logs
    FULL OUTER JOIN (
      SELECT sdk_app_id, interface, region, toStartOfMinute(window_start) AS minute,
        sum(m.success + m.caller_error + m.service_error + m.unknown) AS requests, sum(m.success) AS success,
        sum(m.service_error) AS service_error, sum(m.latency_sum_us) AS latency_sum_us,
        max(m.latency_max_us) AS latency_max_us
      FROM interface_metric AS m GROUP BY sdk_app_id, interface, region, minute
    ) AS metrics USING (sdk_app_id, interface, region, minute)
    WHERE logs.requests != metrics.requests OR logs.success != metrics.success
      OR logs.service_error != metrics.service_error OR logs.latency_sum_us != metrics.latency_sum_us
      OR logs.latency_max_us != metrics.latency_max_us
    LIMIT 5`);
  assert.deepEqual(differences, []);
});

test('the codes and the histogram of the metrics add up to the requests', async () => {
  const [sums] = await pipeline.select<Record<string, number>>(`
    SELECT sum(arraySum(mapValues(codes))) AS by_code, sum(arraySum(mapValues(latency_histogram))) AS by_bucket,
      sum(logged_weight) AS logged FROM interface_metric`);
  assert.deepEqual(sums, { by_code: RECORDS, by_bucket: RECORDS, logged: RECORDS });
});

test('the collector’s counts of accepted and sent records equal the stored rows of the ledger', async () => {
  const [account] = await pipeline.select<{ accepted: number; sampled_out: number; rejected: number }>(`
    SELECT sum(application.accepted) AS accepted, sum(application.sampled_out) AS sampled_out,
      sum(arraySum(mapValues(application.rejected))) AS rejected
    FROM edge_account ARRAY JOIN applications AS application WHERE final`);
  assert.deepEqual(account, { accepted: RECORDS, sampled_out: 0, rejected: 0 });
  await assertReconciled(pipeline);
});
