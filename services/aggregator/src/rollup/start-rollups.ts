/* Runs the rollups on a timer. */
import { randomInt } from 'node:crypto';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Running } from '@imscope/runtime/service.js';
import type { ClickHouseClient, StoreSettings } from '@imscope/runtime/store-client.js';
import { storeAsk } from '../store/store-ask.js';
import { startStorePasses } from '../store/store-passes.js';
import { readStoreClock } from './read-state.js';
import type { RollupMetrics } from './rollup-metrics.js';
import { type RollupContext, Rollups } from './rollups.js';

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

export function startRollups({ store, intervalMs, ...options }: StartRollups): Running {
  return startStorePasses({
    store,
    clientName: 'imscope-rollup',
    intervalMs,
    passOf: (client, signal) => {
      const rollups = new Rollups({
        ...options,
        ...rollupPorts(client, signal),
        builder: randomInt(1_024),
        isBuilder: () => !signal.aborted && options.isBuilder(),
      });
      return () => rollups.pass();
    },
  });
}

/** The statements of the rollups over a client. @param signal cancels what runs */
export function rollupPorts(
  client: ClickHouseClient,
  signal: AbortSignal,
): Pick<RollupContext, 'ask' | 'command' | 'readClock'> {
  const ask = storeAsk(client, { clickhouse_settings: THREADS, abort_signal: signal });
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
