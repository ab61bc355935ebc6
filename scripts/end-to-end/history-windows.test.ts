import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FleetPage } from '@imscope/schemas/query-api/applications.js';
import { PRESETS } from '../../services/dashboard/src/state/time-window.js';
import { assertReconciled, assertNeverDiffered } from '../pipeline/reconcile-settled.js';
import { assertBalanced, type Pipeline, startPipeline } from '../pipeline/pipeline.js';
import { until } from '../pipeline/until.js';
import { openCollector } from '../simulate-gateway/collector-client.js';
import { createTraffic } from '../simulate-gateway/generate.js';
import { sendHistory } from '../simulate-gateway/send.js';
import { Truth } from '../simulate-gateway/truth.js';
import { HISTORY_TERMS_ENV, LIVE_TERMS_ENV } from '../start-demo/terms.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const RECORDS = 6_000;
const WITHIN_MS = 120_000;
const TO_MS = Date.now();
const FROM_MS = TO_MS - 6 * DAY_MS;

const traffic = createTraffic({ seed: 41, applications: 8 });
const truth = new Truth(traffic.applications, traffic.series, false);
let pipeline: Pipeline;

before(async () => {
  pipeline = await startPipeline(
    {
      collector: { COLLECTOR_NAME: 'live', ...LIVE_TERMS_ENV },
      // The history's collector, with the demo's settings.
      'collector-2': {
        ...HISTORY_TERMS_ENV,
        COLLECTOR_NAME: 'history',
        HISTORY_FROM: new Date(FROM_MS).toISOString(),
        HISTORY_TO: new Date(TO_MS).toISOString(),
      },
      aggregator: { MARKER_AGE_MS: '200', RECONCILE_INTERVAL_S: '1', ...HISTORY_TERMS_ENV },
    },
    { seconds: ['collector-2'] },
  );
});
after(() => pipeline.end());

async function send(fromMs: number, toMs: number, count: number): Promise<void> {
  const client = openCollector({
    url: pipeline.secondCollectorUrl(),
    token: pipeline.credentials.writeToken,
    connections: 4,
    giveUpAfterMs: 60_000,
  });
  await sendHistory({ traffic, client, truth, fromMs, toMs, count });
  await client.close();
}

async function completenessOf(from: string, to: string): Promise<{ status: string; ratio: number | null }> {
  const { completeness } = await pipeline.ask<FleetPage>(`/v1/applications?from=${from}&to=${to}`);
  const { status, ratio } = completeness;
  return { status, ratio };
}

/** Complete, or the accounted records are stored and others are still arriving, as the dashboard calls it. */
async function isKnown(from: string, to: string): Promise<boolean> {
  const { status, ratio } = await completenessOf(from, to);
  return status === 'complete' || (status === 'partial' && ratio === 1);
}

const past = (fromHour: number, toHour: number): [string, string] => [
  new Date(TO_MS - fromHour * HOUR_MS).toISOString(),
  new Date(TO_MS - toHour * HOUR_MS).toISOString(),
];
/** A window that ends before any collector was started, one for each button, and all six days. */
const PAST_WINDOWS = [past(1.25, 1), past(3, 2), past(24, 18), past(48, 24), past(144, 0)];

async function assertEveryButtonKnown(): Promise<void> {
  for (const { from } of PRESETS) {
    await until(`the window from ${from} is known`, () => isKnown(from, 'now'), WITHIN_MS);
  }
}

test('a window before any collector ran is unknown, and is not complete while a history arrives', async () => {
  assert.equal((await completenessOf(...past(160, 150))).status, 'unknown');
  await send(FROM_MS, FROM_MS + 3 * DAY_MS, RECORDS / 2);
  assert.notEqual((await completenessOf(...past(48, 24))).status, 'complete');
});

test('a history whose collector is killed meanwhile is stored once, and its windows are complete', async () => {
  await pipeline.kill('collector-2');
  await pipeline.start('collector-2');
  await send(FROM_MS + 3 * DAY_MS, TO_MS, RECORDS / 2);
  assert.equal(truth.totals().acknowledged, RECORDS);
  await pipeline.stop('collector-2');
  await pipeline.untilStored(RECORDS);
  await assertBalanced(pipeline, RECORDS);
  for (const window of PAST_WINDOWS) {
    await until(
      `${window.join(' to ')} is complete`,
      async () => {
        const { status, ratio } = await completenessOf(...window);
        return status === 'complete' && ratio === 1;
      },
      WITHIN_MS,
    );
  }
  await assertEveryButtonKnown();
  assert.equal((await completenessOf(...past(160, 150))).status, 'unknown');
});

test('the window of every button stays known when the live collector is killed, and after its restart', async () => {
  await pipeline.kill('collector');
  for (const { from } of PRESETS) assert(await isKnown(from, 'now'), from);
  for (const window of PAST_WINDOWS) assert.equal((await completenessOf(...window)).status, 'complete');
  await pipeline.start('collector');
  await assertEveryButtonKnown();
});

test('the accounting of the history agrees during the run and at the end', async () => {
  await assertReconciled(pipeline);
  assertNeverDiffered(pipeline);
  const [stored] = await pipeline.select<{ rows: number }>(
    "SELECT sum(records) AS rows FROM edge_account ARRAY JOIN partitions.records AS records, partitions.topic AS topic WHERE final AND topic = 'im.request-log'",
  );
  assert.equal(stored?.rows, RECORDS);
});
