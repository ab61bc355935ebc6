/* When a terminated application is purged. */
const PURGE_AFTER_MONTHS = 2;

/**
 * Two calendar months later in UTC, at the same time of day. Where that month is shorter, its last day: 31 December → 28 or
 * 29 February.
 */
export function purgeDateMs(terminatedMs: number): number {
  const date = new Date(terminatedMs);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + PURGE_AFTER_MONTHS);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}
