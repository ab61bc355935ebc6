/*
 * The applications of a fleet with their health, in the order, the search and the page that a caller asks for. Pure.
 */
import { differsInSuccessRate } from '@imscope/schemas/change.js';
import { type Health, healthOf, SILENT_FROM, type Thresholds, TIERS } from '@imscope/schemas/health.js';
import { bucketMiddleUs } from '@imscope/schemas/latency-histogram.js';
import type {
  APPLICATION_REASONS,
  FleetQuery,
  FleetSort,
  FleetTotals,
} from '@imscope/schemas/query-api/applications.js';
import type { ApplicationSums } from '../figures/fleet-sums.js';
import { averageMs, NO_SUMS, successRate, sumUp } from '../figures/sums.js';
import type { Percentiles } from './fleet-figures.js';
import type { ApplicationName } from '../store/application-names.js';

export type FleetApplication = {
  /** Zeros where it fell silent. */
  readonly sums: ApplicationSums;
  /** Over the span before; undefined where that is not compared, or it had no requests. */
  readonly before: ApplicationSums | undefined;
  readonly health: { readonly tier: Health['tier']; readonly reason: (typeof APPLICATION_REASONS)[number] };
  readonly thresholds: Thresholds;
};

/** @param before of the span before; null: it is not compared. Applications that fell silent come last */
export function applicationsOf(
  rows: readonly ApplicationSums[],
  before: readonly ApplicationSums[] | null,
  thresholdsOf: (sdkAppId: number) => Thresholds,
): FleetApplication[] {
  const beforeOf = new Map((before ?? []).map((row) => [row.sdk_app_id, row]));
  const heard = rows.map((sums) => {
    const thresholds = thresholdsOf(sums.sdk_app_id);
    return { sums, before: beforeOf.get(sums.sdk_app_id), health: healthOf(sums, thresholds), thresholds };
  });
  const known = new Set(rows.map((row) => row.sdk_app_id));
  const silent = (before ?? []).flatMap((row): FleetApplication[] =>
    known.has(row.sdk_app_id) || row.requests < SILENT_FROM
      ? []
      : [
          {
            sums: { ...NO_SUMS, sdk_app_id: row.sdk_app_id, last_seen_ms: row.last_seen_ms },
            before: row,
            health: { tier: 'unjudged', reason: 'fell_silent' },
            thresholds: thresholdsOf(row.sdk_app_id),
          },
        ],
  );
  return [...heard, ...silent];
}

/** @param seconds of the window */
export function totalsOf(applications: readonly FleetApplication[], seconds: number): FleetTotals {
  const tiers = { failing: 0, degraded: 0, healthy: 0, unjudged: 0 };
  let fellSilent = 0;
  for (const { health } of applications) {
    tiers[health.tier] += 1;
    if (health.reason === 'fell_silent') fellSilent += 1;
  }
  const sums = sumUp(applications.map((one) => one.sums));
  const { requests, success, caller_error, service_error, unknown } = sums;
  return {
    applications: applications.length,
    requests,
    requests_per_s: requests / seconds,
    outcomes: { success, caller_error, service_error, unknown },
    success_rate: successRate(success, service_error),
    latency_ms: {
      avg: averageMs(sums.latency_sum_us, requests),
      max: requests === 0 ? null : sums.latency_max_us / 1000,
    },
    tiers,
    fell_silent: fellSilent,
  };
}

export type Arrangement = Pick<FleetQuery, 'search' | 'tier' | 'reason' | 'sort' | 'order'>;

export type Knowledge = {
  /** Needed for a search and the order by name. */
  readonly nameOf: (sdkAppId: number) => ApplicationName;
  /** Needed for the orders by percentile. */
  readonly percentilesOf: (sdkAppId: number) => Percentiles | undefined;
};

/** The applications that are asked for, in the order asked for; those that are equal, by SDKAppID. */
export function arrange(
  applications: readonly FleetApplication[],
  { search, tier = [], reason = [], sort = 'worst', order }: Arrangement,
  knowledge: Knowledge,
): FleetApplication[] {
  const found = applications.filter(
    ({ sums, health }) =>
      (tier.length === 0 || tier.includes(health.tier)) &&
      (reason.length === 0 || reason.includes(health.reason)) &&
      (search === undefined || isFound(sums.sdk_app_id, search, knowledge)),
  );
  const isDescending = (order ?? (ASCENDING.has(sort) ? 'asc' : 'desc')) === 'desc';
  const keys = new Map(found.map((one) => [one, KEYS[sort](one, knowledge)]));
  return found.toSorted((a, b) => {
    const [left, right] = [keys.get(a) ?? null, keys.get(b) ?? null];
    // Without a value last, in both orders.
    if (left === null || right === null) {
      return Number(left === null) - Number(right === null) || byId(a, b);
    }
    return (isDescending ? compareKeys(right, left) : compareKeys(left, right)) || byId(a, b);
  });
}

/** In one form of each letter, in lower case. */
function searchForm(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

function isFound(sdkAppId: number, search: string, { nameOf }: Knowledge): boolean {
  const { name, owner, package: packageName } = nameOf(sdkAppId);
  const wanted = searchForm(search.trim());
  return [String(sdkAppId), name, owner, packageName].some((text) => searchForm(text).includes(wanted));
}

const ASCENDING: ReadonlySet<FleetSort> = new Set(['success_rate', 'name', 'id']);

type Key = readonly (number | string)[] | null;

/** Compared member by member; null: there is no value. */
const KEYS: Readonly<Record<FleetSort, (one: FleetApplication, knowledge: Knowledge) => Key>> = {
  worst: ({ health, sums }) => [-TIERS.indexOf(health.tier), sums.service_error, sums.requests],
  service_errors: ({ sums }) => [sums.service_error],
  success_rate: ({ sums }) => {
    const rate = successRate(sums.success, sums.service_error);
    return rate === null ? null : [rate];
  },
  requests: ({ sums }) => [sums.requests],
  delay_avg: ({ sums }) => (sums.requests === 0 ? null : [sums.latency_sum_us / sums.requests]),
  delay_p50: (one, { percentilesOf }) => percentileKey(one, percentilesOf(one.sums.sdk_app_id)?.[0]),
  delay_p95: (one, { percentilesOf }) => percentileKey(one, percentilesOf(one.sums.sdk_app_id)?.[1]),
  delay_p99: (one, { percentilesOf }) => percentileKey(one, percentilesOf(one.sums.sdk_app_id)?.[2]),
  change: (one) => [errorsMore(one)],
  last_seen: ({ sums }) => [sums.last_seen_ms],
  name: ({ sums }, { nameOf }) => {
    const { name } = nameOf(sums.sdk_app_id);
    return name === '' ? null : [searchForm(name)];
  },
  id: ({ sums }) => [sums.sdk_app_id],
};

/** As it is shown: never above the true maximum. */
function percentileKey({ sums }: FleetApplication, bucket: number | undefined): Key {
  return bucket === undefined ? null : [Math.min(bucketMiddleUs(bucket), sums.latency_max_us)];
}

/** Both spans have the same length. */
function errorsMore({ sums, before }: FleetApplication): number {
  if (before === undefined || !differsInSuccessRate(sums, before)) return 0;
  return sums.service_error - before.service_error;
}

function compareKeys(left: NonNullable<Key>, right: NonNullable<Key>): number {
  for (const [index, a] of left.entries()) {
    const b = right[index] ?? 0;
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
}

function byId(a: FleetApplication, b: FleetApplication): number {
  return a.sums.sdk_app_id - b.sums.sdk_app_id;
}
