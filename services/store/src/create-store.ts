/*
 * The composition of the store: scratch files, engine, sessions and HTTP server. They open in this order and close in
 * the reverse one.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Running, ServiceContext } from '@imscope/runtime/service.js';
import { type STORE_SETTINGS, type StoreConfig, refuseOpenStore } from './config.js';
import { type Engine, openEngine } from './engine.js';
import { writeEngineConfig } from './engine-config.js';
import { createStoreMetrics } from './metrics.js';
import { type ScratchFiles, createScratchFiles } from './scratch-files.js';
import { createStoreServer } from './server.js';
import { createSessionPool } from './session-pool.js';
import { checkThreadPool } from './thread-pool.js';

export type Store = Running & { readonly port: number };

/** Sessions only for KILL, so that it does not wait for the statement it stops. */
const CONTROL_SESSIONS = 2;

/**
 * Opens the data directory and listens. Throws where another process holds the directory, or where the store would be
 * open to other machines without a password.
 * @param threads size of the libuv pool, from the environment
 */
export async function createStore(
  context: ServiceContext<typeof STORE_SETTINGS>,
  threads: string | undefined,
): Promise<Store> {
  const { config, logger, registry, readiness, fail } = context;
  refuseOpenStore(config);
  checkThreadPool(threads, config.readSessionsMax + config.writeSessionsMax + CONTROL_SESSIONS);
  const { scratch, engine } = await openEngineWithScratch(config);
  const { readSessionsMax: read, writeSessionsMax: write, queueLengthMax } = config;
  const pool = createSessionPool(engine, { read, write, control: CONTROL_SESSIONS }, queueLengthMax);
  const metrics = createStoreMetrics(
    registry,
    (workload) => pool.state(workload),
    () => scratch.bytes(),
  );
  const server = createStoreServer({
    config,
    credentials: { user: config.storeUser, password: config.storePassword },
    serverInfo: { version: engine.version, timezone: engine.timezone, displayName: hostname() },
    pool,
    scratch,
    metrics,
    logger,
    fail,
  });
  const closeEngine = async (): Promise<void> => {
    pool.close();
    await engine.close();
    scratch.close();
  };
  let port: number;
  try {
    port = await server.listen(config.storeHost, config.storePort);
  } catch (error) {
    await closeEngine();
    throw error;
  }
  readiness.report('engine');
  logger.info(
    { port, version: engine.version, inMemory: existsSync(config.storeSpoolDir) },
    'the store listens',
  );
  return {
    port,
    async stop() {
      await server.stop();
      await closeEngine();
    },
  };
}

/**
 * Scratch files come first, because the engine's configuration is one of them. What earlier processes left is removed
 * last, once this process holds the data directory.
 */
async function openEngineWithScratch(
  config: StoreConfig,
): Promise<{ scratch: ScratchFiles; engine: Engine }> {
  const { storeDataDir, storeSpoolDir, spoolBytesMax, lockWaitMs } = config;
  mkdirSync(storeDataDir, { recursive: true, mode: 0o700 });
  const scratch = createScratchFiles(storeSpoolDir, storeDataDir, spoolBytesMax);
  const engineArguments = writeEngineConfig(scratch.directory, scratch.emptyDirectory, config);
  try {
    const engine = await openEngine(join(storeDataDir, 'engine'), engineArguments, lockWaitMs);
    scratch.removeLeftovers();
    return { scratch, engine };
  } catch (error) {
    scratch.close();
    throw error;
  }
}
