/*
 * Reasons of refused records: in one line, and summed over applications.
 */
import type { FleetRefusals } from '@imscope/schemas/query-api/fleet-refusals.js';
import type { RefusalReason } from '@imscope/schemas/query-api/refusals.js';
import { texts } from '../words/texts.js';

/** Reasons named in one line. */
const LEADING_MAX = 3;

/** `unknown_field 1,000, too_long 4 and 2 more`: most frequent first. */
export function leadingReasons(reasons: readonly Pick<RefusalReason, 'reason' | 'records'>[]): string {
  const leading = reasons
    .slice(0, LEADING_MAX)
    .map(({ reason, records }) => texts.refusal.reason(reason, records));
  return texts.refusal.reasons(leading, reasons.length - leading.length);
}

/** One entry a reason, most frequent first. */
export function sumByReason(applications: FleetRefusals['applications']): RefusalReason[] {
  const sums = new Map<string, RefusalReason>();
  for (const reason of applications.flatMap(({ reasons }) => reasons)) {
    const before = sums.get(reason.reason);
    sums.set(reason.reason, { ...reason, records: reason.records + (before?.records ?? 0) });
  }
  return [...sums.values()].toSorted((a, b) => b.records - a.records);
}
