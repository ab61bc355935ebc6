/*
 * How many rows the bound of a list left out. Queries with a bound carry `count() OVER () AS total`: a window function
 * sees all rows, LIMIT cuts after it.
 */

/** @param rows each carries `total`, the number of rows without the LIMIT */
export function leftOut(rows: readonly { readonly total: number }[]): number {
  const [first] = rows;
  return first === undefined ? 0 : first.total - rows.length;
}
