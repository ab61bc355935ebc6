/*
 * Texts of figures: names and rules of tiers and outcomes, units, what a figure counts, and how it changed. The
 * thresholds are those of schemas/src/health.ts.
 */
import { DEGRADED_FROM, FAILING_FROM, SERVICE_ERRORS_MIN, type Tier } from '@imscope/schemas/health.js';
import type { Outcome } from '@imscope/schemas/outcome.js';
import type { Scope } from '../state/page-state.js';
import { formatExact } from './format-number.js';

const percent = (share: number): string => `${(share * 100).toString()} %`;
const EVIDENCE = `${SERVICE_ERRORS_MIN.toString()} service errors or more, and more than chance explains once in a million`;

const TIERS: Readonly<Record<Tier, string>> = {
  failing: 'Failing',
  degraded: 'Degraded',
  healthy: 'Healthy',
  unjudged: 'Not judged',
};
const TIER_RULES: Readonly<Record<Tier, string>> = {
  failing: `More than ${percent(FAILING_FROM)} of the judged requests are service errors: ${EVIDENCE}`,
  degraded: `More than ${percent(DEGRADED_FROM)} of the judged requests are service errors: ${EVIDENCE}`,
  healthy: `At most ${percent(DEGRADED_FROM)} of the judged requests are service errors, or fewer than ${SERVICE_ERRORS_MIN.toString()}, or no more than chance explains`,
  unjudged: 'No request could be judged: none was a success or a service error',
};
const OUTCOMES: Readonly<Record<Outcome, string>> = {
  success: 'Success',
  caller_error: 'Caller error',
  service_error: 'Service error',
  unknown: 'Unknown',
};
const SCOPES: Readonly<Record<Scope, string>> = {
  interface: 'Interface',
  region: 'Region',
  node: 'Node',
  platform: 'Platform',
  sdk_version: 'SDK version',
};
/** What a count counts; the end of its title. */
const UNITS = {
  requests: 'requests',
  serviceErrors: 'service errors',
  callerErrors: 'caller errors',
  withoutCode: 'requests without a code',
  records: 'records',
  applications: 'applications',
} as const;
export type CountUnit = keyof typeof UNITS;

type RateCounts = {
  readonly success: number;
  readonly rated: number;
  readonly callerErrors: number;
  readonly unknown: number;
};

export const figureTexts = {
  tier: TIERS,
  tierRule: TIER_RULES,
  outcome: OUTCOMES,
  scope: SCOPES,
  successRate: 'Success rate',
  serviceErrors: 'Service errors',
  callerErrors: 'Caller errors',
  requests: 'Requests',
  requestsPerS: 'Requests/s',
  perS: '/s',
  noCode: 'no code',
  count: (value: number, unit: CountUnit) => `${formatExact(value)} ${UNITS[unit]}`,
  perSecond: (value: number) => `${formatExact(value)} requests per second`,
  milliseconds: (value: number) => `${formatExact(value)} ms`,
  noRequests: 'No requests in this span',
  rate: (rate: number, { success, rated, callerErrors, unknown }: RateCounts) =>
    `${formatExact(rate * 100)} %: ${formatExact(success)} of ${formatExact(rated)} judged requests succeeded; beside them ${formatExact(callerErrors)} caller errors and ${formatExact(unknown)} without a code`,
  age: { justNow: 'just now', ago: (span: string) => `${span} ago` },
  ageTitle: (clock: string, utc: string) => `${clock} here · ${utc}`,
  /** Why there is no success rate. */
  whyNoRate: {
    noRequests: 'No requests in this span, so there is no rate.',
    noCodes:
      'No request carried a code, so success cannot be distinguished from failure. Let the gateway log the code.',
    callersOnly: "All requests were callers' own mistakes, which say nothing about the service.",
    callersAndNoCodes:
      "All requests were callers' own mistakes or carried no code, so the service cannot be judged.",
  },
  change: {
    nothingBefore: 'nothing before to compare with',
    steady: 'steady',
    fromNone: 'from none',
    times: (ratio: string) => `${ratio} times`,
    points: (points: string) => `${points} points`,
    was: (change: string, before: string) => `${change}, was ${before}`,
    better: (change: string) => `better: ${change}`,
    worse: (change: string) => `worse: ${change}`,
    against: 'Against the span of equal length just before',
  },
};
