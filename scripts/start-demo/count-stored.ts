/*
 * Counts simulated requests in the store itself, not through the query service: rows, and how many of them are distinct.
 * Two rows are equal by their place (block and row: an insert done twice) or by their request (application, time and
 * request id: a batch appended twice).
 */
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { StoreAddress } from '../stack/service-env.js';
import type { Stored } from './balance.js';

export type StoredCount = Stored & {
  /** Event time of the newest row, epoch milliseconds; 0 where there is none. */
  readonly newestMs: number;
};

const COUNT = `
SELECT
    count() AS rows,
    uniqExact(sipHash64(sdk_app_id, time, request_id)) AS requests,
    uniqExact(block_id, block_row) AS places,
    toUnixTimestamp64Milli(max(time)) AS newest_ms
FROM request_log
WHERE time >= fromUnixTimestamp64Milli({since_ms:Int64}) AND startsWith(node, {node:String})`;

/** Prefix of all simulated gateways (scripts/simulate-gateway): records that a visitor sends are not counted. */
const SIMULATED_NODE = 'sim-';
const TIMEOUT_MS = 60_000;

export type StoredCounter = {
  /** @param sinceMs least event time that is counted, epoch milliseconds */
  count(sinceMs: number): Promise<StoredCount>;
  close(): Promise<void>;
};

export function createStoredCounter(store: StoreAddress): StoredCounter {
  const client: ClickHouseClient = createClient({
    url: store.url,
    username: store.user,
    password: store.password,
    database: store.database,
    application: 'imscope-start',
    request_timeout: TIMEOUT_MS,
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  return {
    count: async (sinceMs) => {
      const answer = await client.query({
        query: COUNT,
        query_params: { since_ms: Math.floor(sinceMs), node: SIMULATED_NODE },
        format: 'JSONEachRow',
      });
      const [row] = await answer.json<{
        rows: number;
        requests: number;
        places: number;
        newest_ms: number;
      }>();
      if (row === undefined) throw new Error('the store gave no row for a count');
      return { rows: row.rows, distinct: Math.min(row.requests, row.places), newestMs: row.newest_ms };
    },
    close: () => client.close(),
  };
}
