/* A store's database and tables of this version, without a broker: for tests and benches. */
import { type ClickHouseClient, createStoreClient } from '@imscope/runtime/store-client.js';
import { migrate } from '@imscope/schemas/migrate.js';
import type { StoreAddress } from './service-env.js';

const TIMEOUT_MS = 60_000;
const CONNECTIONS_MAX = 4;

/** @returns a client of the database, which the caller closes @param timeoutMs of a statement */
export async function openTables(
  { url, user, password, database }: StoreAddress,
  clientName: string,
  timeoutMs = TIMEOUT_MS,
): Promise<ClickHouseClient> {
  const connect = (storeDatabase: string): ClickHouseClient =>
    createStoreClient(
      {
        storeUrl: url,
        storeUser: user,
        storePassword: password,
        storeDatabase,
        storeConnectionsMax: CONNECTIONS_MAX,
      },
      clientName,
      timeoutMs,
    );
  const server = connect('default');
  await server.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` });
  await server.close();
  const client = connect(database);
  await migrate(
    {
      command: async (query, params) => {
        await client.command({ query, ...(params === undefined ? {} : { query_params: params }) });
      },
      select: async (query) => (await client.query({ query, format: 'JSONEachRow' })).json(),
    },
    { dryRun: false },
  );
  return client;
}
