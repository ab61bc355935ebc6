/*
 * The final check of a test that disturbed the pipeline: nothing is on its way any more, and reconciliation finds no
 * difference, as with `imscope ledger check --settled`.
 */
import { readFileSync } from 'node:fs';
import { checkLedger, type LedgerReport } from '@imscope/aggregator/reconcile/check-ledger.js';
import { describeReport } from '@imscope/aggregator/reconcile/describe-report.js';
import { storeAsk } from '@imscope/aggregator/store/store-ask.js';
import { untilRecorded } from './caught-up.js';
import type { Pipeline } from './pipeline.js';

const RECORDED_MS_MAX = 120_000;

/** One reconcile pass over everything, with nothing assumed to be on its way. */
export async function reconcileSettled({
  store,
  kafka,
}: Pick<Pipeline, 'store' | 'kafka'>): Promise<LedgerReport> {
  const { topicPrefix } = kafka;
  return checkLedger({ ask: storeAsk(store), topicPrefix, fromMs: 0, nowMs: Date.now(), settleMs: 0 });
}

/** Throws where an aggregator logged a difference at any time. */
export function assertNeverDiffered(pipeline: Pick<Pipeline, 'process'>): void {
  const lines = readFileSync(pipeline.process('aggregator').logFile, 'utf8').split('\n');
  const reported = lines.filter((line) => line.includes('ledger, accounts and rows differ'));
  if (reported.length > 0) throw new Error(`an aggregator logged differences:\n${reported.join('\n')}`);
}

/** Stops the collector, waits until everything is in the ledger, and throws with the differences. */
export async function assertReconciled(pipeline: Pipeline): Promise<void> {
  if (pipeline.process('collector').isRunning()) await pipeline.stop('collector');
  await untilRecorded(pipeline.kafka, pipeline.select, RECORDED_MS_MAX);
  const report = await reconcileSettled(pipeline);
  if (report.differences.length > 0) throw new Error(describeReport(report));
}
