/*
 * How well a set of requests does, and which of two sets comes first in a list. The one statement of the thresholds,
 * the evidence, the tiers and the order: the query service's SQL, the dashboard and the CLI derive from it.
 *
 * A tier needs evidence that chance does not give. Where requests fail at a share q on their own, the probability that n
 * of them show a share p > q or more is at most exp(-n × KL(p, q)) (Chernoff; KL is the Kullback-Leibler divergence).
 * Requests are degraded where that is below CHANCE_MAX for the share that their target allows, and failing where it is
 * for ten times that share. This holds for any n and q: with a thousand applications at their target that are looked at
 * over and over, not one is called degraded. Fewer than SERVICE_ERRORS_MIN errors are no evidence in any case, so one
 * failed request of one is not an incident.
 * Worst first: tier, then service errors (requests lost), then requests.
 */

/** Shares of service errors above which requests are degraded or failing, where no target is set. */
export const DEGRADED_FROM = 0.001;
export const FAILING_FROM = 0.01;
/** Fewer service errors than this are never called failing or degraded. */
export const SERVICE_ERRORS_MIN = 5;
/** Highest probability, for each look at each row, that chance alone makes a tier worse. */
export const CHANCE_MAX = 1e-6;
const EVIDENCE_MIN = -Math.log(CHANCE_MAX);
/** Where this many requests are expected, none at all is more than chance: of n expected, none comes with exp(-n). */
export const SILENT_FROM = Math.ceil(EVIDENCE_MIN);
/** Failing is this many times what the target allows. */
const FAILING_FACTOR = FAILING_FROM / DEGRADED_FROM;

/** Worst first; `unjudged`: no request was a success or a service error. */
export const TIERS = ['failing', 'degraded', 'healthy', 'unjudged'] as const;
export type Tier = (typeof TIERS)[number];

/** Why a row has its tier. */
export const HEALTH_REASONS = [
  'far_below_target',
  'below_target',
  'within_chance',
  'too_few_errors',
  'within_target',
  'no_outcome',
] as const;
export type HealthReason = (typeof HEALTH_REASONS)[number];

export type RatedCounts = { readonly success: number; readonly service_error: number };
/** Shares of service errors, 0 to 1. */
export type Thresholds = { readonly degradedFrom: number; readonly failingFrom: number };
/** The counts of a row that the order compares. `thresholds` are left out where the row has no target of its own. */
export type Rankable = {
  readonly requests: number;
  readonly outcomes: RatedCounts;
  readonly thresholds?: Thresholds;
};

export const DEFAULT_THRESHOLDS: Thresholds = { degradedFrom: DEGRADED_FROM, failingFrom: FAILING_FROM };

/** @param successRateMin the target, above 0 and below 1. Where it allows many errors, failing begins at half of all. */
export function thresholdsFor(successRateMin: number): Thresholds {
  // 1 - 0.999 is 0.0010000000000000009.
  const degradedFrom = Number((1 - successRateMin).toPrecision(12));
  const failingFrom = Number((degradedFrom * FAILING_FACTOR).toPrecision(12));
  return { degradedFrom, failingFrom: Math.max(degradedFrom, Math.min(failingFrom, 0.5)) };
}

export type Health = { readonly tier: Tier; readonly reason: HealthReason };

export function healthOf(counts: RatedCounts, thresholds: Thresholds = DEFAULT_THRESHOLDS): Health {
  const { success, service_error: errors } = counts;
  const rated = success + errors;
  if (rated === 0) return { tier: 'unjudged', reason: 'no_outcome' };
  if (errors / rated <= thresholds.degradedFrom) return { tier: 'healthy', reason: 'within_target' };
  if (errors < SERVICE_ERRORS_MIN) return { tier: 'healthy', reason: 'too_few_errors' };
  if (isBeyondChance(counts, thresholds.failingFrom)) return { tier: 'failing', reason: 'far_below_target' };
  if (isBeyondChance(counts, thresholds.degradedFrom)) return { tier: 'degraded', reason: 'below_target' };
  return { tier: 'healthy', reason: 'within_chance' };
}

export function tierOf(counts: RatedCounts, thresholds: Thresholds = DEFAULT_THRESHOLDS): Tier {
  return healthOf(counts, thresholds).tier;
}

/** Whether a row is called failing or degraded. */
export function isInTrouble(tier: Tier): boolean {
  return tier === 'failing' || tier === 'degraded';
}

/** Whether service errors are more than a share of `from` explains by chance. */
function isBeyondChance({ success, service_error: errors }: RatedCounts, from: number): boolean {
  const rated = success + errors;
  if (errors / rated <= from) return false;
  return logRatio(errors, rated * from) + logRatio(success, rated * (1 - from)) >= EVIDENCE_MIN;
}

function logRatio(count: number, expected: number): number {
  return count === 0 ? 0 : count * Math.log(count / expected);
}

/** Of a normal distribution: 95 % lie within this many standard deviations. */
const Z_95 = 1.959964;
/** 99.7 %. */
const Z_997 = 3;

/** Bounds of a success rate, 0 to 1. */
export type RateInterval = { readonly low: number; readonly high: number };

/**
 * The bounds between which the success rate of the service lies with 95 % confidence, as far as these requests tell
 * (Wilson score interval); null where none was a success or a service error.
 */
export function successRateInterval({ success, service_error: errors }: RatedCounts): RateInterval | null {
  if (success + errors === 0) return null;
  return { low: shareLowerBound(success, errors, Z_95), high: 1 - shareLowerBound(errors, success, Z_95) };
}

/** Lower bound of the share of service errors, 0 to 1, of 99.7 %. There is at least one success or service error. */
export function errorShareLowerBound(success: number, errors: number): number {
  return shareLowerBound(errors, success, Z_997);
}

/** Wilson's lower bound of a share. @param part of the whole @param rest of the whole */
function shareLowerBound(part: number, rest: number, z: number): number {
  // Rounding could give less.
  if (part === 0) return 0;
  const spread = z * Math.sqrt((part * rest) / (part + rest) + (z * z) / 4);
  return (part + (z * z) / 2 - spread) / (part + rest + z * z);
}

/** The reason of a row's tier in words. */
export function healthText(
  { reason }: Pick<Health, 'reason'>,
  { success, service_error: errors }: RatedCounts,
  { degradedFrom }: Thresholds = DEFAULT_THRESHOLDS,
): string {
  const rated = success + errors;
  const target = `the target of ${percent(1 - degradedFrom)}`;
  const rate = rated === 0 ? '' : `${percent(success / rated)} success of ${counted(rated, 'request')}`;
  const lost = counted(errors, 'service error');
  const texts: Readonly<Record<HealthReason, string>> = {
    far_below_target: `${rate}, far below ${target}: ${lost}`,
    below_target: `${rate}, below ${target}: ${lost}`,
    within_chance: `${rate}, below ${target}, but no more than chance explains: ${lost}`,
    too_few_errors: `${lost} of ${counted(rated, 'request')}: fewer than ${SERVICE_ERRORS_MIN} are no evidence`,
    within_target: `${rate}, within ${target}`,
    no_outcome: 'no request was a success or a service error',
  };
  return texts[reason];
}

/** Rounded down, so that 99.9999 % does not read 100 %. */
function percent(share: number): string {
  return `${Math.floor(Number((share * 100_000).toPrecision(12))) / 1_000} %`;
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** Orders rows worst first. Rows that are equal here keep their order. */
export function compareWorstFirst(a: Rankable, b: Rankable): number {
  return (
    TIERS.indexOf(tierOf(a.outcomes, a.thresholds)) - TIERS.indexOf(tierOf(b.outcomes, b.thresholds)) ||
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
 * The place of a row's tier in TIERS, as SQL, by the default thresholds. Counts become Float64, as in JavaScript: the
 * product of a count and a share is no whole number.
 */
export function tierIndexSql({
  success,
  serviceErrors,
}: Pick<CountColumns, 'success' | 'serviceErrors'>): string {
  const [s, e] = [`toFloat64(${success})`, `toFloat64(${serviceErrors})`];
  const isBeyondChanceSql = (from: number): string =>
    `${e} / (${s} + ${e}) > ${from} AND ` +
    `${logRatioSql(e, `(${s} + ${e}) * ${from}`)} + ${logRatioSql(s, `(${s} + ${e}) * ${1 - from}`)} >= ${EVIDENCE_MIN}`;
  return `multiIf(
    ${success} + ${serviceErrors} = 0, ${TIERS.indexOf('unjudged')},
    ${serviceErrors} < ${SERVICE_ERRORS_MIN}, ${TIERS.indexOf('healthy')},
    ${isBeyondChanceSql(FAILING_FROM)}, ${TIERS.indexOf('failing')},
    ${isBeyondChanceSql(DEGRADED_FROM)}, ${TIERS.indexOf('degraded')},
    ${TIERS.indexOf('healthy')})`;
}

function logRatioSql(count: string, expected: string): string {
  return `if(${count} = 0, 0, ${count} * log(${count} / (${expected})))`;
}

/**
 * Expressions that are least for the worst row: the order of `compareWorstFirst`, for ORDER BY or, in a tuple, for
 * argMin. Counts are UInt64, so they are negated as Int64.
 */
export function worstFirstSql(columns: CountColumns): string {
  const { serviceErrors, requests } = columns;
  return `${tierIndexSql(columns)}, -toInt64(${serviceErrors}), -toInt64(${requests})`;
}
