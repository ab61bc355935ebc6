/*
 * Whether what looks wrong in an answer is the fault of the service or of the telemetry: its success rate is bounded by
 * what is missing, and judged at the best it can be. Pure.
 */
import { DEGRADED_FROM, isInTrouble, tierOf } from '@imscope/schemas/health.js';
import type { Completeness, Verdict } from '@imscope/schemas/query-api/envelope.js';

/** What an answer says of all its requests together. */
export type RatedRequests = {
  readonly requests: number;
  readonly success: number;
  readonly serviceErrors: number;
  /** Requests in a span of equal length before, where the answer tells. */
  readonly requestsBefore?: number | undefined;
};

type Counted = {
  readonly requests: number;
  readonly outcomes: { readonly success: number; readonly service_error: number };
};

/** Of the rows of an answer together: they are about different requests. */
export function ratedTogether(rows: readonly Counted[]): RatedRequests {
  return {
    requests: rows.reduce((sum, { requests }) => sum + requests, 0),
    success: rows.reduce((sum, { outcomes }) => sum + outcomes.success, 0),
    serviceErrors: rows.reduce((sum, { outcomes }) => sum + outcomes.service_error, 0),
  };
}

/** Requests fell where they are less than this share of those before, and there were at least so many. */
const FELL_TO = 0.5;
const BEFORE_MIN = 100;

/**
 * Adds bounds and verdict.
 * @param loggedShare of all requests, the share logged one by one. Only successes are sampled: a missing record may be
 * so many successes more, or one failure
 */
export function withVerdict(
  completeness: Completeness,
  rated: RatedRequests,
  loggedShare: number | null,
): Completeness {
  const weight = loggedShare === null || loggedShare === 0 ? 1 : 1 / loggedShare;
  return {
    ...completeness,
    success_rate: successRateBounds(rated, completeness.missing_max ?? null, weight),
    verdict: verdictOf(completeness, rated, weight),
  };
}

function successRateBounds(
  { success, serviceErrors }: RatedRequests,
  missing: number | null,
  weight: number,
): NonNullable<Completeness['success_rate']> | null {
  if (missing === null || success + serviceErrors === 0) return null;
  return {
    least: success / (success + serviceErrors + missing),
    greatest: rateOf(success + missing * weight, serviceErrors),
  };
}

function verdictOf(completeness: Completeness, rated: RatedRequests, weight: number): Verdict {
  const { success, serviceErrors } = rated;
  const failing = isInTrouble(tierOf({ success, service_error: serviceErrors }));
  const absent = absentOf(completeness);
  const isKnown = completeness.status !== 'unknown' || completeness.silent_collectors.length > 0;
  const best = success + absent * weight;
  if (failing && isKnown && isInTrouble(tierOf({ success: best, service_error: serviceErrors }))) {
    const even =
      absent === 0
        ? ''
        : `; at best ${percent(rateOf(best, serviceErrors))}, if all ${number(absent)} records that are missing succeeded`;
    return {
      fault: 'service_fault',
      reason: `${number(serviceErrors)} service errors, success rate ${percent(rateOf(success, serviceErrors))}${even}`,
    };
  }
  const fell = fellText(rated);
  const lack = lackOf(completeness);
  if (lack !== undefined && (lack.isSevere || failing || fell !== undefined)) {
    const seen = failing
      ? `success rate ${percent(rateOf(success, serviceErrors))}, which what is missing may explain; `
      : fell === undefined
        ? ''
        : `${fell}; `;
    return { fault: 'telemetry_fault', reason: `${seen}${lack.text}` };
  }
  if (!isKnown) {
    const seen = fell === undefined ? '' : `${fell}; `;
    return { fault: 'unknown', reason: `${seen}it is not known what collectors accepted in this window` };
  }
  if (failing) {
    return {
      fault: 'unknown',
      reason: `success rate ${percent(rateOf(success, serviceErrors))}, but ${number(absent)} records are on their way and may all have succeeded`,
    };
  }
  if (fell !== undefined) {
    return {
      fault: 'none',
      reason: `${fell}, and all that collectors reported is stored: fewer requests came`,
    };
  }
  return {
    fault: 'none',
    reason: lack === undefined ? 'nothing looks wrong' : `nothing looks wrong; ${lack.text}`,
  };
}

/** Records that may be missing: those known, and those that silent collectors may have accepted. */
function absentOf({ missing_max: missing, silent_estimate: silent }: Completeness): number {
  return (missing ?? 0) + (silent ?? 0);
}

/** What the telemetry lacks, beyond what is on its way; `isSevere`: enough to change a rate by what counts as degraded. */
function lackOf(
  completeness: Completeness,
): { readonly text: string; readonly isSevere: boolean } | undefined {
  const { silent_collectors: silent, silent_collectors_left_out: more = 0, ratio, retired } = completeness;
  const [first] = silent;
  if (first !== undefined) {
    const count = silent.length + more;
    const others = count === 1 ? '' : ` and ${number(count - 1)} more`;
    return {
      text: `collector ${first.collector}${others} silent since ${first.last_heard}: what they accepted is not known`,
      isSevere: true,
    };
  }
  if (ratio === null || ratio === 1) return undefined;
  const gone =
    retired === undefined ? '' : `, ${number(retired.lost_max)} of them at most lost with retired collectors`;
  return {
    text: `${share(1 - ratio)} of what collectors accepted is not stored${gone}`,
    isSevere: 1 - ratio >= DEGRADED_FROM,
  };
}

function fellText({ requests, requestsBefore: before = 0 }: RatedRequests): string | undefined {
  if (before < BEFORE_MIN || requests >= before * FELL_TO) return undefined;
  return `requests fell by ${share(1 - requests / before)} against before`;
}

function rateOf(success: number, serviceErrors: number): number {
  return success / (success + serviceErrors);
}

/** Three digits are enough to compare with a target; never 100 % of what is less. */
function percent(rate: number): string {
  return `${Math.floor(rate * 100_000) / 1_000} %`;
}

function share(part: number): string {
  return `${Math.round(part * 100_000) / 1_000} %`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
