/* Runs the rollups on a timer, with a separate client, so that their statements use no connection of the inserts. */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@imscope/runtime/logger.js';
import {
  type ClickHouseClient,
  createStoreClient,
  type StoreSettings,
} from '@imscope/runtime/store-client.js';
import { type Ask, readStoreClock } from './read-state.js';
import type { RollupMetrics } from './rollup-metrics.js';
import { type RollupContext, Rollups } from './rollups.js';

/** An hour of 500,000 rows of metrics takes about a second. */
const STATEMENT_TIMEOUT_MS = 60_000;
const CONNECTIONS_MAX = 1;
/** One thread, so that inserts and questions have the others. */
const THREADS = { max_threads: 1 } as const;

export type StartRollups = {
  readonly store: StoreSettings;
  readonly topicPrefix: string;
  readonly intervalMs: number;
  readonly isBuilder: () => boolean;
  readonly metrics: RollupMetrics;
  readonly logger: Logger;
};

export function startRollups(options: StartRollups): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const store = { ...options.store, storeConnectionsMax: CONNECTIONS_MAX };
  const client = createStoreClient(store, 'imscope-rollup', STATEMENT_TIMEOUT_MS);
  const rollups = new Rollups({
    ...options,
    ...rollupPorts(client, signal),
    builder: randomInt(1_024),
    isBuilder: () => !signal.aborted && options.isBuilder(),
  });
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await delay(options.intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await rollups.pass();
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
      await client.close();
    },
  };
}

/** The statements of the rollups over a client. @param signal cancels what runs */
export function rollupPorts(
  client: ClickHouseClient,
  signal: AbortSignal,
): Pick<RollupContext, 'ask' | 'command' | 'readClock'> {
  const ask: Ask = async <T>(sql: string, params: Readonly<Record<string, unknown>> = {}) => {
    const result = await client.query({
      query: sql,
      query_params: { ...params },
      format: 'JSONEachRow',
      clickhouse_settings: THREADS,
      abort_signal: signal,
    });
    return result.json<T>();
  };
  return {
    ask,
    readClock: () => readStoreClock(ask),
    command: async (sql, params) => {
      await client.command({
        query: sql,
        query_params: { ...params },
        clickhouse_settings: THREADS,
        abort_signal: signal,
      });
    },
  };
}
