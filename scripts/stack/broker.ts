/*
 * A real Apache Kafka broker on loopback (KRaft, one node), for the demonstration, tests and benches. It counts as
 * started when it answers a client. Its data directory outlives it; stop is clean and bounded.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureKafkaJars } from './kafka-jars.js';
import { freePort, isPortFree, portHolder } from './ports.js';
import { type ManagedProcess, type OnSpawn, startProcess, waitUntil } from './process.js';
import { REPO_ROOT } from './repo-root.js';
import { openKafka } from './kafka-client.js';

export type BrokerOptions = {
  /** Holds the log, `server.properties` and `broker.log`; made where it is missing. */
  readonly dataDir: string;
  /** 0 or none takes a free one. */
  readonly port?: number;
  /** Heap of the JVM; its whole memory is about 250 MB more. Default 512. */
  readonly heapMb?: number;
  readonly onSpawn?: OnSpawn;
};

export type Broker = {
  /** `127.0.0.1:port`, the same after a restart. */
  readonly address: string;
  readonly port: number;
  /** The process as it is now: another one after `restart`. */
  process(): ManagedProcess;
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, after `stop`, `kill` or while it runs. */
  restart(): Promise<void>;
};

const TEMPLATE_FILE = join(REPO_ROOT, 'deploy', 'kafka', 'server.properties');
const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 30_000;
const HEAP_MB = 512;

/** Starts a broker and waits until it answers. Throws where its port is in use or it does not become ready. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const port = options.port === undefined || options.port === 0 ? await freePort() : options.port;
  if (!(await isPortFree(port))) {
    throw new Error(`port ${port} for Kafka is taken (${portHolder(port)}): stop it or choose another port`);
  }
  const address = `127.0.0.1:${port}`;
  const classPath = join(await ensureKafkaJars(), '*');
  const propertiesFile = await writeProperties(options.dataDir, port);
  if (!existsSync(join(options.dataDir, 'log', 'meta.properties'))) await format(classPath, propertiesFile);
  const start = async (): Promise<ManagedProcess> => {
    const child = await startJava(classPath, propertiesFile, options);
    try {
      await waitUntil(child, () => probeBroker(address), START_TIMEOUT_MS);
    } catch (error) {
      await child.kill();
      throw error;
    }
    return child;
  };
  let current = await start();
  return {
    address,
    port,
    process: () => current,
    stop: async () => {
      await current.stop(STOP_GRACE_MS);
    },
    kill: async () => {
      await current.kill();
    },
    restart: async () => {
      await current.stop(STOP_GRACE_MS);
      current = await start();
    },
  };
}

async function writeProperties(dataDir: string, port: number): Promise<string> {
  const logDir = join(dataDir, 'log');
  await mkdir(logDir, { recursive: true });
  const values: Record<string, string> = {
    PORT: String(port),
    CONTROLLER_PORT: String(await freePort()),
    LOG_DIR: logDir,
  };
  const template = await readFile(TEMPLATE_FILE, 'utf8');
  const file = join(dataDir, 'server.properties');
  await writeFile(
    file,
    template.replaceAll(
      /@([A-Z]+(?:_[A-Z]+)*)@/g,
      (placeholder, name: string) => values[name] ?? placeholder,
    ),
  );
  return file;
}

/** Formats a new data directory. Its cluster id is new, too, so offsets start at 0. */
async function format(classPath: string, propertiesFile: string): Promise<void> {
  // Kafka reads a leading dash as an option.
  const clusterId = `a${randomBytes(16).toString('base64url').slice(1)}`;
  await promisify(execFile)('java', [
    '-XX:TieredStopAtLevel=1',
    '-cp',
    classPath,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    clusterId,
    '-c',
    propertiesFile,
  ]);
}

async function startJava(
  classPath: string,
  propertiesFile: string,
  { dataDir, heapMb = HEAP_MB, onSpawn }: BrokerOptions,
): Promise<ManagedProcess> {
  return startProcess({
    name: 'kafka',
    command: 'java',
    args: [
      `-Xmx${heapMb}m`,
      '-Xms128m',
      '-XX:+UseSerialGC',
      // The first compiler only: a third less processor time to start, and ours are few and large messages.
      '-XX:TieredStopAtLevel=1',
      '-XX:+ExitOnOutOfMemoryError',
      '-Djava.awt.headless=true',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-cp',
      classPath,
      'kafka.Kafka',
      propertiesFile,
    ],
    logFile: join(dataDir, 'broker.log'),
    cwd: dataDir,
    ...(onSpawn === undefined ? {} : { onSpawn }),
  });
}

/** Undefined once the broker names itself among the cluster's nodes. */
async function probeBroker(address: string): Promise<string | undefined> {
  const kafka = openKafka(address, {
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return brokers.length > 0 ? undefined : 'no broker has joined the cluster';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await admin.disconnect();
  }
}
