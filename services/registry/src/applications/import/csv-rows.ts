/*
 * Rows of CSV: a header of column names, then an application a row. An empty cell leaves its value out. `docs/import.md`
 * describes the columns.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { plainDecimal, plainInteger, shortened } from '@imscope/runtime/query-parameters.js';
import { csvRecords, type CsvRecord } from './csv-records.js';
import { type ImportRow, unreadableRow } from './import-row.js';

type Place = 'identity' | 'details' | 'settings';
/** `undefined` where the cell has not the form of its column. */
type ReadCell = (cell: string) => unknown;
type Column = { readonly place: Place; readonly read: ReadCell };

const asText: ReadCell = (cell) => cell;
/** What is no number stays text: the check of the application refuses it, and says what is allowed. */
const asInteger: ReadCell = (cell) => plainInteger(cell) ?? cell;
const asNumber: ReadCell = (cell) => plainDecimal(cell) ?? cell;
const asList: ReadCell = (cell) => cell.split(';').map((part) => part.trim());
const asJson: ReadCell = (cell) => {
  try {
    return JSON.parse(cell);
  } catch {
    return undefined;
  }
};

const COLUMNS: ReadonlyMap<string, Column> = new Map(
  Object.entries({
    sdk_app_id: { place: 'identity', read: asInteger },
    app_id: { place: 'identity', read: asInteger },
    uin: { place: 'identity', read: asInteger },
    key: { place: 'identity', read: asText },
    reason: { place: 'identity', read: asText },
    settings: { place: 'identity', read: asJson },
    configuration: { place: 'identity', read: asJson },
    name: { place: 'details', read: asText },
    introduction: { place: 'details', read: asText },
    description: { place: 'details', read: asText },
    type: { place: 'details', read: asText },
    owner: { place: 'details', read: asText },
    package: { place: 'details', read: asText },
    subscriptions: { place: 'details', read: asList },
    administrators: { place: 'details', read: asList },
    data_centre: { place: 'details', read: asText },
    runbook_url: { place: 'details', read: asText },
    links: { place: 'details', read: asJson },
    quota_per_second: { place: 'settings', read: asInteger },
    limit_per_second: { place: 'settings', read: asInteger },
    logged_share: { place: 'settings', read: asNumber },
  } satisfies Record<string, Column>),
);

/** @throws HttpError unreadable_body where the header cannot be read, invalid_parameter where it is wrong */
export async function* csvRows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ImportRow> {
  let header: readonly string[] | undefined;
  for await (const record of csvRecords(chunks)) {
    const { line } = record;
    if (header === undefined) header = requireHeader(record);
    else if ('fault' in record) yield unreadableRow(line, record.fault);
    else yield readRow(header, record.cells, line);
  }
}

function requireHeader(record: CsvRecord): readonly string[] {
  if ('fault' in record) {
    throw new HttpError('unreadable_body', `the header of the CSV: ${record.fault}. Nothing was created`);
  }
  const trimmed = record.cells.map((name) => name.trim());
  const unknown = trimmed.find((name) => !COLUMNS.has(name));
  const twice = trimmed.find((name, index) => trimmed.indexOf(name) !== index);
  if (unknown === undefined && twice === undefined) return trimmed;
  const fault =
    unknown === undefined
      ? `names column "${shortened(String(twice))}" twice`
      : `names a column "${shortened(unknown)}"`;
  throw new HttpError(
    'invalid_parameter',
    `the header of the CSV ${fault}: give any of ${[...COLUMNS.keys()].join(', ')}, each once. Nothing was created`,
  );
}

function readRow(header: readonly string[], record: readonly string[], line: number): ImportRow {
  if (record.length !== header.length) {
    return unreadableRow(
      line,
      `the row has ${record.length} cells, the header ${header.length}: give as many`,
    );
  }
  const parts: Record<Place, [string, unknown][]> = { identity: [], details: [], settings: [] };
  for (const [index, name] of header.entries()) {
    const cell = record[index] ?? '';
    const column = COLUMNS.get(name);
    if (cell === '' || column === undefined) continue;
    const value = column.read(cell);
    if (value === undefined)
      return unreadableRow(
        line,
        `${name} is not JSON: give ${name === 'links' ? 'a list' : 'an object'}, or leave it empty`,
      );
    parts[column.place].push([name, value]);
  }
  const identity = new Map(parts.identity);
  const settings = identity.get('settings');
  return {
    line,
    given: {
      ...Object.fromEntries(identity),
      details: Object.fromEntries(parts.details),
      ...(parts.settings.length === 0 ? {} : { settings: joined(settings, parts.settings) }),
    },
  };
}

/** A column of its own wins over the same member of the column `settings`. */
function joined(settings: unknown, own: readonly [string, unknown][]): unknown {
  if (settings !== undefined && (typeof settings !== 'object' || settings === null)) return settings;
  return Object.fromEntries([...Object.entries(settings ?? {}), ...own]);
}
