/*
 * How well a set of requests does, and which of two sets comes first in a list. The one statement of the thresholds,
 * the tiers and the order: the query service's SQL, the dashboard and the CLI derive from it.
 *
 * A tier needs evidence: the lower bound of the share of service errors (Wilson score, z = 3). Fewer than
 * SERVICE_ERRORS_MIN errors are no evidence, so one failed request of one is not an incident.
 * Worst first: tier, then service errors (requests lost), then requests.
 */

/** Lower bounds of the share of service errors from which requests are failing or degraded. */
export const FAILING_FROM = 0.01;
export const DEGRADED_FROM = 0.001;
/** Fewer service errors than this are never called failing or degraded. */
export const SERVICE_ERRORS_MIN = 5;
const Z = 3;

/** Worst first; `unjudged`: no request was a success or a service error. */
export const TIERS = ['failing', 'degraded', 'healthy', 'unjudged'] as const;
export type Tier = (typeof TIERS)[number];

type Counts = { readonly success: number; readonly service_error: number };
/** The counts of a row that the order compares. */
export type Rankable = { readonly requests: number; readonly outcomes: Counts };

export function tierOf({ success, service_error: errors }: Counts): Tier {
  if (success + errors === 0) return 'unjudged';
  if (errors < SERVICE_ERRORS_MIN) return 'healthy';
  const share = errorShareLowerBound(success, errors);
  if (share < DEGRADED_FROM) return 'healthy';
  return share < FAILING_FROM ? 'degraded' : 'failing';
}

/** Whether a row is called failing or degraded. */
export function isInTrouble(tier: Tier): boolean {
  return tier === 'failing' || tier === 'degraded';
}

/** Lower bound of the share of service errors, 0 to 1. There is at least one success or service error. */
export function errorShareLowerBound(success: number, errors: number): number {
  const rated = success + errors;
  const spread = Z * Math.sqrt((errors * success) / rated + (Z * Z) / 4);
  return (errors + (Z * Z) / 2 - spread) / (rated + Z * Z);
}

/** Orders rows worst first. Rows that are equal here keep their order. */
export function compareWorstFirst(a: Rankable, b: Rankable): number {
  return (
    TIERS.indexOf(tierOf(a.outcomes)) - TIERS.indexOf(tierOf(b.outcomes)) ||
    b.outcomes.service_error - a.outcomes.service_error ||
    b.requests - a.requests
  );
}

/** Columns (or expressions) of a query that hold a row's counts. */
export type CountColumns = {
  readonly requests: string;
  readonly success: string;
  readonly serviceErrors: string;
};

/**
 * The place of a row's tier in TIERS, as SQL. Counts become Float64, as in JavaScript: the product of two counts
 * exceeds UInt64.
 */
export function tierIndexSql({
  success,
  serviceErrors,
}: Pick<CountColumns, 'success' | 'serviceErrors'>): string {
  const [s, e] = [`toFloat64(${success})`, `toFloat64(${serviceErrors})`];
  const spread = `${Z} * sqrt((${e} * ${s}) / (${s} + ${e}) + ${(Z * Z) / 4})`;
  const share = `((${e} + ${(Z * Z) / 2} - ${spread}) / (${s} + ${e} + ${Z * Z}))`;
  return `multiIf(
    ${success} + ${serviceErrors} = 0, ${TIERS.indexOf('unjudged')},
    ${serviceErrors} < ${SERVICE_ERRORS_MIN}, ${TIERS.indexOf('healthy')},
    ${share} < ${DEGRADED_FROM}, ${TIERS.indexOf('healthy')},
    ${share} < ${FAILING_FROM}, ${TIERS.indexOf('degraded')},
    ${TIERS.indexOf('failing')})`;
}

/**
 * Expressions that are least for the worst row: the order of `compareWorstFirst`, for ORDER BY or, in a tuple, for
 * argMin. Counts are UInt64, so they are negated as Int64.
 */
export function worstFirstSql(columns: CountColumns): string {
  const { serviceErrors, requests } = columns;
  return `${tierIndexSql(columns)}, -toInt64(${serviceErrors}), -toInt64(${requests})`;
}
