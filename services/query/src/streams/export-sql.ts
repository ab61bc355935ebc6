/*
 * The SQL of an export, by format. Addresses leave the store masked. In CSV a text that a spreadsheet would read as a
 * formula begins with an apostrophe; numbers are numbers.
 */
import { maskedIpSql } from '@imscope/schemas/ip-address.js';
import type { ExportFormat } from '@imscope/schemas/query-api/request-streams.js';
import { type FieldType, STORED_FIELDS } from '@imscope/schemas/request-log-fields.js';

type StoreFormat = { readonly name: string; readonly contentType: string };

export const STORE_FORMATS: Readonly<Record<ExportFormat, StoreFormat>> = {
  csv: { name: 'CSVWithNames', contentType: 'text/csv; charset=utf-8; header=present' },
  ndjson: { name: 'JSONEachRow', contentType: 'application/x-ndjson; charset=utf-8' },
  parquet: { name: 'Parquet', contentType: 'application/vnd.apache.parquet' },
};

function valueSql({ name, type }: (typeof STORED_FIELDS)[number]): string {
  if (type === 'address') return maskedIpSql(name);
  return type === 'duration' ? `${name} / 1000` : name;
}

const NUMBERS_AND_TIMES: readonly FieldType[] = ['time', 'id', 'duration', 'int'];

/** Spreadsheets read a cell that begins with one of these as a formula; the list is OWASP's. */
const FORMULA_BEGINNINGS = "['=', '+', '-', '@', '\\t', '\\r']";

function safeCellSql(text: string): string {
  return `if(has(${FORMULA_BEGINNINGS}, substring(${text}, 1, 1)), concat('''', ${text}), ${text})`;
}

function columnSql(field: (typeof STORED_FIELDS)[number], format: ExportFormat): string {
  const name = field.sentAs ?? field.name;
  const value = valueSql(field);
  if (NUMBERS_AND_TIMES.includes(field.type)) return `${value} AS ${name}`;
  // Plain texts in all formats: dictionaries and enums are written as numbers by some.
  const text = `toString(${value})`;
  return `${format === 'csv' ? safeCellSql(text) : text} AS ${name}`;
}

/** In the order of the table, so that the store sorts one minute at a time and holds nothing else. */
const ORDER_SQL = 'sdk_app_id, toStartOfMinute(time), time, block_id, block_row';

/** @param search FROM and its conditions */
export function exportSql(search: string, format: ExportFormat): string {
  return `
SELECT
  ${STORED_FIELDS.map((field) => columnSql(field, format)).join(',\n  ')}
${search}
ORDER BY ${ORDER_SQL}
FORMAT ${STORE_FORMATS[format].name}`;
}

export const COUNT_SQL = (search: string): string => `SELECT count() AS rows\n${search}`;

/** Of the store, for an export. */
export const EXPORT_SETTINGS = {
  // Columns are named as fields of answers are, which are names of stored columns too.
  prefer_column_name_to_alias: 1,
  date_time_output_format: 'iso',
  format_csv_null_representation: '',
  output_format_json_quote_64bit_integers: 0,
  output_format_parquet_compression_method: 'zstd',
  // Rows of a group are in memory until it is written.
  output_format_parquet_row_group_size: '65536',
  cancel_http_readonly_queries_on_client_close: 1,
  // One thread: other questions come first.
  max_threads: 1,
} as const;
