/* Runs the reconciler on a timer, with a separate client, so that its statements use no connection of the inserts. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@imscope/runtime/logger.js';
import { createStoreClient, type StoreSettings } from '@imscope/runtime/store-client.js';
import { storeAsk } from './pass.js';
import type { ReconcileMetrics } from './reconcile-metrics.js';
import { Reconciler } from './reconciler.js';

/** The longest one statement may run; a pass that is cut off is repeated. */
const STATEMENT_TIMEOUT_MS = 60_000;
const CONNECTIONS_MAX = 1;

export type StartReconciling = {
  readonly store: StoreSettings;
  readonly topicPrefix: string;
  readonly intervalMs: number;
  readonly isChecker: () => boolean;
  readonly metrics: ReconcileMetrics;
  readonly logger: Logger;
};

export function startReconciling(options: StartReconciling): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const store = { ...options.store, storeConnectionsMax: CONNECTIONS_MAX };
  const client = createStoreClient(store, 'imscope-reconcile', STATEMENT_TIMEOUT_MS);
  const wait = (ms: number): Promise<void> => delay(ms, undefined, { signal, ref: false });
  const reconciler = new Reconciler({
    ...options,
    // One thread, so that inserts have the others; cancelled when the process stops.
    ask: storeAsk(client, { clickhouse_settings: { max_threads: 1 }, abort_signal: signal }),
    isChecker: () => !signal.aborted && options.isChecker(),
    now: Date.now,
    wait,
  });
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await wait(options.intervalMs).catch(() => undefined);
      if (!signal.aborted) await reconciler.check();
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
