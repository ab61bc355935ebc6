/*
 * Publishes entries to the compacted topic, which it creates. Two messages stand around a complete publication
 * (`PUBLICATION_KEYS` of schemas/src/registry-entry.ts). The end of the topic is kept with the position: where it is
 * another one, the topic was created again or another publisher wrote it, and everything is published again.
 */
import { createMissingTopics } from '@imscope/runtime/kafka-client.js';
import { kafkaErrorType } from '@imscope/runtime/kafka-error.js';
import { withinTime } from '@imscope/access/source-sessions.js';
import { ENTRY_TOPIC, ENTRY_TOPIC_SETTINGS, PUBLICATION_KEYS } from '@imscope/schemas/registry-entry.js';
import { MESSAGE_BYTES_MAX } from '@imscope/schemas/topics.js';
import type { Admin, Kafka, Producer } from 'kafkajs';
import type { EntrySink } from './entry-sink.js';

export type TopicSinkSettings = {
  readonly kafka: Kafka;
  readonly prefix: string;
  readonly replicationFactor: number;
};

type Message = { readonly key: string; readonly value: string | null };
type Clients = { readonly admin: Admin; readonly producer: Producer };

const CALL_MS_MAX = 10_000;

export function createTopicSink(settings: TopicSinkSettings): EntrySink {
  const topic = settings.prefix + ENTRY_TOPIC;
  const connection = createConnection(settings, topic);

  /** @returns the offset after the last message */
  async function send(messages: readonly Message[]): Promise<number> {
    const { producer } = await connection.open();
    let end = 0;
    for (const part of partsOf(messages)) {
      const sent = producer.send({ topic, acks: -1, messages: part });
      const [record] = await withinTime(sent, CALL_MS_MAX, 'writing to the topic');
      end = Number(record?.baseOffset ?? -1) + part.length;
    }
    return end;
  }

  return {
    name: 'topic',
    isAt: async ({ end }) => {
      const { admin } = await connection.open();
      const offsets = await withinTime(
        admin.fetchTopicOffsets(topic),
        CALL_MS_MAX,
        'reading the end of the topic',
      );
      return Number(offsets.find(({ partition }) => partition === 0)?.high ?? -1) === end;
    },
    republish: async (pages, generation, revision) => {
      const value = JSON.stringify({ generation, revision });
      await send([{ key: PUBLICATION_KEYS.begin, value }]);
      for await (const changes of pages) {
        await send(changes.map((change) => ({ key: change.key, value: JSON.stringify(change) })));
      }
      const end = await send([{ key: PUBLICATION_KEYS.complete, value }]);
      return { generation, revision, forgotten: 0, end };
    },
    publish: async (changes, position) => {
      const end = await send(changes.map((change) => ({ key: change.key, value: JSON.stringify(change) })));
      return { ...position, revision: changes.at(-1)?.revision ?? position.revision, end };
    },
    forget: async (keys, _revision, position) => {
      if (keys.length === 0) return position;
      return { ...position, end: await send(keys.map((key) => ({ key, value: null }))) };
    },
    close: async () => connection.close(),
  };
}

/** Parts that fit into one batch of the broker. An entry is at most some 150 kB. */
function partsOf(messages: readonly Message[]): Message[][] {
  const parts: Message[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const size = message.key.length + Buffer.byteLength(message.value ?? '') + 64;
    if (bytes + size > MESSAGE_BYTES_MAX) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(message);
    bytes += size;
  }
  return parts;
}

/** Clients that are opened, and the topic created, when they are needed. */
function createConnection({ kafka, replicationFactor }: TopicSinkSettings, topic: string) {
  let current: Promise<Clients> | undefined;
  const open = async (): Promise<Clients> => {
    // The follower tries again: a retry that goes on after the disconnection would open a connection again.
    const admin = kafka.admin({ retry: { retries: 0 } });
    const producer = kafka.producer({
      // A batch that is written twice does no harm; its place among the others is kept.
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: 1 },
    });
    try {
      await withinTime(
        Promise.all([admin.connect(), producer.connect()]),
        CALL_MS_MAX,
        'connecting to Kafka',
      );
      await createTopic(admin, topic, replicationFactor);
      return { admin, producer };
    } catch (error) {
      await disconnect({ admin, producer });
      throw error;
    }
  };
  return {
    open: async (): Promise<Clients> => {
      current ??= open();
      try {
        return await current;
      } catch (error) {
        current = undefined;
        throw error;
      }
    },
    close: async (): Promise<void> => {
      const closing = current;
      current = undefined;
      const clients = await closing?.catch(() => undefined);
      if (clients !== undefined) await disconnect(clients);
    },
  };
}

async function createTopic(admin: Admin, name: string, replicationFactor: number): Promise<void> {
  try {
    await createMissingTopics(admin, [
      { name, partitions: 1, replicationFactor, settings: ENTRY_TOPIC_SETTINGS },
    ]);
  } catch (error) {
    // Another instance of the registry was faster.
    if (kafkaErrorType(error) !== 'TOPIC_ALREADY_EXISTS') throw error;
  }
}

async function disconnect({ admin, producer }: Clients): Promise<void> {
  const closing = [admin.disconnect(), producer.disconnect()];
  await Promise.allSettled(closing.map((each) => withinTime(each, CALL_MS_MAX, 'closing')));
}
