/*
 * The words of the page for how well a set of requests does. The thresholds and the order are those of
 * schemas/src/health.ts.
 */
import { DEGRADED_FROM, FAILING_FROM, SERVICE_ERRORS_MIN, type Tier } from '@imscope/schemas/health.js';
import type { OutcomeCounts } from '@imscope/schemas/query-api/answers.js';

export const TIER_LABELS: Readonly<Record<Tier, string>> = {
  failing: 'Failing',
  degraded: 'Degraded',
  healthy: 'Healthy',
  unjudged: 'Not judged',
};

const percent = (share: number): string => `${(share * 100).toString()} %`;
const EVIDENCE = `${SERVICE_ERRORS_MIN.toString()} service errors or more, and more than chance explains (Wilson score, z = 3)`;

export const TIER_RULES: Readonly<Record<Tier, string>> = {
  failing: `More than ${percent(FAILING_FROM)} of the judged requests are service errors: ${EVIDENCE}`,
  degraded: `More than ${percent(DEGRADED_FROM)} of the judged requests are service errors: ${EVIDENCE}`,
  healthy: `At most ${percent(DEGRADED_FROM)} of the judged requests are service errors, or fewer than ${SERVICE_ERRORS_MIN.toString()}, or no more than chance explains`,
  unjudged: 'No request could be judged: none was a success or a service error',
};

/** The order of lists, in words. */
export const WORST_FIRST =
  'Worst first: failing, degraded, healthy, not judged; then by service errors, then by requests';

/** What figures and badges judge: the counts, and the rate that is null where nothing was judged. */
export type Judged = { readonly success_rate: number | null; readonly outcomes: OutcomeCounts };

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
