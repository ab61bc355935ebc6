/*
 * The orders a reader may choose, as the query API names them, and the order that is kept under a pointer. The API sorts
 * and searches.
 */
import { isInTrouble } from '@imscope/schemas/health.js';
import type { ApplicationRow, FleetSort } from '@imscope/schemas/query-api/applications.js';
import { orderRows } from '../../parts/row-order.js';
import type { Sort } from '../../state/page-state.js';

/** By column of the table. */
const SORTS: ReadonlyMap<string, FleetSort> = new Map([
  ['application', 'id'],
  ['success_rate', 'success_rate'],
  ['service_errors', 'service_errors'],
  ['requests_per_s', 'requests'],
  ['p50', 'delay_p50'],
  ['p95', 'delay_p95'],
  ['p99', 'delay_p99'],
]);

/** Parameters of the query API; a column of a link that there is not leaves the worst first. */
export function orderParameters(sort: Sort | null): { sort?: FleetSort; order?: 'asc' | 'desc' } {
  const key = sort === null ? undefined : SORTS.get(sort.column);
  if (sort === null || key === undefined) return {};
  return { sort: key, order: sort.descending ? 'desc' : 'asc' };
}

/** The application the headline names: the first of the worst first, if it is in trouble. */
export function worstInTrouble(worstFirst: readonly ApplicationRow[]): ApplicationRow | undefined {
  const [first] = worstFirst;
  return first !== undefined && isInTrouble(first.health.tier) ? first : undefined;
}

/** The applications in an earlier order, new ones last: rows must not move away under a pointer. */
export function keepOrder(ids: readonly number[], applications: readonly ApplicationRow[]): ApplicationRow[] {
  const places = new Map(ids.map((id, place) => [id, place]));
  return orderRows(applications, (row) => places.get(row.sdk_app_id) ?? null, false);
}
