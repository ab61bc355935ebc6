/*
 * The audit: every change, by whom and why, with what changed as JSON pointers and never a value. One function writes
 * it, inside the transaction of the change, so that neither is without the other.
 */
import type { AuditEntry } from '@imscope/schemas/registry-api/records.js';
import type { Selectable } from 'kysely';
import type { Reader, Writer } from './application-rows.js';
import type { AuditTable } from './tables.js';

export type AuditRecord = {
  readonly atMs: number;
  /** The name of the caller's token, or `registry` for what the service does by itself. */
  readonly actor: string;
  /** Such as `application.change`. */
  readonly action: string;
  readonly sdkAppId: number | null;
  readonly reason: string;
  /** JSON pointers. */
  readonly paths: readonly string[];
  /** The application's revision after the change; null where no application changed. */
  readonly revision: number | null;
};

/** The actor of what the service does without a caller. */
export const REGISTRY_ACTOR = 'registry';

/** More pointers than this are replaced by those of what holds them. */
const PATHS_MAX = 200;
const ROWS_PER_INSERT = 500;

export async function writeAudit(transaction: Writer, ...records: readonly AuditRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += ROWS_PER_INSERT) {
    const rows = records.slice(from, from + ROWS_PER_INSERT).map((record) => ({
      at_ms: record.atMs,
      actor: record.actor,
      action: record.action,
      sdk_app_id: record.sdkAppId,
      reason: record.reason,
      paths: JSON.stringify(boundedPaths(record.paths)),
      revision: record.revision,
    }));
    await transaction.insertInto('audit').values(rows).execute();
  }
}

/** Newest first. @param page `beforeId` is exclusive; `among` are the applications the reader may see */
export async function listAudit(
  db: Reader,
  page: {
    readonly sdkAppId: number | undefined;
    readonly among: 'all' | ReadonlySet<number>;
    readonly beforeId: number;
    readonly limit: number;
  },
): Promise<AuditEntry[]> {
  let query = db
    .selectFrom('audit')
    .selectAll()
    .where('id', '<', page.beforeId)
    .orderBy('id', 'desc')
    .limit(page.limit);
  if (page.sdkAppId !== undefined) query = query.where('sdk_app_id', '=', page.sdkAppId);
  if (page.among !== 'all') query = query.where('sdk_app_id', 'in', [...page.among]);
  return (await query.execute()).map(auditEntry);
}

/** What changed an application after a revision, newest first. */
export async function changesSince(
  db: Reader,
  application: { readonly sdkAppId: number; readonly revision: number },
  limit: number,
): Promise<AuditEntry[]> {
  const rows = await db
    .selectFrom('audit')
    .selectAll()
    .where('sdk_app_id', '=', application.sdkAppId)
    .where('revision', '>', application.revision)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(auditEntry);
}

/** Pure. */
function boundedPaths(paths: readonly string[]): readonly string[] {
  let kept = paths;
  for (let depth = 4; kept.length > PATHS_MAX && depth > 0; depth--) {
    kept = [
      ...new Set(
        kept.map((path) =>
          path
            .split('/')
            .slice(0, depth + 1)
            .join('/'),
        ),
      ),
    ];
  }
  return kept;
}

function auditEntry(row: Selectable<AuditTable>): AuditEntry {
  const paths: unknown = JSON.parse(row.paths);
  return {
    id: row.id,
    at: new Date(row.at_ms).toISOString(),
    actor: row.actor,
    action: row.action,
    sdk_app_id: row.sdk_app_id,
    reason: row.reason,
    paths: Array.isArray(paths) ? paths.map(String) : [],
  };
}
