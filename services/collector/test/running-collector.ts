/*
 * A real collector on a free port, with topics of its own on the real broker of IMSCOPE_TEST_KAFKA, and what
 * tests ask of it: posting, reading back every message of the topic, metrics.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@imscope/runtime/config.js';
import { createKafka, createTopics } from '@imscope/runtime/kafka-client.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { createReadiness, type Readiness } from '@imscope/runtime/readiness.js';
import { hashToken } from '@imscope/access/tokens.js';
import { type BatchHeaders, readBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { decodeContainer } from '@imscope/schemas/container-decoder.js';
import type { EdgeAccount } from '@imscope/schemas/edge-account.js';
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Kafka } from 'kafkajs';
import { Registry } from 'prom-client';
import { createCollector } from '../src/create-collector.js';
import { COLLECTOR_SETTINGS } from '../src/config.js';
import { createProducer, type KafkaProducer } from '../src/kafka/kafka-producer.js';

export const WRITE_TOKEN = 'write-token-for-all-0001';
export const EAST_TOKEN = 'write-token-for-east-001';
export const READ_TOKEN = 'read-token-for-all-00001';
export const EAST_APPLICATION = 1_400_000_077;

const STREAMS = [TOPICS.requestLog, TOPICS.interfaceMetric, TOPICS.edgeAccount];

export type StoredMessage<T = RequestLog> = {
  readonly partition: number;
  readonly offset: number;
  readonly bytes: number;
  readonly headers: BatchHeaders;
  readonly records: readonly T[];
};

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown };

export type RunningCollector = {
  readonly url: string;
  /** Where the PROXY protocol is spoken; undefined where it is not. */
  readonly proxyPort: number | undefined;
  readonly boot: string;
  readonly spoolDirectory: string;
  readonly readiness: Readiness;
  /** Posts a body; JSON and the token for all applications unless `headers` say otherwise. */
  post(body: string | Buffer, headers?: Record<string, string>): Promise<Answer>;
  /** All messages of request logs so far, by partition and offset. */
  messages(): Promise<StoredMessage[]>;
  /** The same of interface metrics and of edge accounts. */
  metricMessages(): Promise<StoredMessage<InterfaceMetric>[]>;
  accountMessages(): Promise<StoredMessage<EdgeAccount>[]>;
  /** The sum of a metric over its labels, or over those with this value. */
  metric(name: string, label?: string): Promise<number>;
  /** A metric by its only label. */
  labelled(name: string): Promise<Record<string, number>>;
  stop(): Promise<void>;
  /** Stops and takes everything away again. */
  remove(): Promise<void>;
};

/** host:port of the broker for tests. Throws where none is given: these tests do not pass without one. */
export function testBroker(): string {
  const broker = process.env['IMSCOPE_TEST_KAFKA'];
  if (broker === undefined || broker === '') {
    throw new Error(
      'IMSCOPE_TEST_KAFKA is not set: give host:port of a running Kafka, as ./scripts/test does',
    );
  }
  return broker;
}

function token(name: string, secret: string, scope: string, applications: unknown): object {
  return { name, sha256: hashToken(secret), scope, applications };
}

/** A registry file in a directory of its own. */
export async function writeRegistryFile(): Promise<{
  path: string;
  directory: string;
  remove: () => Promise<void>;
}> {
  const directory = await mkdtemp(join(tmpdir(), 'imscope-collector-'));
  const path = join(directory, 'registry.json');
  const tokens = [
    token('all', WRITE_TOKEN, 'write', 'all'),
    token('east', EAST_TOKEN, 'write', [EAST_APPLICATION]),
    token('reader', READ_TOKEN, 'requests', 'all'),
  ];
  await writeFile(path, JSON.stringify({ tokens }));
  return { path, directory, remove: () => rm(directory, { recursive: true }) };
}

/** Makes the topics a collector writes to, under a prefix nobody else has. */
export async function createTestTopic(
  partitions: number,
): Promise<{ kafka: Kafka; prefix: string; topic: string; remove: () => Promise<void> }> {
  const prefix = `test-${randomBytes(6).toString('hex')}.`;
  const settings = {
    kafkaBrokers: [testBroker()],
    kafkaTopicPrefix: prefix,
    kafkaTls: false,
    kafkaSaslMechanism: 'none',
    kafkaSaslUsername: '',
    kafkaSaslPassword: '',
  } as const;
  const kafka = createKafka(settings, 'collector-test', createLogger('collector-test', 'error'));
  const admin = kafka.admin();
  await admin.connect();
  await createTopics(admin, STREAMS, { prefix, partitions, replicationFactor: 1 });
  const topic = prefix + TOPICS.requestLog.name;
  return {
    kafka,
    prefix,
    topic,
    remove: async () => {
      await admin.deleteTopics({ topics: STREAMS.map(({ name }) => prefix + name) });
      await admin.disconnect();
    },
  };
}

/** @param wrap stands between the collector and its real producer, to watch or to disturb it */
export async function runCollector(
  options: {
    partitions?: number;
    environment?: Record<string, string>;
    /** Gets each log line from level info on. */
    onLog?: (line: string) => void;
    wrap?: (producer: KafkaProducer) => KafkaProducer;
    /** Gets what ends the process; without it nothing may. */
    fail?: (error: Error) => void;
  } = {},
): Promise<RunningCollector> {
  const { kafka, prefix, topic, remove: removeTopic } = await createTestTopic(options.partitions ?? 3);
  const registryFile = await writeRegistryFile();
  const loaded = loadConfig(COLLECTOR_SETTINGS, {
    KAFKA_BROKERS: testBroker(),
    KAFKA_TOPIC_PREFIX: prefix,
    REGISTRY_FILE: registryFile.path,
    SPOOL_DIR: join(registryFile.directory, 'spool'),
    COLLECTOR_PORT: '0',
    // Nobody asks these whether they are ready.
    DRAIN_MS: '0',
    ...options.environment,
  });
  assert(loaded.ok, loaded.ok ? '' : loaded.errors.join('\n'));
  const { onLog } = options;
  const logger =
    onLog === undefined
      ? createLogger('collector', 'fatal')
      : createLogger('collector', 'info', { write: onLog });
  const registry = new Registry();
  const readiness = createReadiness(['spool']);
  const producer = createProducer(kafka, prefix);
  const wrapped = options.wrap?.(producer) ?? producer;
  const context = { config: loaded.config, logger, registry, readiness, fail: options.fail ?? assert.fail };
  const collector = await createCollector(context, wrapped).catch(async (error: unknown) => {
    await removeTopic();
    await registryFile.remove();
    throw error;
  });
  const url = `http://127.0.0.1:${collector.port}/v1/request-logs`;
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= collector.stop());
  return {
    url,
    proxyPort: collector.proxyPort,
    boot: collector.boot,
    spoolDirectory: loaded.config.spoolDir,
    readiness,
    post: (body, headers) => post(url, body, headers),
    messages: () => readMessages<RequestLog>(kafka, topic),
    metricMessages: () => readMessages<InterfaceMetric>(kafka, prefix + TOPICS.interfaceMetric.name),
    accountMessages: () => readMessages<EdgeAccount>(kafka, prefix + TOPICS.edgeAccount.name),
    metric: async (name, label) => sum(await readMetric(registry, name), label),
    labelled: async (name) => {
      const values = await readMetric(registry, name);
      return Object.fromEntries(values.map(({ labels, value }) => [String(Object.values(labels)[0]), value]));
    },
    stop,
    remove: async () => {
      await stop();
      await removeTopic();
      await registryFile.remove();
    },
  };
}

async function post(
  url: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${WRITE_TOKEN}`, 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** All messages of a topic so far. */
export async function readMessages<T>(kafka: Kafka, topic: string): Promise<StoredMessage<T>[]> {
  const admin = kafka.admin();
  await admin.connect();
  // Also where it fails: an open connection would keep the test's process from ending.
  try {
    const ends = await admin.fetchTopicOffsets(topic);
    const total = ends.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
    if (total === 0) return [];
    const groupId = `${topic}-${randomBytes(6).toString('hex')}`;
    const messages = await consumeMessages<T>(kafka, { topic, groupId, total });
    await admin.deleteGroups([groupId]);
    return messages.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
  } finally {
    await admin.disconnect();
  }
}

async function consumeMessages<T>(
  kafka: Kafka,
  { topic, groupId, total }: { readonly topic: string; readonly groupId: string; readonly total: number },
): Promise<StoredMessage<T>[]> {
  const messages: StoredMessage<T>[] = [];
  const consumer = kafka.consumer({ groupId });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const eachMessage: Parameters<typeof consumer.run>[0] = {
        eachMessage: async ({ partition, message }) => {
          try {
            messages.push(decodeMessage<T>(partition, message));
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
          if (messages.length === total) resolve();
        },
      };
      consumer.run(eachMessage).catch(reject);
    });
    return messages;
  } finally {
    await consumer.disconnect();
  }
}

function decodeMessage<T>(
  partition: number,
  message: { offset: string; value: Buffer | null; headers?: Parameters<typeof readBatchHeaders>[0] },
): StoredMessage<T> {
  assert(message.value !== null);
  const read = readBatchHeaders(message.headers, message.value);
  assert(read.ok, read.ok ? '' : read.fault);
  const decoded = decodeContainer(message.value);
  assert(decoded.ok, decoded.ok ? '' : decoded.fault);
  assert.equal(read.headers.records, decoded.records.length);
  assert.equal(read.headers.batch.partition, partition);
  return {
    partition,
    offset: Number(message.offset),
    bytes: message.value.length,
    headers: read.headers,
    records: decoded.records as T[],
  };
}

type MetricValue = { readonly labels: Readonly<Record<string, unknown>>; readonly value: number };

async function readMetric(registry: Registry, name: string): Promise<readonly MetricValue[]> {
  const metric = await registry.getSingleMetric(`imscope_collector_${name}`)?.get();
  assert(metric !== undefined, `no metric ${name}`);
  return metric.values;
}

/** Over all labels, or over those with this value. */
function sum(values: readonly MetricValue[], label?: string): number {
  return values
    .filter(({ labels }) => label === undefined || Object.values(labels).includes(label))
    .reduce((total, { value }) => total + value, 0);
}
