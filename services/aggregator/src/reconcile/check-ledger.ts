/*
 * One look at all books: the four checks, and what was held against what. Reads only, in an order in which whatever
 * is stored meanwhile looks like more, never like a loss.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import { accountDifferences } from './account-rows.js';
import {
  type ComparedMinutes,
  minuteDifferences,
  readDifferingMinutes,
  settledMinutes,
  settledUntil,
} from './application-minutes.js';
import { blockDifferences, readBlockMinutes, readDifferingBlocks, rowsFrom, slicesOf } from './block-rows.js';
import { type BootEvidence, readBootEvidence } from './boot-evidence.js';
import { bootDifferences, type Pending } from './boots.js';
import type { Difference } from './difference.js';
import { keyedCountedTwice } from './keyed-differences.js';
import { type Look, MINUTE_MS } from './look.js';
import { offsetDifferences, readOffsetStretches } from './offsets.js';
import { readUnbookedBlocks, unbookedDifferences } from './unbooked-blocks.js';

/** What was held against what. Times in epoch milliseconds. */
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
  /** Minutes behind this are not settled; null where none is. */
  readonly minutesToMs: number | null;
};

export type LedgerReport = {
  readonly checked: Checked;
  readonly pending: Pending;
  readonly differences: readonly Difference[];
};

/** Intervals of batches that are sorted at once, about 60 bytes each. */
const INTERVALS_PER_SLICE = 4_000_000;

export async function checkLedger(look: Look): Promise<LedgerReport> {
  const blockMinutes = await readBlockMinutes(look);
  const intervals = blockMinutes.reduce((sum, { batches }) => sum + batches, 0);
  const evidence = await readBootEvidence(look, 1 + Math.floor(intervals / INTERVALS_PER_SLICE));
  const offsets = await readOffsetStretches(look);
  const rowsFromMs = rowsFrom(blockMinutes, look);
  const slices = slicesOf(blockMinutes.filter(({ minute }) => minute + MINUTE_MS > rowsFromMs));
  const blocks = await readDifferingBlocks(look, slices);
  const unbooked = await readUnbookedBlocks(look, rowsFromMs);
  const settled = settledMinutes(settledUntil(evidence, look), rowsFromMs, look.nowMs);
  const minutes = settled === undefined ? NO_MINUTES : await readDifferingMinutes(look, settled);
  const boots = bootDifferences(evidence, look);
  return {
    checked: {
      fromMs: look.fromMs,
      toMs: look.nowMs,
      rowsFromMs,
      partitions: new Set(offsets.map(({ topic, partition }) => `${topic}/${partition}`)).size,
      blocks: offsets.reduce((sum, stretch) => sum + stretch.blocks, 0),
      logBlocks: slices.reduce((sum, slice) => sum + slice.blocks, 0),
      rows: slices.reduce((sum, slice) => sum + slice.rows, 0),
      accountRows: evidence.accounts.reduce((sum, { rows }) => sum + rows, 0),
      boots: evidence.boots.length,
      collectors: new Set(evidence.boots.map(({ collector }) => collector)).size,
      batches: evidence.stretches.reduce((sum, at) => sum + at.last_sequence - at.first_sequence + 1, 0),
      applications: minutes.applications,
      minutes: minutes.minutes,
      minutesToMs: settled?.toMs ?? null,
    },
    pending: boots.pending,
    differences: [
      ...offsetDifferences(offsets),
      ...blockDifferences(blocks),
      ...unbookedDifferences(unbooked, offsets, look.topicPrefix),
      ...accountDifferences(evidence, look.topicPrefix),
      ...boots.differences,
      ...minuteDifferences(minutes.differing, explainedRecords(evidence, look)),
    ],
  };
}

const NO_MINUTES: ComparedMinutes = { differing: [], applications: 0, minutes: 0 };

/**
 * Records of request logs that metrics count and logs need not have: booked as dead or expired, or under a key and
 * counted by two collectors.
 */
function explainedRecords(evidence: BootEvidence, look: Look): number {
  const { losses, keyed } = evidence;
  const lost = losses.filter(isLog).reduce((sum, { behind_base: records }) => sum + records, 0);
  const keyedLost = keyed.filter(isLog).reduce((sum, batches) => sum + batches.lost, 0);
  return lost + keyedLost + keyedCountedTwice(evidence, look);
}

function isLog({ topic }: { topic: string }): boolean {
  return topic === TOPICS.requestLog.name;
}
