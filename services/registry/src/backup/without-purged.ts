/*
 * The rows of a backup without those of applications that were purged since: they do not come back even for a moment.
 * What a purge keeps stays: that something was done (audit without reasons and paths), certificates, notices, tombstones,
 * and the record of a sharing that TRTC has not confirmed as ended.
 */
import type { TableName } from './backup-tables.js';

const DROPPED: ReadonlySet<string> = new Set<TableName>([
  'application',
  'slo_target',
  'code_override',
  'data_key',
  'secret',
  'export_object',
]);

type Row = Record<string, unknown>;
type Line = { readonly table?: string; readonly row?: Row; readonly end?: true; readonly rows?: number };

/** @param lines of a dump @param purged SDKAppIDs */
export async function* withoutPurged(
  lines: AsyncIterable<string>,
  purged: ReadonlySet<number>,
): AsyncGenerator<string> {
  let dropped = 0;
  for await (const text of lines) {
    if (purged.size === 0) {
      yield text;
      continue;
    }
    const line: Line = JSON.parse(text);
    const { table, row, end, rows = 0 } = line;
    if (end === true) yield JSON.stringify({ end, rows: rows - dropped });
    else if (table === undefined || row === undefined) yield text;
    else {
      const kept = keptOf(table, row, purged);
      if (kept === undefined) dropped++;
      else yield kept === row ? text : JSON.stringify({ table, row: kept });
    }
  }
}

/** Undefined where the row goes; the same row where it stays as it is. */
function keptOf(table: string, row: Row, purged: ReadonlySet<number>): Row | undefined {
  if (table === 'entry') return keptEntry(row, purged);
  if (!purged.has(Number(row['sdk_app_id']))) return row;
  if (DROPPED.has(table)) return undefined;
  if (table === 'outbox' && row['kind'] !== 'trtc_end') return undefined;
  if (table === 'audit') return { ...row, reason: '', paths: '[]' };
  return row;
}

/** Its deletion is distributed again. */
function keptEntry(row: Row, purged: ReadonlySet<number>): Row {
  const [kind, id] = String(row['entry_key']).split('/');
  return kind === 'application' && purged.has(Number(id)) ? { ...row, entry: null } : row;
}
