/* Answers how an application is shared with TRTC. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Sharing } from '@imscope/schemas/registry-api/records.js';
import type { Database } from '@imscope/state/database.js';
import type { Handler } from '../operations/operation-call.js';
import { existingApplications, type Reader } from '../rows/application-rows.js';
import type { RegistryTables } from '../rows/tables.js';

/** Sharings of one answer; older ones are left out. */
const SHARINGS_MAX = 1_000;

/** @param isConfigured whether TRTC_URL is set; without it nothing is shared */
export function listSharings(
  database: Database<RegistryTables>,
  isConfigured: boolean,
): Handler<'listSharings'> {
  return async ({ params }) => {
    const rows = await database.kysely
      .selectFrom('sharing')
      .selectAll()
      .where('sdk_app_id', '=', params.sdk_app_id)
      .orderBy('id', 'desc')
      .limit(SHARINGS_MAX)
      .execute();
    if (rows.length === 0) await requireExisting(database.kysely, params.sdk_app_id);
    const sharings = rows.map((row): Sharing => {
      return {
        id: row.id,
        requested_at: new Date(row.requested_ms).toISOString(),
        shared_at: timeOrNull(row.shared_ms),
        end_requested_at: timeOrNull(row.end_requested_ms),
        ended_at: timeOrNull(row.ended_ms),
        attempts: row.attempts,
        last_error: row.last_error,
      };
    });
    return { is_configured: isConfigured, sharings };
  };
}

/** A purged application may have a sharing that is still open. */
async function requireExisting(db: Reader, sdkAppId: number): Promise<void> {
  const existing = await existingApplications(db, [sdkAppId]);
  if (existing.size > 0) return;
  throw new HttpError('not_found', `there is no application ${sdkAppId}: create it first`);
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
