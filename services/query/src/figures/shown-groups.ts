/*
 * Which groups of requests may be listed where they name a provider, as SQL: those with enough logged requests and
 * addresses. What is not listed has as many, in all and next to each value of either dimension: otherwise the group that is
 * left could be found by subtracting the listed ones from their total. docs/network.md says what this protects.
 */
import type { Dimension } from '@imscope/schemas/query-api/dimensions.js';
import type { Filter } from './filter.js';
import { isLargeSql, type Minimum } from './minimum.js';

/** Whether the rows of an answer are about providers: then none is below the minimum. */
export function namesProviders(dimensions: readonly Dimension[], filter: Filter): boolean {
  return dimensions.includes('isp') || filter.conditions.some(({ name }) => name === 'isp');
}

/** Columns of a `Grouping` over the logs. Addresses are counted up to the minimum. */
export function sizeColumns({ addresses }: Minimum): { logs: readonly string[]; outer: readonly string[] } {
  return {
    logs: ['count() AS b_logged', `groupUniqArray(${addresses})(exit_ip) AS b_addresses`],
    outer: ['sum(b_logged) AS logged', `length(groupUniqArrayArray(${addresses})(b_addresses)) AS addresses`],
  };
}

/**
 * The rows of `groups` with `is_shown`.
 * @param groups a SELECT with the keys and the outer columns of `sizeColumns`
 * @param haveOwnAddresses no address is in two groups, so their numbers add up; otherwise the largest counts
 */
export function markShownSql(
  groups: string,
  keys: readonly string[],
  minimum: Minimum,
  haveOwnAddresses: boolean,
): string {
  const large = `
  SELECT *, ${isLargeSql('logged', 'addresses', minimum)} AS is_shown
  FROM (${groups})`;
  // Groups by one key have their total as parent. Those by two have the total of each key.
  const parents = keys.length === 1 ? [[]] : keys.map((key) => [key]);
  // The second pass cannot undo the first: it only withholds groups that are large by themselves.
  return parents.reduce(
    (rows, parent) => withholdSmallestSql(rows, parent, keys, minimum, haveOwnAddresses),
    large,
  );
}

/** Of each parent withholds the smallest group too where the others that are not shown are too few. */
function withholdSmallestSql(
  rows: string,
  parent: readonly string[],
  keys: readonly string[],
  minimum: Minimum,
  haveOwnAddresses: boolean,
): string {
  const ofParent = parent.length === 0 ? '' : `PARTITION BY ${parent.join(', ')}`;
  return `
  SELECT
    * EXCEPT (is_shown, rest_logged, rest_addresses, place),
    placed.is_shown AND (place > 1 OR rest_logged = 0
      OR ${isLargeSql('rest_logged', 'rest_addresses', minimum)}) AS is_shown
  FROM (
    SELECT
      *,
      sumIf(logged, NOT is_shown) OVER (${ofParent}) AS rest_logged,
      ${haveOwnAddresses ? 'sumIf' : 'maxIf'}(addresses, NOT is_shown) OVER (${ofParent}) AS rest_addresses,
      row_number() OVER (PARTITION BY ${[...parent, 'is_shown'].join(', ')} ORDER BY logged, ${keys.join(', ')}) AS place
    FROM (${rows})
  ) AS placed`;
}
