/* Passes over the store at an interval, with a separate client, so that their statements use no connection of the inserts. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Running } from '@imscope/runtime/service.js';
import {
  type ClickHouseClient,
  createStoreClient,
  type StoreSettings,
} from '@imscope/runtime/store-client.js';

export type StorePasses = {
  readonly store: StoreSettings;
  /** Names the client in the logs of the store. */
  readonly clientName: string;
  readonly intervalMs: number;
  /** Makes the pass. The signal cancels what runs when the process stops. */
  readonly passOf: (client: ClickHouseClient, signal: AbortSignal) => () => Promise<void>;
};

/** The longest one statement may run; a pass that is cut off is repeated. */
const STATEMENT_TIMEOUT_MS = 60_000;
const CONNECTIONS_MAX = 1;

/** The first pass begins after an interval. A stop waits for the pass that runs. */
export function startStorePasses({ store, clientName, intervalMs, passOf }: StorePasses): Running {
  const stopping = new AbortController();
  const { signal } = stopping;
  const settings = { ...store, storeConnectionsMax: CONNECTIONS_MAX };
  const client = createStoreClient(settings, clientName, STATEMENT_TIMEOUT_MS);
  const pass = passOf(client, signal);
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await delay(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await pass();
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
