/*
 * The column types that both databases have. For Kysely's schema builder:
 * `.addColumn('created_ms', EPOCH_MS, (column) => column.notNull())`.
 */
import { type ColumnDefinitionBuilder, type CreateTableBuilder, sql } from 'kysely';

export type ColumnType = Parameters<CreateTableBuilder<string>['addColumn']>[1];

/** A whole number up to 2^53, which is what JavaScript counts exactly: ids, counts, revisions. */
export const INTEGER: ColumnType = 'bigint';

/** Epoch milliseconds. */
export const EPOCH_MS: ColumnType = 'bigint';

/** A share, a rate: read as it was written, to the last bit. */
export const SHARE: ColumnType = 'double precision';

/** Written as true or false, read as 1 or 0. */
export const BOOLEAN: ColumnType = 'boolean';

/** Text and JSON without a bound in the table, up to 4 GB; not in keys. Bounds are those of the input. */
export const LONG_TEXT: ColumnType = sql`longtext`;

/**
 * Text of up to `lengthMax` characters, compared by bytes; 768 at most in a key. SQLite does not check the length.
 * MySQL takes spaces at the end for equal: "a" and "a " cannot both be keys there.
 */
export function text(lengthMax: number): ColumnType {
  return `varchar(${lengthMax})`;
}

/** An id that counts up: `.addColumn('id', INTEGER, autoId)`. */
export function autoId(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.notNull().primaryKey().autoIncrement();
}
