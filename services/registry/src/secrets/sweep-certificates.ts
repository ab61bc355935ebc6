/*
 * Deletes certificates' objects that no row names: replaced ones, removed ones, and those whose transaction was undone.
 * They are encrypted, but a secret that was replaced or removed is to be gone.
 */
import type { Kysely } from 'kysely';
import { OBJECT_ROOMS, type ObjectInfo, type ObjectStore } from '../objects/object-store.js';
import type { RegistryTables } from '../rows/tables.js';
import { certificatePrefix } from './create-secret-store.js';
import { STATEMENT_ROWS_MAX } from './data-keys.js';

type Objects = Pick<ObjectStore, 'list' | 'delete'>;

/** Younger objects may belong to a transaction that has not committed. */
const ORPHAN_AGE_MS = 3_600_000;

/** @returns the objects deleted */
export async function sweepCertificates(
  db: Kysely<RegistryTables>,
  objects: Objects,
  nowMs: number,
): Promise<number> {
  let deleted = 0;
  let part: ObjectInfo[] = [];
  const sweep = async (): Promise<void> => {
    const keys = part.map(({ key }) => key);
    part = [];
    if (keys.length === 0) return;
    const rows = await db
      .selectFrom('secret')
      .select('object_key')
      // By the primary key: there is no index of objects' keys.
      .where('sdk_app_id', 'in', [...new Set(keys.map(applicationOf))])
      .where('object_key', 'is not', null)
      .execute();
    const named = new Set(rows.map((row) => row.object_key));
    for (const key of keys.filter((one) => !named.has(one))) {
      await objects.delete(key);
      deleted += 1;
    }
  };
  for await (const object of objects.list(OBJECT_ROOMS.certificates)) {
    if (object.modifiedMs > nowMs - ORPHAN_AGE_MS) continue;
    part.push(object);
    if (part.length === STATEMENT_ROWS_MAX) await sweep();
  }
  await sweep();
  return deleted;
}

function applicationOf(key: string): number {
  return Number(key.slice(OBJECT_ROOMS.certificates.length).split('/', 1)[0]);
}

/** Deletes all objects of an application's certificates. Safe to repeat. @returns how many */
export async function deleteCertificates(objects: Objects, sdkAppId: number): Promise<number> {
  let deleted = 0;
  for await (const { key } of objects.list(certificatePrefix(sdkAppId))) {
    await objects.delete(key);
    deleted += 1;
  }
  return deleted;
}
