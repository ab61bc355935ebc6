/* The applications as lines: identity, status and complete state of each. Secrets are in no state. */
import type { Kysely } from 'kysely';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { DocumentStore } from '../documents/document-store.js';
import type { ApplicationTable, RegistryTables } from '../rows/tables.js';
import type { ExportLine } from './export-lines.js';

export type ApplicationSelection = {
  readonly among: 'all' | ReadonlySet<number>;
  readonly nowMs: number;
  /** How long an export may exist at most. */
  readonly keptMs: number;
};

/** Rows of one page; their documents are read some at once. */
const PAGE_ROWS = 500;
const READS_AT_ONCE = 10;

/** In the order of ids. Applications whose purge is due are left out: they may be deleted at any moment. */
export async function* readApplicationLines(
  db: Kysely<RegistryTables>,
  documents: Pick<DocumentStore, 'read'>,
  { among, nowMs, keptMs }: ApplicationSelection,
): AsyncGenerator<ExportLine> {
  let after = 0;
  for (;;) {
    const rows = await db
      .selectFrom('application')
      .selectAll()
      .where('sdk_app_id', '>', after)
      .orderBy('sdk_app_id')
      .limit(PAGE_ROWS)
      .execute();
    const shown = rows.filter(
      ({ sdk_app_id: id, purge_ms: purgeMs }) =>
        (among === 'all' || among.has(id)) && (purgeMs === null || purgeMs > nowMs),
    );
    for (let start = 0; start < shown.length; start += READS_AT_ONCE) {
      const part = shown.slice(start, start + READS_AT_ONCE);
      yield* await Promise.all(part.map((row) => lineOf(row, documents, nowMs + keptMs)));
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last.sdk_app_id;
  }
}

async function lineOf(
  row: ApplicationTable,
  documents: Pick<DocumentStore, 'read'>,
  latestMs: number,
): Promise<ExportLine> {
  const { sdk_app_id: sdkAppId, version, purge_ms: purgeMs } = row;
  const document = await documents.read({ sdkAppId, version });
  if (document === undefined) {
    throw new HttpError(
      'unavailable',
      `version ${version} of application ${sdkAppId} is missing among the documents: try again, then restore a backup`,
    );
  }
  const line = {
    sdk_app_id: sdkAppId,
    app_id: row.app_id,
    uin: row.uin,
    status: row.status,
    version,
    created_at: timeText(row.created_ms),
    updated_at: timeText(row.updated_ms),
    terminated_at: row.terminated_ms === null ? null : timeText(row.terminated_ms),
    purge_at: purgeMs === null ? null : timeText(purgeMs),
    ...document.state,
  };
  return { json: JSON.stringify(line), endsMs: Math.min(latestMs, purgeMs ?? latestMs) };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
