/* Deletes backups at their end, and what is left of backups that were not completed. */
import type { Database } from '@imscope/state/database.js';
import { OBJECT_ROOMS, type ObjectStore } from '../objects/object-store.js';
import type { RegistryTables } from '../rows/tables.js';
import { backupIdOf, backupPrefix, manifestKey } from './manifest.js';

export type SweepServices = {
  readonly database: Database<RegistryTables>;
  readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
};

/** A backup takes less; one that is older and not complete was cut off. */
export const BACKUP_TIME_MAX_MS = 6 * 3_600_000;

/**
 * Also objects of backups that no row names, by their own age: those of a database that was replaced. A failure is tried
 * again by the next sweep. @returns how many backups were deleted
 */
export async function sweepBackups(
  services: SweepServices,
  { nowMs, keepMs }: { readonly nowMs: number; readonly keepMs: number },
): Promise<number> {
  const rows = await services.database.kysely.selectFrom('backup').selectAll().execute();
  const ends = new Map(
    rows.map(({ id, created_ms: createdMs, completed_ms: completedMs, expires_ms: expiresMs }) => [
      id,
      completedMs === null ? Math.min(expiresMs, createdMs + BACKUP_TIME_MAX_MS) : expiresMs,
    ]),
  );
  const ended = new Set([...ends].filter(([, endMs]) => endMs <= nowMs).map(([id]) => id));
  for await (const { key, modifiedMs } of services.objects.list(OBJECT_ROOMS.backups)) {
    const id = backupIdOf(key);
    if (id !== undefined && !ends.has(id) && modifiedMs + keepMs <= nowMs) ended.add(id);
  }
  for (const id of ended) await deleteBackup(services, id);
  return ended.size;
}

/** The manifest first: what is left is no backup. The row last: until then a purge counts it. Safe to repeat. */
export async function deleteBackup({ database, objects }: SweepServices, id: string): Promise<void> {
  await objects.delete(manifestKey(id));
  const keys: string[] = [];
  for await (const { key } of objects.list(backupPrefix(id))) keys.push(key);
  for (const key of keys) await objects.delete(key);
  await database.kysely.deleteFrom('backup').where('id', '=', id).execute();
}
