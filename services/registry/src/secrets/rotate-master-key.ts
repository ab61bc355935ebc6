/*
 * Wraps every data key with the active master key. Each batch is one transaction, and a row says by which key it is
 * wrapped, so a rotation that is cut off anywhere goes on with what is left. Sealed values stay as they are.
 */
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import type { Transaction } from 'kysely';
import type { RegistryTables } from '../rows/tables.js';
import { requireMasterKey, STATEMENT_ROWS_MAX } from './data-keys.js';
import { unwrapDataKey, wrapDataKey } from './envelope.js';
import type { MasterKeys } from './master-keys.js';

export type RotationOptions = {
  readonly batchRows?: number;
  /** After each batch is in force, with the keys wrapped so far. */
  readonly onBatch?: (rewrapped: number) => void | Promise<void>;
};

/**
 * @returns the data keys that were wrapped again
 * @throws CannotOpen where a master key is missing or wrong, with its id; batches before stay in force
 */
export async function rotateMasterKey(
  database: Database<RegistryTables>,
  masterKeys: MasterKeys,
  { batchRows = STATEMENT_ROWS_MAX, onBatch }: RotationOptions = {},
): Promise<number> {
  let rewrapped = 0;
  for (;;) {
    const count = await transact(database, (transaction) => rewrapBatch(transaction, masterKeys, batchRows));
    if (count === 0) return rewrapped;
    rewrapped += count;
    await onBatch?.(rewrapped);
  }
}

async function rewrapBatch(
  transaction: Transaction<RegistryTables>,
  masterKeys: MasterKeys,
  batchRows: number,
): Promise<number> {
  const { active } = masterKeys;
  const rows = await transaction
    .selectFrom('data_key')
    .selectAll()
    .where('key_id', '!=', active.id)
    .orderBy('sdk_app_id')
    .limit(batchRows)
    .forUpdate()
    .execute();
  for (const { sdk_app_id: sdkAppId, key_id: id, wrapped_key: wrapped } of rows) {
    const dataKey = unwrapDataKey(requireMasterKey(masterKeys, id), wrapped, sdkAppId);
    await transaction
      .updateTable('data_key')
      .set({ key_id: active.id, wrapped_key: wrapDataKey(active, dataKey, sdkAppId) })
      .where('sdk_app_id', '=', sdkAppId)
      .execute();
  }
  return rows.length;
}
