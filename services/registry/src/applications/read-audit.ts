/* The audit, page by page. An administrator of some applications sees the changes of these alone. */
import { type Handler, PAGE_LIMIT } from '../operations/operation-call.js';
import { listAudit as listRows } from '../rows/audit.js';
import type { ApplicationDependencies } from './dependencies.js';
import { cursorOf } from './read-applications.js';

export function listAudit({ database }: Pick<ApplicationDependencies, 'database'>): Handler<'listAudit'> {
  return async ({ query: { sdk_app_id: sdkAppId, after, limit = PAGE_LIMIT }, caller }) => {
    const entries = await listRows(database.kysely, {
      sdkAppId,
      among: caller.applications,
      beforeId: cursorOf(after) ?? Number.MAX_SAFE_INTEGER,
      limit: limit + 1,
    });
    const page = entries.slice(0, limit);
    return { entries: page, next: entries.length > limit ? String(page.at(-1)?.id) : null };
  };
}
