/*
 * The dashboard's one judgement of how well a set of requests does. A tier needs evidence: it goes by the share of
 * service errors the counts vouch for (lower bound of the Wilson score, z = 3, by which the query API ranks too), and
 * fewer than five errors never alarm. So neither chance nor two requests, one of them failed, stand on top of a page.
 */
import type { OutcomeCounts } from '@imscope/schemas/query-api/answers.js';

/** Shares of service errors from which on requests are failing or degraded. */
export const FAILING_FROM = 0.01;
export const DEGRADED_FROM = 0.001;
export const SERVICE_ERRORS_MIN = 5;
const Z = 3;

/** Worst first; `unjudged`: nothing in the span had a code to judge by. */
export const TIERS = ['failing', 'degraded', 'healthy', 'unjudged'] as const;
export type Tier = (typeof TIERS)[number];

export const TIER_LABELS: Readonly<Record<Tier, string>> = {
  failing: 'Failing',
  degraded: 'Degraded',
  healthy: 'Healthy',
  unjudged: 'Not judged',
};

export const TIER_RULES: Readonly<Record<Tier, string>> = {
  failing: 'More than 1 % of the judged requests are service errors, and not by chance (Wilson score, z = 3)',
  degraded:
    'More than 0.1 % of the judged requests are service errors, and not by chance (Wilson score, z = 3)',
  healthy: 'At most 0.1 % of the judged requests are service errors, or no more than chance explains',
  unjudged: 'No request could be judged: none was a success or a service error',
};

export type Judged = { readonly success_rate: number | null; readonly outcomes: OutcomeCounts };

export function tierOf({ success_rate: rate, outcomes }: Judged): Tier {
  if (rate === null) return 'unjudged';
  const { success, service_error: errors } = outcomes;
  if (errors < SERVICE_ERRORS_MIN) return 'healthy';
  const share = vouchedErrorShare(success, errors);
  if (share < DEGRADED_FROM) return 'healthy';
  return share < FAILING_FROM ? 'degraded' : 'failing';
}

/** Lower bound of the share of service errors, 0 to 1: the formula of the query service's order. */
export function vouchedErrorShare(success: number, errors: number): number {
  const judged = success + errors;
  if (errors === 0) return 0;
  const spread = Z * Math.sqrt((errors * success) / judged + (Z * Z) / 4);
  return (errors + (Z * Z) / 2 - spread) / (judged + Z * Z);
}

/** Why a success rate is null, in words for the reader. */
export function whyUnjudged(outcomes: OutcomeCounts): string {
  const { caller_error: callerErrors, unknown } = outcomes;
  if (callerErrors === 0 && unknown === 0) return 'No requests in this span, so there is no rate.';
  if (callerErrors === 0) {
    return 'No request carried a code, so success cannot be told from failure. Let the gateway log the code.';
  }
  if (unknown === 0) return "All requests were callers' own mistakes, which say nothing about the service.";
  return "All requests were callers' own mistakes or carried no code, so the service cannot be judged.";
}
