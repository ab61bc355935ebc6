/*
 * The stack of the bench: a broker, a built store and aggregator with their default settings, and the topics of the peers.
 */
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import type { Producer } from 'kafkajs';
import { untilLed } from '@imscope/runtime/kafka-client.js';
import { TOPICS, topicSettings } from '@imscope/schemas/topics.js';
import { openKafka } from '../../stack/kafka-client.js';
import { startStack } from '../../stack/stack.js';
import type { RunningStore } from '../../stack/store.js';

/** Partitions that `prepare` creates by default. */
export const PARTITIONS = 4;
export const PREFIX = 'bench.';
/** Topics of the peers: the same containers, and one JSON record a message. */
export const PEER_TOPICS = { avro: 'peer.avro', json: 'peer.json' } as const;
const BROKER_HEAP_MB = 640;

export type IngestStack = {
  readonly directory: string;
  readonly broker: string;
  readonly store: RunningStore;
  readonly client: ClickHouseClient;
  readonly producer: Producer;
  readonly aggregator: { readonly adminPort: number; pid(): number };
  /** Ends the aggregator, waits for `meanwhile`, starts another one. */
  restartAggregator(meanwhile: () => Promise<void>): Promise<void>;
  end(): Promise<void>;
};

export async function startIngestStack(): Promise<IngestStack> {
  return startStack({ name: 'bench', mode: 'built', topicPrefix: PREFIX }, async (stack) => {
    const { address: broker } = await stack.startBroker({ heapMb: BROKER_HEAP_MB });
    const store = await stack.startStore();
    await stack.prepare({ TOPIC_PARTITIONS: String(PARTITIONS) });
    // Tables are truncated between measurements, and every reconcile pass would report that.
    const aggregator = await stack.startAggregator({ env: { RECONCILE_INTERVAL_S: '3600' } });
    const { url, user: username, password, database } = store;
    const client = createClient({
      url,
      username,
      password,
      database,
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    });
    stack.onEnd('client of the store', () => client.close());
    const producer = await openTopics(broker);
    stack.onEnd('producer', () => producer.disconnect());
    return {
      directory: stack.directory,
      broker,
      store,
      client,
      producer,
      aggregator: { adminPort: aggregator.adminPort, pid: () => stack.process('aggregator').pid },
      restartAggregator: async (meanwhile) => {
        await stack.stop('aggregator');
        await meanwhile();
        await stack.start('aggregator');
      },
      end: () => stack.end(),
    };
  });
}

/** Creates the peers' topics and connects a producer. */
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
