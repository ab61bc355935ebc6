/*
 * A look that is believed: what differs is looked at again after a while, and only what differs then too is told. The
 * books are read one after another while blocks are stored, and a replica may lag; what is on its way has moved by then.
 */
import { checkLedger, type LedgerReport } from './check-ledger.js';
import { keyOf } from './difference.js';
import type { Pass } from './pass.js';

/** Longer than a block takes to be stored, and than a late event's window stays open (10 s). */
export const LOOK_AGAIN_MS = 15_000;

export type CheckRequest = Omit<Pass, 'nowMs'>;

/** @param now the clock, asked at each look @param wait resolves after so many milliseconds; rejects to give up */
export async function checkConfirmed(
  request: CheckRequest,
  { now, wait }: { now: () => number; wait: (ms: number) => Promise<void> },
): Promise<LedgerReport> {
  const first = await checkLedger({ ...request, nowMs: now() });
  if (first.differences.length === 0) return first;
  await wait(LOOK_AGAIN_MS);
  const second = await checkLedger({ ...request, nowMs: now() });
  const seen = new Set(first.differences.map(keyOf));
  return { ...second, differences: second.differences.filter((found) => seen.has(keyOf(found))) };
}
