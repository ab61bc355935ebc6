/*
 * Begins the purges that are due. The row of a purge is the point of no return: from then on the application cannot be
 * restored, and its data key is gone, so that no sealed value can be read again, wherever a copy of it may be.
 */
import { PURGE_PLACES } from '@imscope/schemas/registry-api/records.js';
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import type { Transaction } from 'kysely';
import type { RegistryTables } from '../rows/tables.js';
import { hasNoOpenPurge } from './open-purge.js';
import type { PurgeSubject } from './purge-places.js';

/** Purges begun in one pass; the others follow in the next. */
const BEGUN_MAX = 200;

export type BeginOptions = {
  readonly nowMs: number;
  /** From when the purge is due until it is promised to be complete. */
  readonly withinMs: number;
};

/** @returns how many were begun */
export async function beginDuePurges(
  database: Database<RegistryTables>,
  options: BeginOptions,
): Promise<number> {
  const due = await database.kysely
    .selectFrom('application')
    .select('sdk_app_id')
    .where('status', '=', 'terminated')
    .where('purge_ms', '<=', options.nowMs)
    .where(hasNoOpenPurge)
    .orderBy('purge_ms')
    .limit(BEGUN_MAX)
    .execute();
  for (const { sdk_app_id: sdkAppId } of due) {
    await transact(database, async (tx) => beginPurge(tx, sdkAppId, options));
  }
  return due.length;
}

/** Does nothing where the application was restored meanwhile. */
async function beginPurge(
  tx: Transaction<RegistryTables>,
  sdkAppId: number,
  { nowMs, withinMs }: BeginOptions,
): Promise<void> {
  const application = await tx
    .selectFrom('application')
    .select(['status', 'terminated_ms', 'purge_ms', 'revision'])
    .where('sdk_app_id', '=', sdkAppId)
    .forUpdate()
    .executeTakeFirst();
  if (application?.status !== 'terminated') return;
  const { terminated_ms: terminatedMs, purge_ms: dueMs, revision } = application;
  if (terminatedMs === null || dueMs === null || dueMs > nowMs) return;
  // The new revision makes a restore that has read the old one fail.
  await tx
    .updateTable('application')
    .set({ revision: revision + 1 })
    .where('sdk_app_id', '=', sdkAppId)
    .execute();
  await insertPurge(tx, { sdkAppId, terminatedMs, dueMs, latestMs: dueMs + withinMs, startedMs: nowMs });
}

export async function insertPurge(tx: Transaction<RegistryTables>, subject: PurgeSubject): Promise<void> {
  const { sdkAppId, terminatedMs, dueMs, latestMs, startedMs } = subject;
  await tx
    .insertInto('purge')
    .values({
      sdk_app_id: sdkAppId,
      terminated_ms: terminatedMs,
      due_ms: dueMs,
      latest_ms: latestMs,
      started_ms: startedMs,
      completed_ms: null,
      backups_expire_ms: null,
    })
    .execute();
  await tx
    .insertInto('purge_place')
    .values(
      PURGE_PLACES.map((place) => ({
        sdk_app_id: sdkAppId,
        terminated_ms: terminatedMs,
        place,
        state: 'open' as const,
        deleted: 0,
        done_ms: null,
        last_error: null,
      })),
    )
    .execute();
  await tx.deleteFrom('data_key').where('sdk_app_id', '=', sdkAppId).execute();
}
