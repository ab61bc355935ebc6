/* A real store with this version's tables, for one test file, gone with it. No broker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@imscope/runtime/config.js';
import { type ClickHouseClient, createStoreClient } from '@imscope/runtime/store-client.js';
import { type MigrationStore, migrate } from '@imscope/schemas/migrate.js';
import { storeEnv } from '../../../../scripts/stack/service-env.js';
import { startStore } from '../../../../scripts/stack/store.js';
import { SETTINGS } from '../../src/config.js';

export async function openStoreWithTables(): Promise<{ store: ClickHouseClient; end: () => Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'imscope-reconcile-test-'));
  const running = await startStore({ dataDir: join(dir, 'store'), mode: 'source', password: 'test-test' });
  const loaded = loadConfig(SETTINGS, storeEnv(running));
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'));
  const server = createStoreClient({ ...loaded.config, storeDatabase: 'default' }, 'reconcile-test', 30_000);
  await server.command({ query: `CREATE DATABASE IF NOT EXISTS ${running.database}` });
  await server.close();
  const store = createStoreClient(loaded.config, 'reconcile-test', 30_000);
  const tables: MigrationStore = {
    command: async (query, params) => {
      await store.command({ query, ...(params === undefined ? {} : { query_params: params }) });
    },
    select: async (query) => (await store.query({ query, format: 'JSONEachRow' })).json(),
  };
  await migrate(tables, { dryRun: false });
  const end = async (): Promise<void> => {
    await store.close();
    await running.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { store, end };
}
