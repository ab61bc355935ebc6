/*
 * A real MariaDB on loopback, in a directory of its own, for tests and benches: it stands for MySQL, which Debian does
 * not have. It reads no settings of the machine, so an instance of the system is not touched.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './ports.js';
import { type OnSpawn, startProcess } from './process.js';
import { type Restartable, startRestartable } from './restartable.js';

export type MariadbServer = Restartable & {
  /** `127.0.0.1:port`, the same after a restart. */
  readonly address: string;
};

export type MariadbOptions = {
  /** Holds the data and `mariadb.log`; made where it is missing. */
  readonly dataDir: string;
  /** None takes a free one. */
  readonly port?: number;
  /** More options of the server. */
  readonly args?: readonly string[];
  /** Does not keep this process alive. Default false. */
  readonly background?: boolean;
  readonly onSpawn?: OnSpawn;
};

/** The one user, who may do everything from this machine. */
export const MARIADB_USER = 'imscope';
export const MARIADB_PASSWORD = 'imscope-test';

/** Starts a server and waits until it answers. The first start in a directory takes about 5 s more. */
export async function startMariadb({
  dataDir,
  port: wanted,
  args = [],
  background = false,
  onSpawn,
}: MariadbOptions): Promise<MariadbServer> {
  const port = wanted ?? (await freePort());
  const data = join(dataDir, 'data');
  const initFile = join(dataDir, 'users.sql');
  await mkdir(dataDir, { recursive: true });
  await writeFile(
    initFile,
    `create user if not exists ${MARIADB_USER}@'127.0.0.1' identified by '${MARIADB_PASSWORD}';
grant all on *.* to ${MARIADB_USER}@'127.0.0.1' with grant option;
`,
  );
  if (!existsSync(join(data, 'mysql'))) await createData(data);
  const server = await startRestartable(
    async () =>
      startProcess({
        name: 'mariadb',
        command: 'mariadbd',
        args: [...serverArgs(data, port, initFile), ...args],
        env: { PATH: programPath() },
        logFile: join(dataDir, 'mariadb.log'),
        cwd: dataDir,
        background,
        ...(onSpawn === undefined ? {} : { onSpawn }),
      }),
    () => probeGreeting(port),
  );
  return { address: `127.0.0.1:${port}`, ...server };
}

function serverArgs(data: string, port: number, initFile: string): string[] {
  return [
    '--no-defaults',
    '--user=root',
    `--datadir=${data}`,
    // In the directory of the data: a path of its own would be cut at 107 characters.
    '--socket=mariadb.sock',
    '--pid-file=mariadb.pid',
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    `--init-file=${initFile}`,
    '--innodb-buffer-pool-size=64M',
    '--innodb-log-file-size=32M',
    // Survives a killed process, though not a power cut.
    '--innodb-flush-log-at-trx-commit=2',
    '--performance-schema=OFF',
    '--max-connections=500',
  ];
}

async function createData(data: string): Promise<void> {
  // What a run left that was ended meanwhile.
  await rm(data, { recursive: true, force: true });
  await promisify(execFile)(
    'mariadb-install-db',
    [
      '--no-defaults',
      '--user=root',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ],
    { env: { ...process.env, PATH: programPath() } },
  );
}

/** The server is in sbin, which may be missing in PATH. */
function programPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;
}

/** Undefined once the server greets: its first byte is the length of the greeting. */
async function probeGreeting(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(2_000, () => socket.destroy(new Error('no greeting')));
    socket.once('error', (error) => resolve(error.message));
    socket.once('data', () => {
      resolve(undefined);
      socket.end();
    });
  });
}
