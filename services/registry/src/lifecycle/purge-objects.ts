/*
 * The objects that hold something of an application: its certificates, its exports, and the exports of several
 * applications. Those may hold it too, so they end with it: their owner makes a new one. Objects are found by their keys as
 * well as by rows, so that an export that was cut off before its row is deleted too.
 */
import type { Database } from '@imscope/state/database.js';
import { exportPrefixesOf } from '../objects/export-key.js';
import type { ObjectStore } from '../objects/object-store.js';
import type { RegistryTables } from '../rows/tables.js';
import { certificatePrefix } from '../secrets/create-secret-store.js';
import type { PurgeStep } from './purge-places.js';

type Objects = Pick<ObjectStore, 'delete' | 'list'>;

export function purgeObjects(database: Database<RegistryTables>, objects: Objects): PurgeStep {
  return async ({ sdkAppId }, found) => {
    const exports = await exportsOf(database, sdkAppId);
    const prefixes = [certificatePrefix(sdkAppId), ...exportPrefixesOf(sdkAppId)];
    const keys = new Set([
      ...exports.map(({ object_key: key }) => key),
      ...(await keysUnder(objects, prefixes)),
    ]);
    await found(keys.size);
    for (const key of keys) await objects.delete(key);
    for (const { id } of exports) {
      await database.kysely.deleteFrom('export_object').where('id', '=', id).execute();
    }
    const left = await keysUnder(objects, prefixes);
    if (left.length > 0)
      return { kind: 'open', reason: `${left.length} objects are left, such as ${left[0]}` };
    return { kind: 'done', deleted: keys.size };
  };
}

async function exportsOf({ kysely }: Database<RegistryTables>, sdkAppId: number) {
  return kysely
    .selectFrom('export_object')
    .select(['id', 'object_key'])
    .where(({ or, eb }) => or([eb('sdk_app_id', '=', sdkAppId), eb('sdk_app_id', 'is', null)]))
    .execute();
}

async function keysUnder(objects: Objects, prefixes: readonly string[]): Promise<string[]> {
  const keys: string[] = [];
  for (const prefix of prefixes) {
    for await (const { key } of objects.list(prefix)) keys.push(key);
  }
  return keys;
}
