/* The notices before a purge: 30, 7 and 1 days. */
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import { addNotice } from '../rows/notices.js';
import type { RegistryTables } from '../rows/tables.js';

const DAY_MS = 86_400_000;

/** Notices before a purge, the earliest first: each is due from its lead until the next one's. */
const BEFORE_PURGE = [
  { kind: 'purge_in_30_days', leadMs: 30 * DAY_MS, nextLeadMs: 7 * DAY_MS },
  { kind: 'purge_in_7_days', leadMs: 7 * DAY_MS, nextLeadMs: DAY_MS },
  { kind: 'purge_in_1_day', leadMs: DAY_MS, nextLeadMs: 0 },
] as const;

/** Notices written in one pass, of each kind. */
const NOTICES_MAX = 500;

/**
 * Writes the notices that are due and not written. After an absence only the newest due one of an application is written:
 * an older one would say nothing more.
 */
export async function writeDueNotices(
  database: Database<RegistryTables>,
  nowMs: number,
  isDelivered: boolean,
): Promise<number> {
  let written = 0;
  for (const { kind, leadMs, nextLeadMs } of BEFORE_PURGE) {
    written += await transact(database, async (tx) => {
      const due = await tx
        .selectFrom('application')
        .select(['sdk_app_id', 'purge_ms'])
        .where('status', '=', 'terminated')
        .where('purge_ms', '<=', nowMs + leadMs)
        .where('purge_ms', '>', nowMs + nextLeadMs)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('notice')
                .select('notice.id')
                .whereRef('notice.sdk_app_id', '=', 'application.sdk_app_id')
                .where('notice.kind', '=', kind)
                .whereRef('notice.at_ms', '>=', 'application.terminated_ms'),
            ),
          ),
        )
        .limit(NOTICES_MAX)
        .forUpdate()
        .execute();
      for (const { sdk_app_id: sdkAppId, purge_ms: purgeMs } of due) {
        await addNotice(tx, { sdkAppId, kind, purgeMs: purgeMs ?? nowMs }, nowMs, isDelivered);
      }
      return due.length;
    });
  }
  return written;
}
