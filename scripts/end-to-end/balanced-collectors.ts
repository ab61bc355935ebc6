/*
 * Starts two built collectors with separate topics behind a load balancer under test. Each can be stopped, killed and
 * started again with the same ports and spool.
 */
import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createTestTopic,
  readMessages,
  type StoredMessage,
  testBroker,
  WRITE_TOKEN,
  writeRegistryFile,
} from '../../services/collector/test/running-collector.js';
import { untilSpoolEmpty } from '../pipeline/caught-up.js';
import { freePort } from '../stack/ports.js';
import { readMetric } from '../stack/read-metric.js';
import type { Env } from '../stack/service-env.js';
import { Stack } from '../stack/stack.js';

export type CollectorPorts = {
  readonly port: number;
  readonly proxyPort: number;
  readonly adminPort: number;
};

export type BalancedCollectors = {
  readonly ports: readonly [CollectorPorts, CollectorPorts];
  readonly token: string;
  /** Directory of the collectors' logs; tests may add files. */
  readonly directory: string;
  /** Sends SIGTERM. Throws if the exit code is not 0. */
  stop(index: 0 | 1): Promise<void>;
  /** SIGKILL. */
  kill(index: 0 | 1): Promise<void>;
  start(index: 0 | 1): Promise<void>;
  /** Waits until it has accepted records since its start. A rolling restart continues only then. */
  untilTaking(index: 0 | 1): Promise<void>;
  /** Removes the spool's directory: the collector answers 503 from its next check on. Call the result to restore it. */
  failDisk(index: 0 | 1): () => void;
  /** Number of requests answered 503. */
  unavailable(index: 0 | 1): Promise<number>;
  /** Waits until the collectors have logged refused requests from these networks. @returns all logged networks */
  refusedFrom(networks: readonly string[]): Promise<ReadonlySet<string>>;
  /** Stops both once their spools are sent to Kafka. @returns every message of request logs */
  stopAndRead(): Promise<readonly StoredMessage[]>;
  end(): Promise<void>;
};

const NAMES = ['collector-1', 'collector-2'] as const;
type CollectorName = (typeof NAMES)[number];
const PARTITIONS = 4;
const SPOOL_MS_MAX = 60_000;
const LOGGED_MS_MAX = 10_000;
const TAKING_MS_MAX = 30_000;

export async function startCollectors(
  settings: Readonly<Record<string, string>> = {},
): Promise<BalancedCollectors> {
  const topic = await createTestTopic(PARTITIONS);
  const registry = await writeRegistryFile();
  const { directory } = registry;
  const stack = new Stack({
    name: 'balanced',
    mode: 'built',
    directory,
    broker: testBroker(),
    topicPrefix: topic.prefix,
  });
  const stop = async (index: 0 | 1): Promise<void> => {
    const exit = await stack.process(NAMES[index]).stop();
    if (exit.code !== 0) throw new Error(`${NAMES[index]} ended with ${JSON.stringify(exit)}`);
  };
  const kill = async (index: 0 | 1): Promise<void> => stack.kill(NAMES[index]);
  const end = async (): Promise<void> => {
    for (const name of NAMES) if (stack.has(name)) await stack.kill(name);
    await stack.end();
    await topic.remove();
    await registry.remove();
  };
  let ports: readonly [CollectorPorts, CollectorPorts];
  try {
    const env = { REGISTRY_FILE: registry.path, ...settings };
    ports = await Promise.all([startOne(stack, NAMES[0], env), startOne(stack, NAMES[1], env)]);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    ports,
    token: WRITE_TOKEN,
    directory,
    stop,
    kill,
    start: (index) => stack.start(NAMES[index]),
    untilTaking: async (index) => untilTaking(ports[index].adminPort),
    failDisk: (index) => {
      const { SPOOL_DIR: spool = '' } = stack.env(NAMES[index]);
      renameSync(spool, `${spool}-away`);
      return () => renameSync(`${spool}-away`, spool);
    },
    unavailable: async (index) => countUnavailable(ports[index].adminPort),
    refusedFrom: async (networks) =>
      untilRefused(
        NAMES.map((name) => stack.process(name).logFile),
        networks,
      ),
    stopAndRead: async () => {
      for (const index of [0, 1] as const) {
        await untilSpoolEmpty((metric) => readMetric(ports[index].adminPort, metric), SPOOL_MS_MAX);
        await stop(index);
      }
      return readMessages(topic.kafka, topic.topic);
    },
    end,
  };
}

/** Every acknowledged record is in Kafka exactly once, and no other record is. */
export function assertEachOnce(messages: readonly StoredMessage[], acknowledged: ReadonlySet<string>): void {
  const ids = messages.flatMap(({ records }) => records.map(({ request_id: id }) => id));
  assert.equal(new Set(ids).size, ids.length, 'a record is there twice');
  assert.deepEqual(new Set(ids), acknowledged);
}

/** Drops repeated batches by their id, as every consumer of the topic does. */
export function withoutRepeated(messages: readonly StoredMessage[]): StoredMessage[] {
  const seen = new Set<string>();
  return messages.filter(({ headers }) => {
    const id = JSON.stringify(headers.batch);
    const isNew = !seen.has(id);
    seen.add(id);
    return isNew;
  });
}

async function startOne(stack: Stack, name: CollectorName, settings: Env): Promise<CollectorPorts> {
  const proxyPort = await freePort();
  const env = { COLLECTOR_NAME: name, PROXY_PROTOCOL_PORT: String(proxyPort), ...settings };
  const { port, adminPort } = await stack.startCollector({ name, env });
  return { port, proxyPort, adminPort };
}

async function untilTaking(adminPort: number): Promise<void> {
  const deadline = performance.now() + TAKING_MS_MAX;
  while ((await readMetric(adminPort, 'imscope_collector_records_received_total')) === 0) {
    if (performance.now() > deadline) throw new Error(`nothing was sent to it for ${TAKING_MS_MAX} ms`);
    await sleep(20);
  }
}

async function countUnavailable(adminPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return Number(/^imscope_collector_requests_total\{status="503".*\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

async function untilRefused(
  logFiles: readonly string[],
  networks: readonly string[],
): Promise<ReadonlySet<string>> {
  const deadline = performance.now() + LOGGED_MS_MAX;
  for (;;) {
    const clients = new Set(logFiles.flatMap(readRefused));
    if (networks.every((network) => clients.has(network))) return clients;
    if (performance.now() > deadline)
      throw new Error(`refused were ${[...clients].join(', ')}, expected ${networks.join(', ')}`);
    await sleep(20);
  }
}

/** Networks of clients in a collector's log. */
function readRefused(logFile: string): string[] {
  return readFileSync(logFile, 'utf8')
    .split('\n')
    .filter((line) => line.includes('refused for their token'))
    .map((line) => (JSON.parse(line) as { client: string }).client);
}
