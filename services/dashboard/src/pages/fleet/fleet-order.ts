/*
 * The applications of the fleet in order. The worst-first order is the query API's, by schemas/src/health.ts; here are
 * totals, search and the orders a reader may choose.
 */
import { isInTrouble, type Tier, tierOf } from '@imscope/schemas/health.js';
import type { ApplicationRow } from '@imscope/schemas/query-api/applications.js';
import { orderRows, type SortKey } from '../../parts/row-order.js';
import type { Sort } from '../../state/page-state.js';

export type RankedApplication = { readonly row: ApplicationRow; readonly tier: Tier; readonly rank: number };

export const FLEET_KEYS: Readonly<Record<string, SortKey<ApplicationRow>>> = {
  application: (row) => row.sdk_app_id,
  success_rate: (row) => row.success_rate,
  service_errors: (row) => row.outcomes.service_error,
  requests_per_s: (row) => row.requests_per_s,
  p50: (row) => row.latency_ms.p50,
  p95: (row) => row.latency_ms.p95,
  p99: (row) => row.latency_ms.p99,
};

/** Every application with its rank: its place in the API's order, however the table is sorted. */
export function rankApplications(rows: readonly ApplicationRow[]): RankedApplication[] {
  return rows.map((row, index) => ({ row, tier: tierOf(row.outcomes), rank: index + 1 }));
}

/** The application the headline names: the first row, if it is in trouble. */
export function worstInTrouble(ranked: readonly RankedApplication[]): RankedApplication | undefined {
  return ranked.find(({ tier }) => isInTrouble(tier));
}

/** The ranked applications that match the search (name, owner, id or worst interface), in the order asked for. */
export function arrangeApplications(
  ranked: readonly RankedApplication[],
  search: string,
  sort: Sort | null,
): RankedApplication[] {
  const needle = search.trim().toLowerCase();
  const found = ranked.filter(
    ({ row }) =>
      needle === '' ||
      [row.sdk_app_id.toString(), row.name, row.owner, row.worst_interface?.interface ?? ''].some((text) =>
        text.toLowerCase().includes(needle),
      ),
  );
  const key = sort === null ? undefined : FLEET_KEYS[sort.column];
  if (sort === null || key === undefined) return found;
  return orderRows(found, ({ row }) => key(row), sort.descending);
}

/** The applications in an earlier order, new ones last: rows must not move away under a pointer. */
export function keepOrder(
  ids: readonly number[],
  applications: readonly RankedApplication[],
): RankedApplication[] {
  const places = new Map(ids.map((id, place) => [id, place]));
  return orderRows(applications, ({ row }) => places.get(row.sdk_app_id) ?? null, false);
}

export type FleetTotals = {
  readonly applications: number;
  readonly requests: number;
  readonly requestsPerS: number;
  readonly serviceErrors: number;
  readonly callerErrors: number;
  readonly unknown: number;
  readonly successRate: number | null;
  readonly tiers: Readonly<Record<Tier, number>>;
};

export function totalFleet(ranked: readonly RankedApplication[]): FleetTotals {
  const tiers = { failing: 0, degraded: 0, healthy: 0, unjudged: 0 };
  let requests = 0;
  let requestsPerS = 0;
  let success = 0;
  let serviceErrors = 0;
  let callerErrors = 0;
  let unknown = 0;
  for (const { row, tier } of ranked) {
    tiers[tier] += 1;
    requests += row.requests;
    requestsPerS += row.requests_per_s;
    success += row.outcomes.success;
    serviceErrors += row.outcomes.service_error;
    callerErrors += row.outcomes.caller_error;
    unknown += row.outcomes.unknown;
  }
  const rated = success + serviceErrors;
  return {
    applications: ranked.length,
    requests,
    requestsPerS,
    serviceErrors,
    callerErrors,
    unknown,
    successRate: rated === 0 ? null : success / rated,
    tiers,
  };
}
