/*
 * Starts the stack of the demonstration, each part as a numbered step of the screen: Kafka, store, tables and topics,
 * aggregator, registry with the demonstration's applications, collector, query with the dashboard.
 */
import { join } from 'node:path';
import { ensureKafkaJars } from '../stack/kafka-jars.js';
import { rememberProcess } from '../stack/leftovers.js';
import { writeLocalStack } from '../stack/local-stack.js';
import type { OnSpawn } from '../stack/process.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import type { StoreAddress } from '../stack/service-env.js';
import type { ServiceName } from '../stack/services.js';
import type { Stack } from '../stack/stack.js';
import { createDemoApplications } from './demo-applications.js';
import type { DemoOptions } from './options.js';
import type { Screen } from './screen.js';
import { HISTORY_TERMS_ENV, LIVE_TERMS_ENV } from './terms.js';

export type DemoStack = {
  readonly collectorUrl: string;
  readonly queryUrl: string;
  readonly store: StoreAddress;
  readonly registryUrl: string;
  readonly adminPorts: Readonly<Record<ServiceName, number>>;
};

const KAFKA_HEAP_MB = 512;
const STORE_MEMORY_BYTES_MAX = 1024 ** 3;

/** Starts everything within `stack`, and writes down where it is for the `imscope` command. */
export async function startDemoStack(stack: Stack, demo: DemoOptions, screen: Screen): Promise<DemoStack> {
  await screen.step('Kafka', async (say) => {
    say('fetching its jars, once');
    await ensureKafkaJars();
    say('starting');
    await stack.startBroker({ heapMb: KAFKA_HEAP_MB, port: demo.kafkaPort });
  });
  const store = await screen.step("store (ClickHouse's engine)", () =>
    stack.startStore({ port: demo.storePort, memoryBytesMax: STORE_MEMORY_BYTES_MAX }),
  );
  await screen.step('tables and topics', () => stack.prepare(HISTORY_TERMS_ENV));
  // These run beside the aggregator's start, which takes as long.
  const registryStart = stack.startRegistry({ port: demo.registryPort });
  registryStart.catch(() => undefined);
  const networksLoad = stack.loadNetworks();
  networksLoad.catch(() => undefined);
  const aggregator = await screen.step('aggregator', () => stack.startAggregator({ env: HISTORY_TERMS_ENV }));
  const registry = await screen.step('registry', async (say) => {
    const started = await registryStart;
    const created = await createDemoApplications(started.url, stack.credentials.adminToken);
    if (created > 0) say(`created ${created} applications`);
    return started;
  });
  const collector = await screen.step('collector', () =>
    stack.startCollector({
      port: demo.collectorPort,
      env: { ...LIVE_TERMS_ENV, ...stack.fromRegistry('collector') },
    }),
  );
  await screen.step('address data', async (say) => {
    say('loading the networks of the internet, once');
    await networksLoad;
  });
  const query = await screen.step('query and dashboard', () =>
    stack.startQuery({
      port: demo.port,
      env: {
        ...stack.fromRegistry('query'),
        QUERY_HOST: demo.host,
        REGISTRY_URL: registry.url,
        // What people set is kept beside the registry's rows.
        DATABASE_URL: stack.env('registry')['DATABASE_URL'] ?? '',
        SESSION_KEY: stack.credentials.sessionKey,
        DASHBOARD_DIR: join(REPO_ROOT, 'services', 'dashboard', 'dist'),
      },
    }),
  );
  const { url: collectorUrl } = collector;
  const queryUrl = `http://${reachableHost(demo.host)}:${demo.port}`;
  const names = ['aggregator', 'collector', 'query', 'registry', 'store'] as const;
  const services = Object.fromEntries(names.map((name) => [name, stack.env(name)]));
  const { url: registryUrl } = registry;
  writeLocalStack(stack.credentials, { collectorUrl, queryUrl, registryUrl, services });
  const adminPorts = {
    store: store.adminPort,
    aggregator: aggregator.adminPort,
    collector: collector.adminPort,
    query: query.adminPort,
    registry: registry.adminPort,
  };
  return { collectorUrl, queryUrl, registryUrl, store, adminPorts };
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
