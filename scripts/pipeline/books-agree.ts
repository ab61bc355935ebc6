/*
 * The last word of a test that disturbed the pipeline: nothing is on its way any more, and all books agree, as
 * `imscope ledger check --settled` would say.
 */
import { readFileSync } from 'node:fs';
import { checkLedger, type LedgerReport } from '@imscope/aggregator/reconcile/check-ledger.js';
import { describeReport } from '@imscope/aggregator/reconcile/describe-report.js';
import { storeAsk } from '@imscope/aggregator/reconcile/pass.js';
import { untilBooked } from './caught-up.js';
import type { Pipeline } from './pipeline.js';

const BOOKED_MS_MAX = 120_000;

/** All books over all there is, with nothing taken to be on its way. */
export async function checkSettledBooks({
  store,
  kafka,
}: Pick<Pipeline, 'store' | 'kafka'>): Promise<LedgerReport> {
  const { topicPrefix } = kafka;
  return checkLedger({ ask: storeAsk(store), topicPrefix, fromMs: 0, nowMs: Date.now(), settleMs: 0 });
}

/** Throws where an aggregator said by itself that the books differ, at any time. */
export function assertNeverDiffered(pipeline: Pick<Pipeline, 'process'>): void {
  const lines = readFileSync(pipeline.process('aggregator').logFile, 'utf8').split('\n');
  const told = lines.filter((line) => line.includes('the books differ'));
  if (told.length > 0) throw new Error(`an aggregator told of differences:\n${told.join('\n')}`);
}

/** Stops the collector, waits until all is booked, and throws with what differs. */
export async function assertBooksAgree(pipeline: Pipeline): Promise<void> {
  if (pipeline.process('collector').isRunning()) await pipeline.stop('collector');
  await untilBooked(pipeline.kafka, pipeline.select, BOOKED_MS_MAX);
  const report = await checkSettledBooks(pipeline);
  if (report.differences.length > 0) throw new Error(describeReport(report));
}
