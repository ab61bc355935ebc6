/*
 * Whether an application's window ends unlike it was on the whole: an incident that just began, or one that is over.
 * Judged by the last twelfth of the sparkline. A point tells requests and rate but not how many were judged, so the
 * number of errors is an upper bound.
 */
import type { SparkPoint } from '@imscope/schemas/query-api/answers.js';
import { DEGRADED_BELOW, SERVICE_ERRORS_MIN, type Tier } from '../health.js';

export type Turn = { readonly kind: 'worse' | 'recovered'; readonly rate: number };

const LAST_PART = 12;
/** A turn is told from this difference of success rates on: a tenth of a percent. */
const DIFFERENCE_MIN = 0.001;

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
  if (requests === 0) return null;
  const recent = 1 - errors / requests;
  if (recent >= DEGRADED_BELOW) {
    return tier === 'failing' || tier === 'degraded' ? { kind: 'recovered', rate: recent } : null;
  }
  const worse = errors >= SERVICE_ERRORS_MIN && recent <= rate - DIFFERENCE_MIN;
  return worse ? { kind: 'worse', rate: recent } : null;
}
