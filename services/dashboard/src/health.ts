/*
 * The dashboard's one judgement of how well a set of requests does. A tier needs evidence: fewer than five service
 * errors never alarm, so an application with two requests, one of them failed, does not stand on top of the page.
 */
import type { OutcomeCounts } from '@imscope/schemas/query-api/answers.js';

export const FAILING_BELOW = 0.99;
export const DEGRADED_BELOW = 0.999;
export const SERVICE_ERRORS_MIN = 5;

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
  failing: 'Success rate below 99 % with at least 5 service errors',
  degraded: 'Success rate below 99.9 % with at least 5 service errors',
  healthy: 'Success rate of 99.9 % and more, or fewer than 5 service errors',
  unjudged: 'No request could be judged: none was a success or a service error',
};

export type Judged = { readonly success_rate: number | null; readonly outcomes: OutcomeCounts };

export function tierOf({ success_rate, outcomes }: Judged): Tier {
  if (success_rate === null) return 'unjudged';
  if (outcomes.service_error < SERVICE_ERRORS_MIN || success_rate >= DEGRADED_BELOW) return 'healthy';
  return success_rate < FAILING_BELOW ? 'failing' : 'degraded';
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
