/*
 * Which rows may be counted under their prefix, by sets of rows and without any of the service's code: the construction
 * of docs/network.md, word by word.
 */
import type { StoredRow } from './stored-row.js';
import { groupRows } from './recompute.js';

export const CELL_MS = 300_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export type Minimum = { readonly requests: number; readonly addresses: number };
export type Place = {
  /** By which prefixes are told apart and ties are broken. */
  readonly key: number;
  readonly prefix: string;
  readonly asn: number;
};
type Block = { readonly key: number; readonly rows: readonly StoredRow[] };

export function isLarge(rows: readonly StoredRow[], { requests, addresses }: Minimum): boolean {
  return rows.length >= requests && new Set(rows.map((row) => row.exit_ip)).size >= addresses;
}

/** Rows of one application by what is constant within a block, with the beginning of their cell, hour and day. */
export class PublishedReference {
  readonly #rows: readonly StoredRow[];
  readonly #placeOf: (row: StoredRow) => Place;
  readonly #minimum: Minimum;
  readonly #cells: ReadonlySet<StoredRow>;
  readonly #hours: ReadonlySet<StoredRow>;
  readonly #days: ReadonlySet<StoredRow>;
  readonly #interfaces: ReadonlySet<StoredRow>;

  constructor(rows: readonly StoredRow[], placeOf: (row: StoredRow) => Place, minimum: Minimum) {
    this.#rows = rows;
    this.#placeOf = placeOf;
    this.#minimum = minimum;
    this.#cells = this.#publish(rows, (row) => startOf(row, CELL_MS));
    const afterCells = rows.filter((row) => !this.#cells.has(row));
    this.#hours = this.#publish(afterCells, (row) => startOf(row, HOUR_MS));
    const afterHours = afterCells.filter((row) => !this.#hours.has(row));
    this.#days = this.#publish(afterHours, (row) => startOf(row, DAY_MS));
    this.#interfaces = this.#publishInterfaces();
  }

  /** The rows that a window shows. @param interfaces empty: all */
  shown(fromMs: number, toMs: number, interfaces: readonly string[]): StoredRow[] {
    const lies = (row: StoredRow, lengthMs: number): boolean =>
      startOf(row, lengthMs) >= fromMs && startOf(row, lengthMs) + lengthMs <= toMs;
    return this.#rows.filter((row) => {
      if (interfaces.length > 0) {
        return interfaces.includes(row.interface) && this.#interfaces.has(row) && lies(row, CELL_MS);
      }
      if (this.#cells.has(row)) return lies(row, CELL_MS);
      if (this.#hours.has(row)) return lies(row, HOUR_MS);
      return this.#days.has(row) && lies(row, DAY_MS);
    });
  }

  #publish(rows: readonly StoredRow[], regionOf: (row: StoredRow) => string | number): Set<StoredRow> {
    const published = new Set<StoredRow>();
    const regions = groupRows(rows, (row) => `${this.#placeOf(row).asn} ${regionOf(row)}`);
    for (const region of regions.values()) {
      const blocks = this.#blocksOf(region);
      this.#addPublished(
        published,
        blocks.filter((block) => isLarge(block.rows, this.#minimum)),
        blocks.filter((block) => !isLarge(block.rows, this.#minimum)),
      );
    }
    return published;
  }

  /** All blocks but the smallest where the rest is not large. */
  #addPublished(published: Set<StoredRow>, large: readonly Block[], rest: readonly Block[]): void {
    const isRestLarge = isLarge(
      rest.flatMap((block) => block.rows),
      this.#minimum,
    );
    const smallestFirst = large.toSorted((a, b) => a.rows.length - b.rows.length || a.key - b.key);
    for (const block of isRestLarge ? smallestFirst : smallestFirst.slice(1)) {
      for (const row of block.rows) published.add(row);
    }
  }

  #blocksOf(rows: readonly StoredRow[]): Block[] {
    return [...groupRows(rows, (row) => this.#placeOf(row).key)].map(([key, of]) => ({ key, rows: of }));
  }

  #publishInterfaces(): Set<StoredRow> {
    const candidates = new Set<StoredRow>();
    const cells = groupRows([...this.#cells], (row) => `${this.#placeOf(row).key} ${startOf(row, CELL_MS)}`);
    for (const cell of cells.values()) {
      const parts = [...groupRows(cell, (row) => row.interface)].toSorted(
        ([a, rowsA], [b, rowsB]) => rowsA.length - rowsB.length || (a < b ? -1 : 1),
      );
      const large = parts.filter(([, rows]) => isLarge(rows, this.#minimum));
      const rest = parts.filter(([, rows]) => !isLarge(rows, this.#minimum));
      // Interfaces may have addresses in common, so only the most of one counts.
      const isRestEnough =
        rest.length === 0 ||
        (rest.flatMap(([, rows]) => rows).length >= this.#minimum.requests &&
          rest.some(([, rows]) => isLarge(rows, { ...this.#minimum, requests: 0 })));
      for (const [, rows] of isRestEnough ? large : large.slice(1)) {
        for (const row of rows) candidates.add(row);
      }
    }
    const published = new Set<StoredRow>();
    const regions = groupRows(
      this.#rows,
      (row) => `${this.#placeOf(row).asn} ${startOf(row, CELL_MS)} ${row.interface}`,
    );
    for (const region of regions.values()) {
      this.#addPublished(
        published,
        this.#blocksOf(region.filter((row) => candidates.has(row))),
        this.#blocksOf(region.filter((row) => !candidates.has(row))),
      );
    }
    return published;
  }
}

function startOf({ time }: StoredRow, lengthMs: number): number {
  return Math.floor(time / lengthMs) * lengthMs;
}
