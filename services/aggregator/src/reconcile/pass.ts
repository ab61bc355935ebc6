/*
 * What one reconcile pass is about: which topics, since when, and what counts as settled. Also the
 * terms after which rows leave the tables by TTL.
 */
import type { Settling } from '@imscope/accounting/balance/fault.js';
import { type Scope, scopeParams } from '@imscope/accounting/scope.js';
import { HOUR_MS, TERM_BOUNDS, TERM_HOURS } from '@imscope/schemas/retention.js';
import type { Ask } from '../store/store-ask.js';

export type Pass = Scope &
  Settling & {
    readonly ask: Ask;
    /** Rows cost far more than the ledger: compared since then, and about so many at most. All where left out. */
    readonly rows?: { readonly fromMs: number; readonly max: number };
  };

export const MINUTE_MS = 60_000;
export { HOUR_MS };
/** Rows near the end of their term may be gone in part, so a pass leaves out the last minutes of it. */
const TERM_MARGIN_MS = 10 * MINUTE_MS;
export const LOG_TERM_MS = TERM_HOURS.requestLog * HOUR_MS - TERM_MARGIN_MS;
export const METRIC_TERM_MS = TERM_HOURS.interfaceMetric * HOUR_MS - TERM_MARGIN_MS;
/** Rows that waited at the edge for the longest time allowed are still in the tables at this age. */
export const LOOK_BACK_MS = (TERM_HOURS.requestLog - TERM_BOUNDS.edgeWaitHours.max) * HOUR_MS;
/** Ten minutes: ten accounts, and longer than a collector takes to restart or a partition to find a leader. */
export const SETTLE_MS = 10 * MINUTE_MS;
/** Of each kind that is read; more of the same kind add nothing. */
export const ROWS_MAX = 1_000;

/** The parameters of every statement of a pass. */
export function passParams(pass: Scope): Record<string, unknown> {
  return { ...scopeParams(pass), rows_max: ROWS_MAX };
}
