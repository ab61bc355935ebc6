/*
 * Sorting of tables. Unknown values are last in both directions, and equal values keep their order.
 */
import { LOCALE } from '../words/locale.js';

export type SortKey<Row> = (row: Row) => number | string | null;

export function orderRows<Row>(rows: readonly Row[], key: SortKey<Row>, descending: boolean): Row[] {
  return rows
    .map((row) => ({ row, value: key(row) }))
    .toSorted((a, b) => {
      if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
      const order = compare(a.value, b.value);
      return descending ? -order : order;
    })
    .map(({ row }) => row);
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), LOCALE.sorting);
}
