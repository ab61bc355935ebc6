/*
 * Whether the end of an application's window differs from the window: an incident that just began, or one that is over.
 * The last twelfth of the sparkline is compared with what the complete window lets expect, beyond what chance explains. A
 * point has requests and rate but not how many of them count for the rate, so numbers of errors are upper bounds.
 */
import { DEGRADED_FROM, isInTrouble, SERVICE_ERRORS_MIN, type Tier } from '@imscope/schemas/health.js';
import type { SparkPoint } from '@imscope/schemas/query-api/applications.js';

export type Turn = { readonly kind: 'worse' | 'recovered'; readonly rate: number };

const LAST_PART = 12;
/** The end is worse from twice the expected errors on, if chance (three deviations) does not explain it. */
const WORSE_TIMES = 2;
const DEVIATIONS = 3;

export function recentTurn(points: readonly SparkPoint[], rate: number | null, tier: Tier): Turn | null {
  if (rate === null) return null;
  const last = points.slice(-Math.max(1, Math.round(points.length / LAST_PART)));
  let requests = 0;
  let errors = 0;
  for (const point of last) {
    if (point.success_rate === null) continue;
    requests += point.requests;
    errors += point.requests * (1 - point.success_rate);
  }
  const expected = requests * (1 - rate);
  const recent = requests === 0 ? 1 : 1 - errors / requests;
  if (isInTrouble(tier) && expected >= SERVICE_ERRORS_MIN && 1 - recent < DEGRADED_FROM) {
    return { kind: 'recovered', rate: recent };
  }
  const explained = Math.max(
    expected * WORSE_TIMES,
    expected + DEVIATIONS * Math.sqrt(Math.max(expected, 1)),
  );
  const worse = errors >= SERVICE_ERRORS_MIN && 1 - recent >= DEGRADED_FROM && errors >= explained;
  return worse ? { kind: 'worse', rate: recent } : null;
}
