/*
 * Starts the whole chain on loopback, sinks first: Kafka, store, tables and topics, aggregator and collector, query
 * with the dashboard. Each is watched and started anew when it dies. Stop goes the other way round.
 */
import { join } from 'node:path';
import { type Broker, startBroker } from '../stack/broker.js';
import type { Credentials } from '../stack/credentials.js';
import { ensureKafkaJars } from '../stack/kafka-jars.js';
import { rememberProcess } from '../stack/leftovers.js';
import { writeLocalStack } from '../stack/local-stack.js';
import { freePort } from '../stack/ports.js';
import type { ManagedProcess, OnSpawn } from '../stack/process.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { runServiceCommand, type ServiceName, startService } from '../stack/services.js';
import { kafkaEnv, type RunningStore, startStore, type StoreAddress, storeEnv } from '../stack/store.js';
import { supervise, type Supervised, type SupervisorEvent } from '../stack/supervisor.js';
import type { DemoOptions } from './options.js';
import type { Screen } from './screen.js';
import { HISTORY_TERMS_ENV, LIVE_TERMS_ENV } from './terms.js';

export type StackOptions = {
  readonly demo: DemoOptions;
  readonly credentials: Credentials;
  readonly screen: Screen;
  readonly onEvent: (event: SupervisorEvent) => void;
  /** Every process that is started, as soon as it runs. */
  readonly onSpawn: OnSpawn;
};

export type Stack = {
  readonly collectorUrl: string;
  readonly queryUrl: string;
  readonly store: StoreAddress;
  readonly adminPorts: Readonly<Record<ServiceName, number>>;
};

/** Whatever was started, to be stopped in reverse, also when a later start failed. */
export type Started = { readonly name: string; stop(): Promise<void> }[];

const KAFKA_HEAP_MB = 512;
const STORE_MEMORY_BYTES_MAX = 1024 ** 3;

/** Starts everything. What runs stands in `started` at any time, also when this throws. */
export async function startStack(options: StackOptions, started: Started): Promise<Stack> {
  const { demo, credentials, screen } = options;
  const watch = watchWith(options, started);
  const kafka = await screen.step('Kafka', async (say) => {
    say('fetching its jars, once');
    await ensureKafkaJars();
    say('starting');
    return watchBroker(options, watch);
  });
  const store = await screen.step("store (ClickHouse's engine)", () => watchStore(options, watch));
  const upstream = { ...kafkaEnv(kafka.address), ...storeEnv(store) };
  const aggregatorEnv = { ...upstream, ...HISTORY_TERMS_ENV };
  await screen.step('tables and topics', () => prepare(options, aggregatorEnv));

  const services: Partial<Record<ServiceName, Record<string, string>>> = {};
  const start = (name: ServiceName, env: Record<string, string>): Promise<number> => {
    services[name] = env;
    return watchService(name, env, options, watch);
  };
  const { registryFile, sessionKey } = credentials;
  const aggregator = await screen.step('aggregator', () => start('aggregator', aggregatorEnv));
  const collector = await screen.step('collector', () =>
    start('collector', {
      ...kafkaEnv(kafka.address),
      COLLECTOR_HOST: '127.0.0.1',
      COLLECTOR_PORT: String(demo.collectorPort),
      REGISTRY_FILE: registryFile,
      SPOOL_DIR: join(demo.data, 'spool'),
      ...LIVE_TERMS_ENV,
    }),
  );
  const query = await screen.step('query and dashboard', () =>
    start('query', {
      ...storeEnv(store),
      QUERY_HOST: demo.host,
      QUERY_PORT: String(demo.port),
      REGISTRY_FILE: registryFile,
      SESSION_KEY: sessionKey,
      DASHBOARD_DIR: join(REPO_ROOT, 'services', 'dashboard', 'dist'),
    }),
  );
  const collectorUrl = `http://127.0.0.1:${demo.collectorPort}`;
  const queryUrl = `http://${reachableHost(demo.host)}:${demo.port}`;
  services.store = storeSettings(demo, store);
  writeLocalStack(credentials, { collectorUrl, queryUrl, services });
  return {
    collectorUrl,
    queryUrl,
    store,
    adminPorts: { store: store.adminPort, aggregator, collector, query },
  };
}

type Watch = <P extends ManagedProcess>(name: string, start: () => Promise<P>) => Promise<P>;

/** Puts a process under watch, and on the list of what is to be stopped. */
function watchWith({ onEvent }: StackOptions, started: Started): Watch {
  return async <P extends ManagedProcess>(name: string, start: () => Promise<P>): Promise<P> => {
    const supervised: Supervised<P> = await supervise({ name, start, onEvent });
    started.push({ name, stop: () => supervised.stop() });
    return supervised.current();
  };
}

async function watchStore(options: StackOptions, watch: Watch): Promise<RunningStore> {
  const { demo, credentials, onSpawn } = options;
  const adminPort = await freePort();
  return watch('store', () =>
    startStore({
      dataDir: join(demo.data, 'store'),
      mode: 'built',
      password: credentials.storePassword,
      port: demo.storePort,
      adminPort,
      memoryBytesMax: STORE_MEMORY_BYTES_MAX,
      logFile: logFile(demo, 'store'),
      onSpawn,
    }),
  );
}

/** The store's own settings, as far as `imscope config check` asks for them. */
function storeSettings(demo: DemoOptions, { user, password }: StoreAddress): Record<string, string> {
  return {
    STORE_HOST: '127.0.0.1',
    STORE_PORT: String(demo.storePort),
    STORE_DATA_DIR: join(demo.data, 'store'),
    STORE_USER: user,
    STORE_PASSWORD: password,
  };
}

async function prepare({ demo, onSpawn }: StackOptions, env: Record<string, string>): Promise<void> {
  const options = {
    name: 'aggregator',
    mode: 'built',
    env,
    logFile: logFile(demo, 'prepare'),
    onSpawn,
  } as const;
  await runServiceCommand(options, ['prepare']);
}

/** @returns its admin port, the same in every life */
async function watchService(
  name: ServiceName,
  env: Record<string, string>,
  { demo, onSpawn }: StackOptions,
  watch: Watch,
): Promise<number> {
  const adminPort = await freePort();
  const options = { name, mode: 'built', adminPort, env, logFile: logFile(demo, name), onSpawn } as const;
  await watch(name, () => startService(options));
  return adminPort;
}

function logFile({ data }: DemoOptions, name: string): string {
  return join(data, 'logs', `${name}.log`);
}

async function watchBroker({ demo, onSpawn }: StackOptions, watch: Watch): Promise<Broker> {
  let broker: Broker | undefined;
  const startAgain = async (): Promise<ManagedProcess> => {
    if (broker === undefined) {
      broker = await startBroker({
        dataDir: join(demo.data, 'kafka'),
        port: demo.kafkaPort,
        heapMb: KAFKA_HEAP_MB,
        onSpawn,
      });
    } else await broker.restart();
    return broker.process();
  };
  await watch('kafka', startAgain);
  if (broker === undefined) throw new Error('Kafka was started without a word');
  return broker;
}

/** Writes a process down, so that the next start finds it should we be killed. */
export function rememberIn(runDir: string): OnSpawn {
  return ({ name, pid }) => {
    const simulated = name.startsWith('simulator');
    const [folder = name] = name.split(' ');
    const part = simulated
      ? 'simulate-gateway'
      : folder === 'kafka'
        ? 'kafka.Kafka'
        : join('services', folder);
    rememberProcess(runDir, name.replaceAll(' ', '-'), pid, part);
  };
}

/** An address a browser on this machine can use. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
