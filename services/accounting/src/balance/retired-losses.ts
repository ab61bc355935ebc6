/*
 * The column "retired" of the balance: sent = stored + duplicate + dead + expired + retired. What retired incarnations
 * sent by their accounts and is not stored, and what they may have accepted after that. Pure.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Evidence } from '../evidence/evidence.js';
import { type BookedRetirement, bookedLoss, holds } from '../retirement/booked-retirement.js';

/** Records of request logs of one retired incarnation. */
export type RetiredLoss = Pick<BookedRetirement, 'boot' | 'collector' | 'atMs' | 'by' | 'reason'> & {
  /** Sent by its accounts and not stored: lost. */
  readonly missing: number;
  /** Accepted after its last account and not stored, at most. */
  readonly unaccounted: number;
};

/** Of all retirements that hold. What was stored after a retirement is taken off the booked loss. */
export function retiredLosses(evidence: Evidence): RetiredLoss[] {
  const logs = evidence.batches.filter(({ topic }) => topic === TOPICS.requestLog.name);
  return [...evidence.retirements.values()].filter(holds).map((retirement) => {
    const { boot, collector, atMs, by, reason, acceptedMax } = retirement;
    const booked = bookedLoss(retirement);
    const known = evidence.incarnations.find((one) => one.boot === boot);
    const own = logs.filter((batch) => batch.boot === boot);
    const row = { boot, collector, atMs, by, reason };
    // Its accounts may be older than the scope: then as booked.
    if (known === undefined && own.length === 0) return { ...row, ...booked };
    const after = own.reduce((sum, one) => sum + one.after_base - one.inside - one.across_end, 0);
    const keyed = booked.missing - retirement.missing;
    const missing = keyed + missingOf(evidence, boot);
    return { ...row, missing, unaccounted: Math.max(0, acceptedMax - Math.max(0, after)) };
  });
}

/** By partition, because a range across the last account counts as far as it can be of before. Without keyed batches. */
function missingOf({ marks, batches, losses }: Evidence, boot: string): number {
  const isOwn = (one: { boot: string; topic: string }): boolean =>
    one.boot === boot && one.topic === TOPICS.requestLog.name;
  const sent = marks.filter((mark) => isOwn(mark) && !mark.keyed);
  const missing = sent.map(({ partition, last_records: last, base_records: base }) => {
    const isHere = (one: { boot: string; topic: string; partition: number }): boolean =>
      isOwn(one) && one.partition === partition;
    const stored = batches
      .filter(isHere)
      .reduce((sum, { inside, across_end: across }) => sum + inside + across, 0);
    const lost = losses.filter(isHere).reduce((sum, { records }) => sum + records, 0);
    return Math.max(0, last - base - stored - lost);
  });
  return missing.reduce((sum, one) => sum + one, 0);
}
