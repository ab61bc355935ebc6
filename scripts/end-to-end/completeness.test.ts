import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FleetPage } from '@imscope/schemas/query-api/applications.js';
import type { Answer } from '@imscope/schemas/query-api/envelope.js';
import { openCollector } from '../simulate-gateway/collector-client.js';
import { createTraffic } from '../simulate-gateway/generate.js';
import { sendLive } from '../simulate-gateway/send.js';
import { Truth } from '../simulate-gateway/truth.js';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';
import { until } from '../pipeline/until.js';

type Applications = Answer<FleetPage>;

const traffic = createTraffic({ seed: 31, applications: 8 });
const truth = new Truth(traffic.applications, traffic.series, false);
let pipeline: Pipeline;

before(async () => {
  pipeline = await startPipeline({
    collector: { ACCOUNT_INTERVAL_MS: '1000', COLLECTOR_NAME: 'edge-1' },
    aggregator: { MARKER_AGE_MS: '200' },
  });
});
after(() => pipeline.end());

/** Sends live traffic until this many more records are acknowledged. @returns the window of the traffic */
async function send(records: number): Promise<{ from: string; to: string }> {
  const client = openCollector({
    url: pipeline.collectorUrl,
    token: pipeline.credentials.writeToken,
    connections: 4,
    giveUpAfterMs: 30_000,
  });
  const fromMs = Date.now();
  const goal = truth.totals().acknowledged + records;
  const stop = new AbortController();
  const sending = sendLive({ traffic, client, truth, ratePerSecond: 2_000, stopping: stop.signal });
  await until('records are acknowledged', () => Promise.resolve(truth.totals().acknowledged >= goal));
  stop.abort();
  await sending;
  await client.close();
  return { from: new Date(fromMs - 1_000).toISOString(), to: new Date(Date.now() + 1_000).toISOString() };
}

const ask = ({ from, to }: { from: string; to: string }): Promise<Applications> =>
  pipeline.ask(`/v1/applications?from=${from}&to=${to}`);
const requests = ({ data }: Applications): number => data.totals.requests;

/** Asks until an answer is complete, and compares each answer with the acknowledged records. */
async function untilComplete(window: { from: string; to: string }, sent: number): Promise<void> {
  await until('an answer is complete', async () => {
    const answer = await ask(window);
    const { status, ratio, silent_collectors: silent } = answer.completeness;
    assert.deepEqual(silent, []);
    if (status !== 'complete') return false;
    assert.deepEqual({ requests: requests(answer), ratio }, { requests: sent, ratio: 1 });
    return true;
  });
}

test('an answer is complete only if it contains all acknowledged records', async () => {
  const window = await send(5_000);
  // Partial; on a busy machine unknown, until the first account is read.
  const first = await ask(window);
  assert.notEqual(first.completeness.status, 'complete');
  await untilComplete(window, truth.totals().acknowledged);
  const live = await ask({ from: window.from, to: new Date().toISOString() });
  assert.equal(live.completeness.status, 'partial');
  assert.equal(live.completeness.ratio, 1);
});

test('answers are partial while the aggregator is down and the collector killed, and complete after both recover', async () => {
  const sentBefore = truth.totals().acknowledged;
  await pipeline.stop('aggregator');
  const stoppedMs = Date.now();
  const window = await send(4_000);
  await pipeline.kill('collector');
  const behind = await ask(window);
  assert.equal(behind.completeness.status, 'partial');
  assert.ok(Date.parse(behind.completeness.watermark ?? '') <= stoppedMs, `${behind.completeness.watermark}`);
  assert.equal(requests(behind), 0);
  await pipeline.start('aggregator');
  // No account covers what the killed collector accepted after its last one, though all of it may be stored.
  const sent = truth.totals().acknowledged - sentBefore;
  await until('it is stored', async () => requests(await ask(window)) === sent);
  assert.equal((await ask(window)).completeness.status, 'partial');
  await pipeline.start('collector');
  await untilComplete(window, sent);
});
