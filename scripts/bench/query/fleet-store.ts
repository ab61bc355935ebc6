/*
 * A store with our tables in a directory that may hold a load already.
 */
import { join } from 'node:path';
import { type ClickHouseClient, createStoreClient } from '@imscope/runtime/store-client.js';
import { migrate } from '@imscope/schemas/migrate.js';
import type { ServiceMode } from '../../stack/services.js';
import { type RunningStore, startStore } from '../../stack/store.js';

/** Bound on the engine's memory, so that a bench leaves the machine to others. */
const MEMORY_BYTES_MAX = 2_500_000_000;
const LOAD_TIMEOUT_MS = 600_000;

export type FleetStore = {
  readonly store: RunningStore;
  readonly client: ClickHouseClient;
  stop(): Promise<void>;
};

/** Starts the store and brings its tables to this version. @param password of its one user */
export async function openFleetStore(
  directory: string,
  mode: ServiceMode,
  password: string,
): Promise<FleetStore> {
  const store = await startStore({
    dataDir: join(directory, 'store'),
    mode,
    password,
    memoryBytesMax: MEMORY_BYTES_MAX,
  });
  const connect = (storeDatabase: string): ClickHouseClient =>
    createStoreClient(
      {
        storeUrl: store.url,
        storeUser: store.user,
        storePassword: store.password,
        storeDatabase,
        storeConnectionsMax: 4,
      },
      'imscope-bench-query',
      LOAD_TIMEOUT_MS,
    );
  const server = connect('default');
  await server.command({ query: `CREATE DATABASE IF NOT EXISTS ${store.database}` });
  await server.close();
  const client = connect(store.database);
  await migrate(
    {
      command: async (query, params) => {
        await client.command({ query, ...(params === undefined ? {} : { query_params: params }) });
      },
      select: async (query) => {
        const result = await client.query({ query, format: 'JSONEachRow' });
        return result.json<Record<string, unknown>>();
      },
    },
    { dryRun: false },
  );
  return {
    store,
    client,
    stop: async () => {
      await client.close();
      await store.stop();
    },
  };
}
