/*
 * The objects that hold something of an application: its certificates, its exports, and the exports of all applications.
 * Those may hold it too, so they end with it: their owner makes a new one.
 */
import type { Database } from '@imscope/state/database.js';
import type { ObjectStore } from '../objects/object-store.js';
import type { RegistryTables } from '../rows/tables.js';
import type { PurgeStep } from './purge-places.js';

type Objects = Pick<ObjectStore, 'delete' | 'list'>;

/** @param prefixesOf beginnings of the keys of the objects that are this application's own */
export function purgeObjects(
  database: Database<RegistryTables>,
  objects: Objects,
  prefixesOf: (sdkAppId: number) => readonly string[],
): PurgeStep {
  return async ({ sdkAppId }, found) => {
    const exports = await exportsOf(database, sdkAppId);
    const keys = [
      ...exports.map(({ object_key: key }) => key),
      ...(await certificateKeys(database, sdkAppId)),
      ...(await keysUnder(objects, prefixesOf(sdkAppId))),
    ];
    const all = new Set(keys);
    await found(all.size);
    for (const key of all) await objects.delete(key);
    for (const { id } of exports) {
      await database.kysely.deleteFrom('export_object').where('id', '=', id).execute();
    }
    const left = await keysUnder(objects, prefixesOf(sdkAppId));
    if (left.length > 0)
      return { kind: 'open', reason: `${left.length} objects are left, such as ${left[0]}` };
    return { kind: 'done', deleted: all.size };
  };
}

async function exportsOf({ kysely }: Database<RegistryTables>, sdkAppId: number) {
  return kysely
    .selectFrom('export_object')
    .select(['id', 'object_key'])
    .where(({ or, eb }) => or([eb('sdk_app_id', '=', sdkAppId), eb('sdk_app_id', 'is', null)]))
    .execute();
}

async function certificateKeys({ kysely }: Database<RegistryTables>, sdkAppId: number): Promise<string[]> {
  const rows = await kysely
    .selectFrom('secret')
    .select('object_key')
    .where('sdk_app_id', '=', sdkAppId)
    .where('object_key', 'is not', null)
    .execute();
  return rows.flatMap(({ object_key: key }) => (key === null ? [] : [key]));
}

async function keysUnder(objects: Objects, prefixes: readonly string[]): Promise<string[]> {
  const keys: string[] = [];
  for (const prefix of prefixes) {
    for await (const { key } of objects.list(prefix)) keys.push(key);
  }
  return keys;
}
