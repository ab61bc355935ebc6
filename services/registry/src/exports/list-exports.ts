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

/** An export of several applications holds those that its author administered. */
function maySee(caller: Grant, { sdk_app_id: sdkAppId, author }: ExportTable): boolean {
  if (caller.applications === 'all') return true;
  return sdkAppId === null ? author === caller.name : caller.applications.has(sdkAppId);
}
