/*
 * The store of the bench, with our tables and the rollups of ended hours. Its directory may hold a load already.
 */
import { type ClickHouseClient, createStoreClient } from '@imscope/runtime/store-client.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { migrate } from '@imscope/schemas/migrate.js';
import { createRollupMetrics } from '@imscope/aggregator/rollup/rollup-metrics.js';
import { Rollups } from '@imscope/aggregator/rollup/rollups.js';
import { rollupPorts } from '@imscope/aggregator/rollup/start-rollups.js';
import { Registry } from 'prom-client';
import type { StoreAddress } from '../../stack/service-env.js';
import type { Stack } from '../../stack/stack.js';

/** Bound on the engine's memory. */
const MEMORY_BYTES_MAX = 2_500_000_000;
const STATEMENT_TIMEOUT_MS = 600_000;

export async function startFleetStore(stack: Stack): Promise<void> {
  await stack.startStore({ memoryBytesMax: MEMORY_BYTES_MAX });
}

/** A client of the store, whose tables are brought to this version. */
export async function openFleetStore(address: StoreAddress): Promise<ClickHouseClient> {
  const connect = (storeDatabase: string): ClickHouseClient =>
    createStoreClient(
      {
        storeUrl: address.url,
        storeUser: address.user,
        storePassword: address.password,
        storeDatabase,
        storeConnectionsMax: 4,
      },
      'imscope-bench-query',
      STATEMENT_TIMEOUT_MS,
    );
  const server = connect('default');
  await server.command({ query: `CREATE DATABASE IF NOT EXISTS ${address.database}` });
  await server.close();
  const client = connect(address.database);
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
  return client;
}

/** Builds the hours that have ended, by the code of the aggregator. Throws where a build failed. */
export async function buildRollups(client: ClickHouseClient): Promise<void> {
  const metrics = createRollupMetrics(new Registry());
  const rollups = new Rollups({
    ...rollupPorts(client, new AbortController().signal),
    topicPrefix: '',
    builder: 0,
    isBuilder: () => true,
    metrics,
    logger: createLogger('aggregator', 'warn'),
  });
  await rollups.pass();
  const { values } = await metrics.rollupPassedAt.get();
  if (values[0]?.value === undefined || values[0].value === 0) throw new Error('the rollups were not built');
}

/** The id of a stored request. */
export async function readRequestId(client: ClickHouseClient): Promise<string> {
  const query = 'SELECT request_id FROM request_log_kept WHERE time > now64(3) - INTERVAL 2 HOUR LIMIT 1';
  const result = await client.query({ query, format: 'JSONEachRow' });
  const [row] = await result.json<{ request_id: string }>();
  return row?.request_id ?? 'none';
}
