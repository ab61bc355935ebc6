/*
 * Rotates the master key in a process of its own, which waits for a message at each step: within each transaction after
 * its first update, and after each batch.
 */
import { once } from 'node:events';
import { type Database, type DatabaseOptions, openDatabase } from '@imscope/state/database.js';
import type { KyselyPlugin } from 'kysely';
import type { RegistryTables } from '../../src/rows/tables.js';
import { parseMasterKeys } from '../../src/secrets/master-keys.js';
import { rotateMasterKey } from '../../src/secrets/rotate-master-key.js';

type Order = {
  readonly database: DatabaseOptions;
  readonly masterKeys: string;
  readonly batchRows: number;
};

const [order] = (await once(process, 'message')) as [Order];
const opened = openDatabase<RegistryTables>(order.database);
let updates = 0;
/** Waits in the middle of a transaction: after the first update of each batch. */
const pausing: KyselyPlugin = {
  transformQuery: ({ node }) => node,
  async transformResult({ result }) {
    if (result.numAffectedRows !== undefined && updates++ % order.batchRows === 0) await step();
    return result;
  },
};
const database: Database<RegistryTables> = { ...opened, kysely: opened.kysely.withPlugin(pausing) };
await rotateMasterKey(database, parseMasterKeys(order.masterKeys, 'test'), {
  batchRows: order.batchRows,
  onBatch: step,
});
await opened.close();
process.disconnect();

async function step(): Promise<void> {
  process.send?.('step');
  await once(process, 'message');
}
