/*
 * Two collectors as built, as processes of their own, on topics of their own: what a balancer stands before. Each may
 * be stopped, killed and started again on its ports and its spool.
 */
import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
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
import { type RunningService, startService } from '../stack/services.js';

export type CollectorPorts = {
  readonly port: number;
  readonly proxyPort: number;
  readonly adminPort: number;
};

export type BalancedCollectors = {
  readonly ports: readonly [CollectorPorts, CollectorPorts];
  readonly token: string;
  /** Holds the logs of the collectors, and whatever a test puts beside them. */
  readonly directory: string;
  /** SIGTERM; throws where it does not end with code 0. */
  stop(index: 0 | 1): Promise<void>;
  /** SIGKILL. */
  kill(index: 0 | 1): Promise<void>;
  start(index: 0 | 1): Promise<void>;
  /** Waits until it has taken records since its start: whoever restarts several goes on to the next only then. */
  untilTaking(index: 0 | 1): Promise<void>;
  /** Takes the spool's directory away: the collector answers 503 from its next look at it on. Call the result to end it. */
  failDisk(index: 0 | 1): () => void;
  /** How many requests it has answered 503. */
  unavailable(index: 0 | 1): Promise<number>;
  /** Waits until the collectors' logs tell of refused requests from these networks; all of those they tell of. */
  refusedFrom(networks: readonly string[]): Promise<ReadonlySet<string>>;
  /** Stops both once Kafka has all of their spools; every message of request logs. */
  stopAndRead(): Promise<readonly StoredMessage[]>;
  end(): Promise<void>;
};

const PARTITIONS = 4;
const SPOOL_MS_MAX = 60_000;
const LOGGED_MS_MAX = 10_000;
const TAKING_MS_MAX = 30_000;

export async function startCollectors(
  settings: Readonly<Record<string, string>> = {},
): Promise<BalancedCollectors> {
  const topic = await createTestTopic(PARTITIONS);
  const registry = await writeRegistryFile();
  const ports = [await newPorts(), await newPorts()] as const;
  const running = new Map<0 | 1, RunningService>();
  const logFile = (index: 0 | 1): string => join(registry.directory, `collector-${index + 1}.log`);
  const spool = (index: 0 | 1): string => join(registry.directory, `spool-${index + 1}`);
  const start = async (index: 0 | 1): Promise<void> => {
    const { port, proxyPort, adminPort } = ports[index];
    const env = {
      KAFKA_BROKERS: testBroker(),
      KAFKA_TOPIC_PREFIX: topic.prefix,
      REGISTRY_FILE: registry.path,
      SPOOL_DIR: spool(index),
      COLLECTOR_NAME: `collector-${index + 1}`,
      COLLECTOR_PORT: String(port),
      PROXY_PROTOCOL_PORT: String(proxyPort),
      ...settings,
    };
    const service = { name: 'collector', mode: 'built', env, logFile: logFile(index), adminPort } as const;
    running.set(index, await startService(service));
  };
  const stop = async (index: 0 | 1): Promise<void> => {
    const exit = await running.get(index)?.stop();
    if (exit?.code !== 0) throw new Error(`collector ${index + 1} ended with ${JSON.stringify(exit)}`);
  };
  const kill = async (index: 0 | 1): Promise<void> => {
    await running.get(index)?.kill();
  };
  const end = async (): Promise<void> => {
    await kill(0);
    await kill(1);
    await topic.remove();
    await registry.remove();
  };
  try {
    await Promise.all([start(0), start(1)]);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    ports,
    token: WRITE_TOKEN,
    directory: registry.directory,
    stop,
    kill,
    start,
    untilTaking: async (index) => untilTaking(ports[index].adminPort),
    failDisk: (index) => {
      renameSync(spool(index), `${spool(index)}-away`);
      return () => renameSync(`${spool(index)}-away`, spool(index));
    },
    unavailable: async (index) => countUnavailable(ports[index].adminPort),
    refusedFrom: async (networks) => untilRefused([logFile(0), logFile(1)], networks),
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

/** Every record that was acknowledged is there, once, and no other. */
export function assertEachOnce(messages: readonly StoredMessage[], acknowledged: ReadonlySet<string>): void {
  const ids = messages.flatMap(({ records }) => records.map(({ request_id: id }) => id));
  assert.equal(new Set(ids).size, ids.length, 'a record is there twice');
  assert.deepEqual(new Set(ids), acknowledged);
}

/** As every reader of the log does: a batch that comes again under its id is dropped. */
export function withoutRepeated(messages: readonly StoredMessage[]): StoredMessage[] {
  const seen = new Set<string>();
  return messages.filter(({ headers }) => {
    const id = JSON.stringify(headers.batch);
    const isNew = !seen.has(id);
    seen.add(id);
    return isNew;
  });
}

async function newPorts(): Promise<CollectorPorts> {
  return { port: await freePort(), proxyPort: await freePort(), adminPort: await freePort() };
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

/** Networks of clients, as a collector's log names them. */
function readRefused(logFile: string): string[] {
  return readFileSync(logFile, 'utf8')
    .split('\n')
    .filter((line) => line.includes('refused for their token'))
    .map((line) => (JSON.parse(line) as { client: string }).client);
}
