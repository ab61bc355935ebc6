/* The store (services/store) as a child process on loopback. */
import { join } from 'node:path';
import { freePort } from './ports.js';
import type { OnSpawn } from './process.js';
import { type StoreAddress, storeServiceEnv } from './service-env.js';
import { type RunningService, type ServiceMode, startService } from './services.js';

export type StoreOptions = {
  readonly dataDir: string;
  readonly mode: ServiceMode;
  readonly password: string;
  /** 0 or none takes a free one. */
  readonly port?: number;
  readonly adminPort?: number;
  /** Bound on the engine's memory; its own default where none is given. */
  readonly memoryBytesMax?: number;
  /** Default: store.log beside the data directory. */
  readonly logFile?: string;
  readonly onSpawn?: OnSpawn;
};

export type RunningStore = RunningService & StoreAddress;

/** One session of the engine takes one thread of libuv's pool for as long as a statement runs. */
const THREADS = '16';

/** Starts the store and waits until its engine answers. */
export async function startStore(options: StoreOptions): Promise<RunningStore> {
  const port = options.port === undefined || options.port === 0 ? await freePort() : options.port;
  const address = { user: 'imscope', password: options.password, database: 'imscope' };
  const service = await startService({
    name: 'store',
    mode: options.mode,
    logFile: options.logFile ?? join(options.dataDir, '..', 'store.log'),
    ...(options.adminPort === undefined ? {} : { adminPort: options.adminPort }),
    ...(options.onSpawn === undefined ? {} : { onSpawn: options.onSpawn }),
    env: {
      ...storeServiceEnv({ port, dataDir: options.dataDir, user: address.user, password: options.password }),
      UV_THREADPOOL_SIZE: THREADS,
      ...(options.memoryBytesMax === undefined ? {} : { MEMORY_BYTES_MAX: String(options.memoryBytesMax) }),
    },
  });
  return { ...service, ...address, url: `http://127.0.0.1:${port}` };
}
