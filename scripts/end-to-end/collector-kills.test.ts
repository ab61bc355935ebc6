/*
 * Short runs of `npm run chaos:collector` on one pipeline: the collector is killed under load, with and without Kafka.
 * Also tests the checks: they must find a missing record, a doubled one, a refused one that is stored, and accounting
 * that differs.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startChaosPipeline } from '../chaos/chaos-pipeline.js';
import type { PipelineWithBroker } from '../pipeline/pipeline.js';
import { checkAccounting, isClean } from '../chaos/check-accounting.js';
import { type RunOutcome, runAgainstCollector } from '../chaos/collector-run.js';
import { assertNeverDiffered } from '../pipeline/reconcile-settled.js';

let pipeline: PipelineWithBroker;

before(async () => {
  pipeline = await startChaosPipeline();
});

after(() => pipeline.end());

async function run(name: string, kills: number, brokerAwayMs: number): Promise<RunOutcome> {
  const outcome = await runAgainstCollector(pipeline, {
    name,
    kills,
    brokerAwayMs,
    seed: 1_711,
    recordsPerSecond: 1_500,
    say: () => undefined,
  });
  assert.deepEqual(outcome.findings.details, []);
  assert.ok(isClean(outcome.findings), JSON.stringify(outcome.findings));
  assertNeverDiffered(pipeline);
  return outcome;
}

test('a collector killed 15 times under load loses and doubles no acknowledged record, and its accounting agrees', async () => {
  const { findings, repeatedRequests } = await run('kills', 15, 0);
  assert.ok(findings.acknowledged > 3_000, `${findings.acknowledged} records were acknowledged`);
  assert.ok(repeatedRequests > 0, 'no request with a key was ever sent twice: the kills hit nothing');
});

test('a collector killed twice while Kafka is down still answers 202 and sends everything to Kafka later', async () => {
  const { acknowledgedWithoutBroker } = await run('away', 2, 12_000);
  assert.ok(acknowledgedWithoutBroker > 1_000, `${acknowledgedWithoutBroker} records without Kafka`);
});

test('the checks find lost and doubled records, refused ones that are stored, and accounting that differs', async () => {
  const { select, store } = pipeline;
  const [stored] = await select<{ request_id: string }>('SELECT request_id FROM request_log LIMIT 1');
  assert.ok(stored !== undefined);
  const request = stored.request_id.slice(0, stored.request_id.lastIndexOf('.'));
  const one = 'SELECT * FROM request_log ORDER BY time LIMIT 1';
  await store.command({ query: `INSERT INTO request_log ${one}` });
  const findings = await checkAccounting(pipeline, {
    acknowledged: new Map([['never-sent.0', 10]]),
    refused: new Map([[request, 40]]),
    unclear: new Map(),
  });
  const { lost, doubled, refusedStored } = findings;
  assert.deepEqual({ lost, doubled, refusedStored }, { lost: 10, doubled: 1, refusedStored: 40 });
  const { ledgerDifferences, metricDifferences, accountDifferences } = findings;
  assert.deepEqual(
    // The ledger check names the block, and the application's minute.
    { ledgerDifferences, metricDifferences, accountDifferences },
    { ledgerDifferences: 2, metricDifferences: 1, accountDifferences: 1 },
  );
});
