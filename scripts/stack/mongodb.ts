/*
 * A server of MongoDB's protocol on loopback for tests. It is FerretDB 1.24 over SQLite files, not MongoDB: what a test
 * shows with it, it shows of the official driver and of our use of it, not of MongoDB's own durability or performance.
 */
import { mkdir } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { FOREIGN_PROGRAMS, provideForeignProgram } from './foreign-programs.js';
import { freePort } from './ports.js';
import { type ManagedProcess, type OnSpawn, startProcess } from './process.js';
import { type Restartable, startRestartable } from './restartable.js';

export type MongodbOptions = {
  /** Holds the data and `mongodb.log`; made where it is missing. */
  readonly dataDir: string;
  /** None takes a free one. */
  readonly port?: number;
  /** Does not keep this process alive. Default false. */
  readonly background?: boolean;
  readonly onSpawn?: OnSpawn;
};

export type MongodbServer = Restartable & {
  /** `mongodb://127.0.0.1:port`, the same after a restart; without credentials, which it does not check. */
  readonly address: string;
};

const CONNECT_TIMEOUT_MS = 2_000;

/** Starts a server and waits until it accepts connections. Throws where it does not become ready. */
export async function startMongodb(options: MongodbOptions): Promise<MongodbServer> {
  const port = options.port ?? (await freePort());
  const server = await startRestartable(
    () => startFerretdb(options, port),
    () => probe(port),
  );
  return {
    address: `mongodb://127.0.0.1:${port}`,
    ...server,
  };
}

async function startFerretdb(
  { dataDir, background = false, onSpawn }: MongodbOptions,
  port: number,
): Promise<ManagedProcess> {
  const data = join(dataDir, 'data');
  await mkdir(data, { recursive: true });
  const { command, args } = await provideForeignProgram(FOREIGN_PROGRAMS.ferretdb);
  return startProcess({
    name: 'mongodb',
    command,
    args: [...args, `-address=127.0.0.1:${port}`, `-directory=${data}`],
    logFile: join(dataDir, 'mongodb.log'),
    cwd: dataDir,
    background,
    ...(onSpawn === undefined ? {} : { onSpawn }),
  });
}

async function probe(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const connection = createConnection({ host: '127.0.0.1', port, timeout: CONNECT_TIMEOUT_MS });
    const end = (missing: string | undefined) => (): void => {
      connection.destroy();
      resolve(missing);
    };
    connection.once('connect', end(undefined));
    connection.once('timeout', end('no connection'));
    connection.once('error', end('it refuses connections'));
  });
}
