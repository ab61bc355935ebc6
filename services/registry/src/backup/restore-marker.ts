/*
 * Marks a database that a restore is filling, so that no registry serves half of it: a lease without an end, in the one
 * table that a restore does not replace.
 */
import type { Database } from '@imscope/state/database.js';
import type { LeaseTables } from '@imscope/state/leases.js';
import type { Kysely } from 'kysely';
import type { RegistryTables } from '../rows/tables.js';

const NAME = 'registry-restore';

type Rows = Kysely<RegistryTables>;

/** Before the registry serves anything, after the migrations of leases. */
export async function assertNotRestoring(database: Database<RegistryTables>): Promise<void> {
  const backup = await restoringBackup(database.kysely);
  if (backup !== undefined)
    throw new Error(
      `a restore of backup ${backup} into ${database.place} is running, or was cut off: let it end, or run it again`,
    );
}

/** The backup whose restore has begun and not ended. */
export async function restoringBackup(kysely: Rows): Promise<string | undefined> {
  const row = await kysely
    .$extendTables<LeaseTables>()
    .selectFrom('lease')
    .select('holder')
    .where('name', '=', NAME)
    .executeTakeFirst();
  return row?.holder;
}

export async function setRestoreMarker(kysely: Rows, backup: string): Promise<void> {
  const lease = { holder: backup, fencing: 1, expires_ms: Number.MAX_SAFE_INTEGER };
  await kysely
    .$extendTables<LeaseTables>()
    .insertInto('lease')
    .values({ name: NAME, ...lease })
    .onDuplicateKeyUpdate(lease)
    .execute();
}

export async function removeRestoreMarker(kysely: Rows): Promise<void> {
  await kysely.$extendTables<LeaseTables>().deleteFrom('lease').where('name', '=', NAME).execute();
}

/** What running registries hold. */
export async function heldLeases(kysely: Rows, nowMs: number): Promise<string[]> {
  const rows = await kysely
    .$extendTables<LeaseTables>()
    .selectFrom('lease')
    .select('name')
    .where('expires_ms', '>', nowMs)
    .where('name', '!=', NAME)
    .execute();
  return rows.map(({ name }) => name);
}
