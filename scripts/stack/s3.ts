/*
 * A real S3 server on loopback for tests (versitygw: files of a folder, one bucket a folder). It counts as started when it
 * answers. Its folder outlives it. It does not implement lifecycle rules of buckets.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FOREIGN_PROGRAMS, provideForeignProgram } from './foreign-programs.js';
import { freePort } from './ports.js';
import { type ManagedProcess, type OnSpawn, startProcess } from './process.js';
import { type Restartable, startRestartable } from './restartable.js';

export type S3Options = {
  /** Holds the buckets, versions, metadata and `s3.log`; made where it is missing. */
  readonly dataDir: string;
  /** None takes a free one. */
  readonly port?: number;
  /** Does not keep this process alive. Default false. */
  readonly background?: boolean;
  readonly onSpawn?: OnSpawn;
};

export type S3Server = Restartable & {
  /** `http://access-key:secret-key@127.0.0.1:port`, the same after a restart: `readS3Address` reads it. */
  readonly address: string;
};

export type S3Access = {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
};

const REGION = 'us-east-1';
const HEALTH_PATH = '/health';

/** Starts a server and waits until it answers. Throws where it does not become ready. */
export async function startS3(options: S3Options): Promise<S3Server> {
  const port = options.port ?? (await freePort());
  const accessKeyId = randomBytes(8).toString('hex');
  const secretAccessKey = randomBytes(16).toString('hex');
  const server = await startRestartable(
    () => startGateway(options, port, { accessKeyId, secretAccessKey }),
    () => probe(port),
  );
  return {
    address: `http://${accessKeyId}:${secretAccessKey}@127.0.0.1:${port}`,
    ...server,
  };
}

/** The parts of a server's address, which holds its credentials. */
export function readS3Address(address: string): S3Access {
  const { origin, username, password } = new URL(address);
  return { endpoint: origin, region: REGION, accessKeyId: username, secretAccessKey: password };
}

async function startGateway(
  { dataDir, background = false, onSpawn }: S3Options,
  port: number,
  keys: Pick<S3Access, 'accessKeyId' | 'secretAccessKey'>,
): Promise<ManagedProcess> {
  const buckets = join(dataDir, 'buckets');
  const versions = join(dataDir, 'versions');
  const metadata = join(dataDir, 'metadata');
  for (const folder of [buckets, versions, metadata]) await mkdir(folder, { recursive: true });
  const { command, args } = await provideForeignProgram(FOREIGN_PROGRAMS.versitygw);
  return startProcess({
    name: 's3',
    command,
    args: [
      ...args,
      `--port=127.0.0.1:${port}`,
      `--region=${REGION}`,
      `--health=${HEALTH_PATH}`,
      '--quiet',
      '--keep-alive',
      'posix',
      `--versioning-dir=${versions}`,
      // Attributes of files in a folder of their own: not every file system keeps them.
      `--sidecar=${metadata}`,
      buckets,
    ],
    env: { ROOT_ACCESS_KEY_ID: keys.accessKeyId, ROOT_SECRET_ACCESS_KEY: keys.secretAccessKey },
    logFile: join(dataDir, 's3.log'),
    cwd: dataDir,
    background,
    ...(onSpawn === undefined ? {} : { onSpawn }),
  });
}

async function probe(port: number): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${HEALTH_PATH}`, {
      signal: AbortSignal.timeout(2_000),
    });
    await answer.arrayBuffer();
    return answer.ok ? undefined : `it answers ${answer.status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
