/*
 * Sorting of tables. One rule: a value that is not known goes to the end whichever way the table is sorted, and
 * equal values keep the order they came in.
 */

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
  return String(a).localeCompare(String(b), 'en');
}
