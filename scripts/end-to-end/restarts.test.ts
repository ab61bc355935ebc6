import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openCollector } from '../simulate-gateway/collector-client.js';
import { createTraffic } from '../simulate-gateway/generate.js';
import { sendLive } from '../simulate-gateway/send.js';
import { Truth } from '../simulate-gateway/truth.js';
import { assertReconciled, assertNeverDiffered } from '../pipeline/reconcile-settled.js';
import { assertBalanced, type PipelineWithBroker, startPipelineWithBroker } from '../pipeline/pipeline.js';

let pipeline: PipelineWithBroker;

before(async () => {
  // A separate broker, because the test restarts it.
  pipeline = await startPipelineWithBroker(256, {
    aggregator: { MARKER_AGE_MS: '200', RECONCILE_INTERVAL_S: '1' },
  });
});

after(() => pipeline.end());

test('stopping, killing and restarting every service under traffic loses and doubles no record', async () => {
  const traffic = createTraffic({ seed: 11, applications: 12 });
  const truth = new Truth(traffic.applications, traffic.series, false);
  const client = openCollector({
    url: pipeline.collectorUrl,
    token: pipeline.credentials.writeToken,
    connections: 8,
    giveUpAfterMs: 120_000,
  });
  const stop = new AbortController();
  const sending = sendLive({ traffic, client, truth, ratePerSecond: 3_000, stopping: stop.signal });
  const acknowledgedMore = async (): Promise<void> => {
    const before = truth.totals().acknowledged;
    const deadline = Date.now() + 60_000;
    while (truth.totals().acknowledged < before + 1_500) {
      if (Date.now() > deadline) assert.fail('nothing was acknowledged for 60 s');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const restarts = [
    async () => pipeline.kill('aggregator').then(() => pipeline.start('aggregator')),
    async () => pipeline.stop('aggregator').then(() => pipeline.start('aggregator')),
    async () => pipeline.stop('store').then(() => pipeline.start('store')),
    async () => pipeline.stop('collector').then(() => pipeline.start('collector')),
    async () => pipeline.stop('query').then(() => pipeline.start('query')),
    async () => pipeline.broker.restart(),
    async () => pipeline.kill('store').then(() => pipeline.start('store')),
    async () => pipeline.kill('aggregator').then(() => pipeline.start('aggregator')),
  ];
  for (const restart of restarts) {
    await acknowledgedMore();
    await restart();
  }
  await acknowledgedMore();
  stop.abort();
  await sending;
  await client.close();
  const totals = truth.totals();
  assert.deepEqual(totals.reasons, { rejected: {}, ambiguous: {}, unsent: {} });
  assert.ok(totals.acknowledged > 12_000, `${totals.acknowledged} records were sent`);
  await pipeline.untilStored(totals.acknowledged);
  await assertBalanced(pipeline, totals.acknowledged);
  await assertReconciled(pipeline);
  // No aggregator has reported a difference either.
  assert.ok((await pipeline.metric('aggregator', 'imscope_aggregator_reconcile_checked_at_seconds')) > 0);
  assertNeverDiffered(pipeline);
});
