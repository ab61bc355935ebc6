/*
 * The end of a restore, in one transaction: revisions above all that were ever distributed, the backups there are, an
 * entry of the audit, and the marker removed, so that a registry may start.
 */
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import { sql, type Transaction } from 'kysely';
import type { ObjectStore } from '../objects/object-store.js';
import { REGISTRY_ACTOR, writeAudit } from '../rows/audit.js';
import { newestRevision } from '../rows/entries.js';
import type { RegistryTables } from '../rows/tables.js';
import { backupPrefix, completeBackups, type Manifest, readManifest } from './manifest.js';
import { removeRestoreMarker } from './restore-marker.js';

export type FinishServices = {
  readonly database: Database<RegistryTables>;
  readonly objects: Pick<ObjectStore, 'get' | 'list'>;
  readonly now: () => number;
};

export async function finishRestore(
  { database, objects, now }: FinishServices,
  { id }: Manifest,
): Promise<void> {
  const backups = await backupRows(objects);
  await transact(database, async (transaction) => {
    const nowMs = now();
    await raiseRevisions(transaction, nowMs);
    for (const row of backups) await transaction.insertInto('backup').ignore().values(row).execute();
    await writeAudit(transaction, {
      atMs: nowMs,
      actor: REGISTRY_ACTOR,
      action: 'registry.restore',
      sdkAppId: null,
      reason: `backup ${id}`,
      paths: [],
      revision: null,
    });
    await removeRestoreMarker(transaction);
  });
}

/**
 * Receivers have seen revisions that the backup does not know, and take nothing older. Microseconds of the clock are
 * above any number of changes, and below 2^53 until the year 2255.
 */
async function raiseRevisions(transaction: Transaction<RegistryTables>, nowMs: number): Promise<void> {
  const newest = await newestRevision(transaction);
  const { oldest } = await transaction
    .selectFrom('entry')
    .select(({ fn }) => fn.min('revision').as('oldest'))
    .executeTakeFirstOrThrow();
  if (oldest === null) return;
  // More than all revisions are apart: no entry gets the number of one that still has its own.
  const by = Math.max(nowMs * 1_000 - newest, newest - oldest + 1);
  await transaction
    .updateTable('entry')
    .set({ revision: sql<number>`revision + ${by}` })
    .execute();
  await transaction
    .updateTable('counter')
    .set({ value: sql<number>`value + ${by}` })
    .where('name', '=', 'entry')
    .execute();
}

/** Those that exist, also newer ones: a purge names the end of the last that may hold an application. */
async function backupRows(objects: Pick<ObjectStore, 'get' | 'list'>) {
  const rows = [];
  for (const id of await completeBackups(objects)) {
    const manifest = await readManifest(objects, id);
    if (manifest === undefined) continue;
    const { created_ms, completed_ms, expires_ms } = manifest;
    rows.push({ id, created_ms, completed_ms, expires_ms, object_prefix: backupPrefix(id) });
  }
  return rows;
}
