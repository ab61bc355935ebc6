/*
 * Inserts blocks into the store at half the rate it sustains, while questions are asked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { FLEET_PARAMS, INSERT_LOGS_SQL } from './fleet-sql.js';

/** The default of the aggregator's blocks. */
const BLOCK_ROWS = 200_000;
const MEASURED_BLOCKS = 4;
const LOAD_SHARE = 0.5;
const HOUR_MS = 3_600_000;

export type BackgroundIngest = {
  /** Rows a second that are inserted. */
  readonly rate: number;
  stop(): Promise<void>;
};

export async function startBackgroundIngest(client: ClickHouseClient): Promise<BackgroundIngest> {
  let seconds = Number.POSITIVE_INFINITY;
  for (let block = 0; block < MEASURED_BLOCKS; block++) {
    seconds = Math.min(seconds, await insertBlock(client));
  }
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const took = await insertBlock(client);
      // At half the rate, a block fills half the time it is given.
      await sleep(Math.max(0, (seconds / LOAD_SHARE - took) * 1_000));
    }
  };
  const running = run();
  return {
    rate: (BLOCK_ROWS / seconds) * LOAD_SHARE,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** Rows come into the windows of the questions only after this time: metrics of them would come, and here do not. */
const AHEAD_MS = 8 * 60_000;

/** Rows of an hour to come. @returns the seconds it took */
async function insertBlock(client: ClickHouseClient): Promise<number> {
  const startMs = performance.now();
  const fromMs = Date.now() + AHEAD_MS;
  await client.command({
    query: INSERT_LOGS_SQL,
    query_params: {
      ...FLEET_PARAMS,
      // An hour that begins at any time: its rows are distinguished from the load's by that.
      hour_ms: fromMs,
      hour_rows: BLOCK_ROWS,
      from_ms: fromMs,
      to_ms: fromMs + HOUR_MS,
    },
    clickhouse_settings: { max_threads: 1 },
  });
  return (performance.now() - startMs) / 1_000;
}
