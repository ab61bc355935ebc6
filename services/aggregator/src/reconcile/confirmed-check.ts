/*
 * A confirmed pass: differences are checked again after a while, and only those found again are reported. Tables are read
 * one after another while blocks are stored, and a replica may lag; what was on its way has arrived by then.
 */
import { checkLedger, type LedgerReport } from './check-ledger.js';
import { keyOf } from './difference.js';
import type { Pass } from './pass.js';

/** Longer than a block takes to be stored, and than a late event's window stays open (10 s). */
export const CONFIRM_AFTER_MS = 15_000;

export type CheckRequest = Omit<Pass, 'nowMs'>;

/** @param now the clock, read at each pass @param wait resolves after so many milliseconds; rejects to give up */
export async function checkConfirmed(
  request: CheckRequest,
  { now, wait }: { now: () => number; wait: (ms: number) => Promise<void> },
): Promise<LedgerReport> {
  const first = await checkLedger({ ...request, nowMs: now() });
  if (first.differences.length === 0) return first;
  await wait(CONFIRM_AFTER_MS);
  const second = await checkLedger({ ...request, nowMs: now() });
  const seen = new Set(first.differences.map(keyOf));
  return { ...second, differences: second.differences.filter((found) => seen.has(keyOf(found))) };
}
