/* A real Redis on loopback, in a directory of its own, for tests and benches. Its data outlive it. */
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from './ports.js';
import { type OnSpawn, startProcess } from './process.js';
import { type Restartable, startRestartable } from './restartable.js';

export type RedisServer = Restartable & {
  /** `127.0.0.1:port`, the same after a restart. */
  readonly address: string;
};

export type RedisOptions = {
  /** Holds the data and `redis.log`; made where it is missing. */
  readonly dataDir: string;
  /** None takes a free one. */
  readonly port?: number;
  /** False: what it holds is gone after a restart. Default true. */
  readonly keepsData?: boolean;
  /** Does not keep this process alive. Default false. */
  readonly background?: boolean;
  readonly onSpawn?: OnSpawn;
};

/** Starts a server, without a password, and waits until it answers. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const { dataDir, keepsData = true, background = false, onSpawn } = options;
  const port = options.port ?? (await freePort());
  await mkdir(dataDir, { recursive: true });
  const server = await startRestartable(
    async () =>
      startProcess({
        name: 'redis',
        command: 'redis-server',
        args: [
          `--port ${port}`,
          '--bind 127.0.0.1',
          `--dir ${dataDir}`,
          '--save ""',
          `--appendonly ${keepsData ? 'yes' : 'no'}`,
        ],
        logFile: join(dataDir, 'redis.log'),
        cwd: dataDir,
        background,
        ...(onSpawn === undefined ? {} : { onSpawn }),
      }),
    () => probePing(port),
  );
  return { address: `127.0.0.1:${port}`, ...server };
}

/** Undefined once the server answers PING; while it reads its data it answers otherwise. */
async function probePing(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')));
    socket.once('error', (error) => resolve(error.message));
    socket.once('data', (answer) => {
      resolve(answer.toString().startsWith('+PONG') ? undefined : answer.toString());
      socket.end();
    });
  });
}
