/* Runs the reconciler on a timer. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Running } from '@imscope/runtime/service.js';
import type { StoreSettings } from '@imscope/runtime/store-client.js';
import { startStorePasses } from '../store/store-passes.js';
import { storeAsk } from '../store/store-ask.js';
import type { ReconcileMetrics } from './reconcile-metrics.js';
import { Reconciler } from './reconciler.js';

export type StartReconciling = {
  readonly store: StoreSettings;
  readonly topicPrefix: string;
  readonly intervalMs: number;
  readonly isChecker: () => boolean;
  readonly metrics: ReconcileMetrics;
  readonly logger: Logger;
};

export function startReconciling({ store, intervalMs, ...options }: StartReconciling): Running {
  return startStorePasses({
    store,
    clientName: 'imscope-reconcile',
    intervalMs,
    passOf: (client, signal) => {
      const reconciler = new Reconciler({
        ...options,
        // One thread, so that inserts have the others; cancelled when the process stops.
        ask: storeAsk(client, { clickhouse_settings: { max_threads: 1 }, abort_signal: signal }),
        isChecker: () => !signal.aborted && options.isChecker(),
        now: Date.now,
        wait: (ms) => delay(ms, undefined, { signal, ref: false }),
      });
      return () => reconciler.check();
    },
  });
}
