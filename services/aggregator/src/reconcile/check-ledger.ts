/*
 * One reconcile pass: the four checks, and what was compared. Reads only, in an order in which rows that are stored
 * meanwhile appear as more, never as a loss.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import { accountFaults } from '@imscope/accounting/balance/account-faults.js';
import { balanceOf, type Pending } from '@imscope/accounting/balance/incarnation-faults.js';
import { keyedCountedTwice } from '@imscope/accounting/balance/keyed-faults.js';
import { type RetiredLoss, retiredLosses } from '@imscope/accounting/balance/retired-losses.js';
import { settledUntil } from '@imscope/accounting/balance/settled-until.js';
import { unmeasuredSpans } from '@imscope/accounting/balance/unmeasured-spans.js';
import type { Evidence } from '@imscope/accounting/evidence/evidence.js';
import { readEvidence } from '@imscope/accounting/evidence/read-evidence.js';
import {
  type ComparedMinutes,
  minuteDifferences,
  readDifferingMinutes,
  settledMinutes,
  WINDOW_OPEN_MS,
} from './application-minutes.js';
import { blockDifferences, readBlockMinutes, readDifferingBlocks, rowsFrom, slicesOf } from './block-rows.js';
import type { Difference } from './difference.js';
import { faultDifference } from './fault-difference.js';
import { MINUTE_MS, type Pass } from './pass.js';
import { accountingAsk } from '../store/store-ask.js';
import { offsetDifferences, readOffsetSegments } from './offsets.js';
import { readUnrecordedBlocks, unrecordedDifferences } from './unrecorded-blocks.js';

/** What was compared. Times in epoch milliseconds. */
export type Checked = {
  readonly fromMs: number;
  readonly toMs: number;
  /** Rows and minutes before that were left out: there are too many. */
  readonly rowsFromMs: number;
  readonly partitions: number;
  /** Blocks of all topics, and those of request logs with their rows. */
  readonly blocks: number;
  readonly logBlocks: number;
  readonly rows: number;
  readonly accountRows: number;
  readonly boots: number;
  readonly collectors: number;
  readonly batches: number;
  readonly applications: number;
  readonly minutes: number;
  /** Minutes after this are not settled; null where none is. */
  readonly minutesToMs: number | null;
};

export type LedgerReport = {
  readonly checked: Checked;
  readonly pending: Pending;
  /** Of incarnations that are gone for ever: known, and no difference. */
  readonly retired: readonly RetiredLoss[];
  readonly differences: readonly Difference[];
};

/** Intervals of batches that are sorted at once, about 60 bytes each. */
const INTERVALS_PER_SLICE = 4_000_000;

export async function checkLedger(pass: Pass): Promise<LedgerReport> {
  const blockMinutes = await readBlockMinutes(pass);
  const intervals = blockMinutes.reduce((sum, { batches }) => sum + batches, 0);
  const evidence = await readEvidence(
    accountingAsk(pass.ask),
    pass,
    1 + Math.floor(intervals / INTERVALS_PER_SLICE),
  );
  const offsets = await readOffsetSegments(pass);
  const rowsFromMs = rowsFrom(blockMinutes, pass);
  const slices = slicesOf(blockMinutes.filter(({ minute }) => minute + MINUTE_MS > rowsFromMs));
  const blocks = await readDifferingBlocks(pass, slices);
  const unrecorded = await readUnrecordedBlocks(pass, rowsFromMs);
  const settled = settledMinutes(settledUntil(evidence, pass), rowsFromMs, pass.nowMs);
  const minutes = settled === undefined ? NO_MINUTES : await readDifferingMinutes(pass, settled);
  const balance = balanceOf(evidence, pass);
  const retired = retiredLosses(evidence);
  return {
    checked: {
      fromMs: pass.fromMs,
      toMs: pass.nowMs,
      rowsFromMs,
      partitions: new Set(offsets.map(({ topic, partition }) => `${topic}/${partition}`)).size,
      blocks: offsets.reduce((sum, segment) => sum + segment.blocks, 0),
      logBlocks: slices.reduce((sum, slice) => sum + slice.blocks, 0),
      rows: slices.reduce((sum, slice) => sum + slice.rows, 0),
      accountRows: evidence.accounts.reduce((sum, { rows }) => sum + rows, 0),
      boots: evidence.incarnations.length,
      collectors: new Set(evidence.incarnations.map(({ collector }) => collector)).size,
      batches: evidence.batches.reduce((sum, at) => sum + at.last_sequence - at.first_sequence + 1, 0),
      applications: minutes.applications,
      minutes: minutes.minutes,
      minutesToMs: settled?.toMs ?? null,
    },
    pending: balance.pending,
    retired,
    differences: [
      ...offsetDifferences(offsets),
      ...blockDifferences(blocks),
      ...unrecordedDifferences(unrecorded, offsets, pass.topicPrefix),
      ...[...accountFaults(evidence), ...balance.faults].map((fault) =>
        faultDifference(fault, pass.topicPrefix),
      ),
      ...minuteDifferences(minutes.differing, {
        logs: explainedRecords(evidence, retired, pass),
        metrics: unmeasuredSpans(evidence, WINDOW_OPEN_MS),
      }),
    ],
  };
}

const NO_MINUTES: ComparedMinutes = { differing: [], applications: 0, minutes: 0 };

/**
 * Records of request logs that metrics count and logs need not have: dead or expired in the ledger, or keyed and
 * counted by two collectors, or lost with a retired one.
 */
function explainedRecords(evidence: Evidence, retired: readonly RetiredLoss[], pass: Pass): number {
  const { losses, keyed } = evidence;
  const lost = losses.filter(isLog).reduce((sum, { after_base: records }) => sum + records, 0);
  const keyedLost = keyed.filter(isLog).reduce((sum, batches) => sum + batches.lost, 0);
  const gone = retired.reduce((sum, { missing, unaccounted }) => sum + missing + unaccounted, 0);
  return lost + keyedLost + gone + keyedCountedTwice(evidence, pass);
}

function isLog({ topic }: { topic: string }): boolean {
  return topic === TOPICS.requestLog.name;
}
