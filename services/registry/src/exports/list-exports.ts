/* Exports that have not ended, newest first, each with a fresh link. */
import type { Grant } from '@imscope/access/grant.js';
import type { Handler } from '../operations/operation-call.js';
import type { ExportTable } from '../rows/tables.js';
import { type ExportDependencies, EXPORTS_KEPT_MAX } from './create-export.js';
import { exportAnswer } from './export-answer.js';

export function listExports({
  database,
  objects,
}: Pick<ExportDependencies, 'database' | 'objects'>): Handler<'listExports'> {
  return async ({ caller, nowMs }) => {
    const rows = await database.kysely
      .selectFrom('export_object')
      .selectAll()
      .where('ends_ms', '>', nowMs)
      .orderBy('created_ms', 'desc')
      .orderBy('id')
      .limit(EXPORTS_KEPT_MAX)
      .execute();
    const shown = rows.filter((row) => maySee(caller, row));
    return { exports: await Promise.all(shown.map((row) => exportAnswer(objects, row, nowMs))) };
  };
}

/** Only who administers everything that an export may hold. Its author's name says nothing: others may take it later. */
function maySee({ applications: own }: Grant, { sdk_app_id: sdkAppId, applications }: ExportTable): boolean {
  if (own === 'all') return true;
  if (sdkAppId !== null) return own.has(sdkAppId);
  const held: unknown = JSON.parse(applications ?? 'null');
  return Array.isArray(held) && held.every((id) => own.has(id));
}
