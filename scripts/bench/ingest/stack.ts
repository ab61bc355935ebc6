/*
 * What is measured: a broker, a store and an aggregator of the bench's own, as built and with their default
 * settings, and the topics that the peers read.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import type { Producer } from 'kafkajs';
import { untilLed } from '@imscope/runtime/kafka-client.js';
import { TOPICS, topicSettings } from '@imscope/schemas/topics.js';
import { startBroker } from '../../stack/broker.js';
import { type RunningService, runServiceCommand, startService } from '../../stack/services.js';
import { type RunningStore, startStore, storeEnv } from '../../stack/store.js';
import { openKafka } from '../../stack/kafka-client.js';

/** As many as `prepare` makes by default. */
export const PARTITIONS = 4;
export const PREFIX = 'bench.';
/** Topics beside ours: the same containers, and one JSON record a message. */
export const PEER_TOPICS = { avro: 'peer.avro', json: 'peer.json' } as const;
const BROKER_HEAP_MB = 640;

export type IngestStack = {
  readonly directory: string;
  readonly broker: string;
  readonly store: RunningStore;
  readonly client: ClickHouseClient;
  readonly producer: Producer;
  aggregator(): RunningService;
  /** Ends the aggregator, waits for `meanwhile`, starts another one. */
  restartAggregator(meanwhile: () => Promise<void>): Promise<void>;
  end(): Promise<void>;
};

export async function startIngestStack(): Promise<IngestStack> {
  const directory = mkdtempSync(join(tmpdir(), 'imscope-bench-'));
  const started: (() => Promise<unknown>)[] = [];
  const end = async (): Promise<void> => {
    for (const stop of started.toReversed()) await stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const broker = await startBroker({ dataDir: join(directory, 'kafka'), heapMb: BROKER_HEAP_MB });
    started.push(() => broker.stop());
    const store = await startStore({ dataDir: join(directory, 'store'), mode: 'built', password: 'bench' });
    started.push(() => store.stop());
    const env = {
      KAFKA_BROKERS: broker.address,
      KAFKA_TOPIC_PREFIX: PREFIX,
      ...storeEnv(store),
      // Tables are truncated between measurements, and reconciliation would find that out, every minute.
      RECONCILE_INTERVAL_S: '3600',
    };
    const service = { name: 'aggregator', mode: 'built', env } as const;
    const topics = { TOPIC_PARTITIONS: String(PARTITIONS) };
    await runServiceCommand(
      { ...service, env: { ...env, ...topics }, logFile: join(directory, 'prepare.log') },
      ['prepare'],
    );
    const logFile = join(directory, 'aggregator.log');
    let aggregator = await startService({ ...service, logFile });
    started.push(() => aggregator.stop());
    const client = createClient({
      url: store.url,
      username: store.user,
      password: store.password,
      database: store.database,
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    });
    started.push(() => client.close());
    const producer = await openTopics(broker.address);
    started.push(() => producer.disconnect());
    const restartAggregator = async (meanwhile: () => Promise<void>): Promise<void> => {
      await aggregator.stop();
      await meanwhile();
      aggregator = await startService({ ...service, logFile });
    };
    const address = broker.address;
    const running = { aggregator: () => aggregator, restartAggregator };
    return { directory, broker: address, store, client, producer, ...running, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Makes the peers' topics and connects a producer. */
async function openTopics(broker: string): Promise<Producer> {
  const kafka = openKafka(broker, { clientId: 'imscope-bench' });
  const admin = kafka.admin();
  await admin.connect();
  const configEntries = Object.entries(topicSettings(TOPICS.requestLog)).map(([name, value]) => ({
    name,
    value,
  }));
  await admin.createTopics({
    waitForLeaders: false,
    topics: Object.values(PEER_TOPICS).map((topic) => ({
      topic,
      numPartitions: PARTITIONS,
      replicationFactor: 1,
      configEntries,
    })),
  });
  await untilLed(admin, Object.values(PEER_TOPICS));
  await admin.disconnect();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return producer;
}
