/* When a terminated application is purged. */
import { CONFIGURATION_TERM_MONTHS } from '@imscope/schemas/retention.js';

/**
 * The term later in calendar months of UTC, at the same time of day. Where that month is shorter, its last day: 31 December → 28 or
 * 29 February.
 */
export function purgeDateMs(terminatedMs: number): number {
  const date = new Date(terminatedMs);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + CONFIGURATION_TERM_MONTHS);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}
