/* The data keys of applications, wrapped, in table data_key: one each, made with the first secret. */
import type { Kysely } from 'kysely';
import type { RegistryTables } from '../rows/tables.js';
import { CannotOpen, newDataKey, unwrapDataKey, wrapDataKey } from './envelope.js';
import type { MasterKey, MasterKeys } from './master-keys.js';

export type DataKey = { readonly key: Buffer; readonly masterKeyId: string };

/** Rows and values of one statement: databases bound both. */
export const STATEMENT_ROWS_MAX = 500;

/** Data keys of those applications that have one. */
export async function readDataKeys(
  db: Kysely<RegistryTables>,
  masterKeys: MasterKeys,
  sdkAppIds: readonly number[],
): Promise<Map<number, DataKey>> {
  const found = new Map<number, DataKey>();
  for (const ids of chunks([...new Set(sdkAppIds)])) {
    const rows = await db.selectFrom('data_key').selectAll().where('sdk_app_id', 'in', ids).execute();
    for (const { sdk_app_id: sdkAppId, key_id: masterKeyId, wrapped_key: wrapped } of rows) {
      const master = requireMasterKey(masterKeys, masterKeyId);
      found.set(sdkAppId, { key: unwrapDataKey(master, wrapped, sdkAppId), masterKeyId });
    }
  }
  return found;
}

/** Data keys of all these applications; missing ones are made. For a transaction that has locked their rows. */
export async function provideDataKeys(
  transaction: Kysely<RegistryTables>,
  masterKeys: MasterKeys,
  sdkAppIds: readonly number[],
): Promise<Map<number, DataKey>> {
  const keys = await readDataKeys(transaction, masterKeys, sdkAppIds);
  const { active } = masterKeys;
  const missing = [...new Set(sdkAppIds)].filter((id) => !keys.has(id));
  for (const ids of chunks(missing)) {
    const made = ids.map((sdkAppId) => ({ sdkAppId, key: newDataKey() }));
    const rows = made.map(({ sdkAppId, key }) => ({
      sdk_app_id: sdkAppId,
      key_id: active.id,
      wrapped_key: wrapDataKey(active, key, sdkAppId),
    }));
    await transaction.insertInto('data_key').values(rows).execute();
    for (const { sdkAppId, key } of made) keys.set(sdkAppId, { key, masterKeyId: active.id });
  }
  return keys;
}

/** @throws CannotOpen where no line has this id */
export function requireMasterKey(masterKeys: MasterKeys, id: string): MasterKey {
  const master = masterKeys.find(id);
  if (master !== undefined) return master;
  throw new CannotOpen(
    `master key ${id} is missing, and data keys are encrypted with it: add its line to REGISTRY_MASTER_KEY_FILE or REGISTRY_MASTER_KEY, after the active key`,
  );
}

/**
 * For a start: opens one data key of each master key in use.
 * @throws CannotOpen where a master key is missing or another one has its id
 */
export async function checkMasterKeys(db: Kysely<RegistryTables>, masterKeys: MasterKeys): Promise<void> {
  const firsts = db
    .selectFrom('data_key')
    .select((select) => select.fn.min('sdk_app_id').as('id'))
    .groupBy('key_id');
  const rows = await db.selectFrom('data_key').selectAll().where('sdk_app_id', 'in', firsts).execute();
  for (const { sdk_app_id: sdkAppId, key_id: id, wrapped_key: wrapped } of rows)
    unwrapDataKey(requireMasterKey(masterKeys, id), wrapped, sdkAppId);
}

export function chunks<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / STATEMENT_ROWS_MAX);
  return Array.from({ length: count }, (_, at) =>
    items.slice(at * STATEMENT_ROWS_MAX, (at + 1) * STATEMENT_ROWS_MAX),
  );
}
