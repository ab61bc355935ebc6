/*
 * The port to the store. A caller (the aggregator's reconciliation, the query service) implements `Ask` with its own
 * client, timeouts and metrics; the library only knows statements.
 */
import type { Static, TSchema } from 'typebox';

/** Values bound by name; SQL refers to them as `{name:Type}`. */
export type StatementParams = Readonly<
  Record<string, string | number | readonly string[] | readonly number[]>
>;

/** One SELECT and the shape of its rows, by column name. The name is unique and fit for a metric label. */
export type Statement<Row extends TSchema> = {
  readonly name: string;
  readonly sql: string;
  readonly row: Row;
};

/**
 * Runs one statement and returns its rows as objects. Rejects where the store does not answer. The implementation uses
 * `STATEMENT_SETTINGS` and sends long parameters in the request body: lists of incarnations can exceed the URL limit.
 */
export type Ask = <Row extends TSchema>(
  statement: Statement<Row>,
  params: StatementParams,
) => Promise<readonly Static<Row>[]>;

/** ClickHouse settings under which rows have the shapes that statements declare. */
export const STATEMENT_SETTINGS = {
  output_format_json_named_tuples_as_objects: 0,
  output_format_json_quote_64bit_integers: 0,
} as const;
