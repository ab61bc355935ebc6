/*
 * The collector that takes in the history and nothing else. Its accounts say that they vouch for the event times of
 * the history, and the last of them, written when it stops, that this is all. So windows of these days are known,
 * while a time in which no collector ran stays unknown.
 */
import { join } from 'node:path';
import type { Credentials } from '../stack/credentials.js';
import { freePort } from '../stack/ports.js';
import type { OnSpawn } from '../stack/process.js';
import { startService } from '../stack/services.js';
import { kafkaEnv } from '../stack/store.js';
import { supervise, type SupervisorEvent } from '../stack/supervisor.js';
import { HISTORY_TERMS_ENV } from './terms.js';

export type HistorySpan = { readonly fromMs: number; readonly toMs: number };

export type HistoryCollector = {
  readonly url: string;
  /** Ends it with its final account; what it holds goes to Kafka first. Safe twice. */
  stop(): Promise<void>;
};

export type HistoryCollectorOptions = {
  /** Kafka's address, host:port. */
  readonly broker: string;
  readonly dataDir: string;
  readonly credentials: Pick<Credentials, 'registryFile'>;
  readonly onEvent: (event: SupervisorEvent) => void;
  readonly onSpawn: OnSpawn;
};

const NAME = 'collector history';

/** Starts it. What an earlier one left in its spool is sent beside, and ended with a final account too. */
export async function startHistoryCollector(
  { broker, dataDir, credentials, onEvent, onSpawn }: HistoryCollectorOptions,
  { fromMs, toMs }: HistorySpan,
): Promise<HistoryCollector> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const env = {
    ...kafkaEnv(broker),
    ...HISTORY_TERMS_ENV,
    COLLECTOR_HOST: '127.0.0.1',
    COLLECTOR_PORT: String(port),
    COLLECTOR_NAME: 'history',
    REGISTRY_FILE: credentials.registryFile,
    SPOOL_DIR: join(dataDir, 'spool-history'),
    HISTORY_FROM: new Date(fromMs).toISOString(),
    HISTORY_TO: new Date(toMs).toISOString(),
    // Nobody but the simulator sends to it, and that has ended by then.
    DRAIN_MS: '0',
  };
  const supervised = await supervise({
    name: NAME,
    start: () =>
      startService({
        name: 'collector',
        mode: 'built',
        adminPort,
        env,
        logFile: join(dataDir, 'logs', 'collector-history.log'),
        onSpawn: (child) => onSpawn({ ...child, name: NAME }),
      }),
    onEvent,
  });
  return { url: `http://127.0.0.1:${port}`, stop: () => supervised.stop() };
}
