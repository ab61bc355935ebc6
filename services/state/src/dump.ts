/*
 * All rows of tables as NDJSON, the same for both databases, and back. The rows are those of one moment. Memory is
 * bounded by one batch, whatever the size of the tables.
 *
 *   {"dump":1,"tables":["a","b"]}
 *   {"table":"a","row":{"id":1,"name":"x"}}
 *   {"end":true,"rows":1}
 */
import type { Kysely } from 'kysely';
import type { Database, UntypedTables } from './database.js';
import { transact } from './transact.js';

/** Rows of each table. */
export type RowCounts = Readonly<Record<string, number>>;

const VERSION = 1;

/** Lines without their ends; then the rows of each table. */
export async function* dumpTables<T>(
  database: Database<T>,
  tables: readonly (keyof T & string)[],
): AsyncGenerator<string, RowCounts> {
  // A reader of its own: on SQLite everybody else would wait for the end of the dump.
  const reader = database.openReader() as unknown as Database<UntypedTables>;
  try {
    const transaction = await reader.kysely
      .startTransaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute();
    try {
      return yield* dumpIn(transaction, tables);
    } finally {
      await transaction.rollback().execute();
    }
  } finally {
    await reader.close();
  }
}

async function* dumpIn(
  kysely: Kysely<UntypedTables>,
  tables: readonly string[],
): AsyncGenerator<string, RowCounts> {
  yield JSON.stringify({ dump: VERSION, tables });
  const counts: Record<string, number> = {};
  let rows = 0;
  for (const table of tables) {
    counts[table] = 0;
    for await (const row of kysely.selectFrom(table).selectAll().stream()) {
      checkRow(table, row);
      counts[table]++;
      rows++;
      yield JSON.stringify({ table, row });
    }
  }
  yield JSON.stringify({ end: true, rows });
  return counts;
}

/** Throws at what would not come back as it is: integers beyond 2^53, bytes. */
function checkRow(table: string, row: Record<string, unknown>): void {
  for (const [column, value] of Object.entries(row)) {
    const kept =
      value === null ||
      typeof value === 'string' ||
      (typeof value === 'number' && Number.isFinite(value) && isExact(value));
    if (!kept)
      throw new Error(`${table}.${column} holds a value that a dump cannot keep, of type ${typeof value}`);
  }
}

function isExact(value: number): boolean {
  return !Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= 2 ** 63;
}

export type LoadOptions = {
  /** Only these may be in the dump. */
  readonly tables: readonly string[];
};

/** One statement holds at most this; a row that is larger is one by itself. */
const BATCH_VALUES_MAX = 4_000;
const BATCH_CHARACTERS_MAX = 500_000;

/**
 * Inserts the rows of a dump, in batches of one transaction each. Ended early, some rows are in: clear the tables and
 * load again.
 * @throws where the lines are not a complete dump, or hold another table
 */
export async function loadDump<T>(
  database: Database<T>,
  lines: AsyncIterable<string>,
  { tables }: LoadOptions,
): Promise<RowCounts> {
  const untyped = database as unknown as Database<UntypedTables>;
  const counts: Record<string, number> = {};
  let batch: Batch = emptyBatch('');
  let [rows, hasEnd] = [0, false];
  const flush = async (table: string): Promise<void> => {
    await insertBatch(untyped, batch);
    batch = emptyBatch(table);
  };
  for await (const line of dumpLines(lines)) {
    if (hasEnd) throw new Error('the dump goes on after its end');
    if (line.kind === 'header') {
      for (const table of line.tables) {
        if (!tables.includes(table)) throw unknownTable(table, tables);
        counts[table] = 0;
      }
    } else if (line.kind === 'row') {
      const { table, row, characters } = line;
      const count = counts[table];
      if (count === undefined) throw unknownTable(table, Object.keys(counts));
      if (table !== batch.table || isFull(batch, row, characters)) await flush(table);
      batch.rows.push(row);
      batch.characters += characters;
      counts[table] = count + 1;
      rows++;
    } else {
      if (line.rows !== rows) throw new Error(`the dump has ${rows} rows, and says ${line.rows}`);
      hasEnd = true;
    }
  }
  if (!hasEnd) throw new Error('the dump is cut off: its last line is missing');
  await flush('');
  return counts;
}

function unknownTable(table: string, allowed: readonly string[]): Error {
  return new Error(`the dump has a table ${table}: allowed are ${allowed.join(', ')}`);
}

type Batch = { readonly table: string; readonly rows: Record<string, unknown>[]; characters: number };

function emptyBatch(table: string): Batch {
  return { table, rows: [], characters: 0 };
}

function isFull(batch: Batch, row: Record<string, unknown>, characters: number): boolean {
  const values = (batch.rows.length + 1) * Object.keys(row).length;
  return values > BATCH_VALUES_MAX || batch.characters + characters > BATCH_CHARACTERS_MAX;
}

async function insertBatch(database: Database<UntypedTables>, { table, rows }: Batch): Promise<void> {
  if (rows.length === 0) return;
  await transact(database, async (transaction) => {
    await transaction.insertInto(table).values(rows).execute();
  });
}

type DumpLine =
  | { readonly kind: 'header'; readonly tables: readonly string[] }
  | {
      readonly kind: 'row';
      readonly table: string;
      readonly row: Record<string, unknown>;
      readonly characters: number;
    }
  | { readonly kind: 'end'; readonly rows: number };

async function* dumpLines(lines: AsyncIterable<string>): AsyncGenerator<DumpLine> {
  let number = 0;
  for await (const text of lines) {
    number++;
    const line = readLine(text);
    if (line === undefined || (line.kind === 'header') !== (number === 1))
      throw new Error(`line ${number} is not one of a dump of version ${VERSION}`);
    yield line;
  }
}

function readLine(text: string): DumpLine | undefined {
  const value = asObject(text);
  if (value === undefined) return undefined;
  const { dump, tables, table, row, end, rows } = value;
  if (dump === VERSION && Array.isArray(tables) && tables.every((name) => typeof name === 'string'))
    return { kind: 'header', tables };
  if (end === true && typeof rows === 'number') return { kind: 'end', rows };
  if (typeof table !== 'string' || !isRow(row)) return undefined;
  return { kind: 'row', table, row, characters: text.length };
}

function asObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRow(value: unknown): value is Record<string, unknown> {
  return (
    isObject(value) &&
    Object.keys(value).length > 0 &&
    Object.values(value).every((one) => one === null || typeof one === 'string' || typeof one === 'number')
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Deletes all rows of the tables, each table in one transaction. */
export async function clearTables<T>(
  database: Database<T>,
  tables: readonly (keyof T & string)[],
): Promise<void> {
  const untyped = database as unknown as Database<UntypedTables>;
  for (const table of tables)
    await transact(untyped, async (transaction) => {
      await transaction.deleteFrom(table).execute();
    });
}
