/*
 * Texts of the fleet's page.
 */
import { DEGRADED_FROM } from '@imscope/schemas/health.js';
import type { ReactNode } from 'react';
import { formatExact, formatQuantity } from './format-number.js';

const PERCENTILES = {
  p50: 'Half of the requests are faster',
  p95: '95 % of the requests are faster',
  p99: '99 % of the requests are faster',
} as const;

/** The sentence about the application that is worst. */
type Verdict = {
  readonly application: ReactNode;
  readonly rate: ReactNode;
  readonly serviceErrors: ReactNode;
  /** Of the fleet's service errors, percent; null where it is not worth saying. */
  readonly sharePercent: number | null;
  readonly worstInterface: ReactNode;
  readonly isRecovered: boolean;
  readonly othersInTrouble: number;
};

export const fleetTexts = {
  title: 'Fleet',
  summary: 'The fleet in this window',
  inTrouble: 'In trouble',
  ofApplications: (count: number) => ` of ${formatQuantity(count, 'application')}`,
  noneJudged:
    'No application can be judged: no request was a success or a service error. Let the gateways log the code.',
  noneInTrouble: `No application is in trouble: service errors stay below ${(DEGRADED_FROM * 100).toString()} %, or are no more than chance explains.`,
  someUnjudged: (sentence: string, unjudged: number) =>
    `${sentence} ${formatQuantity(unjudged, 'application')} cannot be judged.`,
  verdict: (worst: Verdict): ReactNode => (
    <>
      {worst.application} is at {worst.rate} with {worst.serviceErrors} service errors
      {worst.sharePercent !== null && ` (${worst.sharePercent.toString()} % of the fleet's)`}
      {worst.worstInterface !== null && <>, most in {worst.worstInterface}</>}.
      {worst.isRecovered && ' It has recovered since.'}
      {worst.othersInTrouble > 0 &&
        ` ${formatQuantity(worst.othersInTrouble, 'more application')} in trouble.`}
    </>
  ),
  applications: 'Applications',
  application: 'Application',
  rank: '#',
  column: {
    successRate: { label: 'Success rate', title: 'success / (success + service errors)' },
    serviceErrors: {
      label: 'Service errors',
      title: "The service's own failures: internal errors, time-outs, 502, 504",
    },
    requestsPerS: { label: 'Requests/s', title: 'Average over the window' },
    p50: { label: 'p50', title: PERCENTILES.p50 },
    p95: { label: 'p95', title: PERCENTILES.p95 },
    p99: { label: 'p99', title: PERCENTILES.p99 },
  },
  worstInterface: 'Worst interface',
  trend: 'Success rate, volume',
  trendTitle: 'Above: success rate, the dot its worst moment. Below: volume',
  backToWorstFirst: 'Back to worst first',
  showMore: 'Show more:',
  notShown: 'not shown',
  search: {
    placeholder: 'Find a name, owner or SDKAppID',
    label: 'Find an application by name, owner, package or SDKAppID. Shortcut: /',
    nothingFound: (search: string) =>
      `No application matches “${search}”. The search looks at names, owners, packages and ids.`,
    clear: 'Clear the search',
  },
  quiet: (span: string) => `quiet ${span}`,
  lastRequest: (utc: string) => `Last request ${utc}`,
  turn: {
    title: (rate: string) => `In the last twelfth of the window: about ${rate}`,
    recovered: '✓ recovered',
    worse: (rate: string) => `↓ last ${rate}`,
  },
  noServiceErrors: 'No interface had a service error',
  none: 'none',
  errorsIn: (count: number, name: string) => `${formatExact(count)} service errors in ${name}`,
};
