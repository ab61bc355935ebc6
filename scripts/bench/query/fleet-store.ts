/*
 * The store of the bench, with our tables and the rollups of ended hours. Its directory may hold a load already.
 */
import { createLogger } from '@imscope/runtime/logger.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { createRollupMetrics } from '@imscope/aggregator/rollup/rollup-metrics.js';
import { Rollups } from '@imscope/aggregator/rollup/rollups.js';
import { rollupPorts } from '@imscope/aggregator/rollup/start-rollups.js';
import { Registry } from 'prom-client';
import { openTables } from '../../stack/open-tables.js';
import type { StoreAddress } from '../../stack/service-env.js';
import type { Stack } from '../../stack/stack.js';

/** Bound on the engine's memory. */
const MEMORY_BYTES_MAX = 2_500_000_000;
const STATEMENT_TIMEOUT_MS = 600_000;

export async function startFleetStore(stack: Stack): Promise<void> {
  await stack.startStore({ memoryBytesMax: MEMORY_BYTES_MAX });
}

/** A client of the store, whose tables are brought to this version. */
export function openFleetStore(address: StoreAddress): Promise<ClickHouseClient> {
  return openTables(address, 'imscope-bench-query', STATEMENT_TIMEOUT_MS);
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
