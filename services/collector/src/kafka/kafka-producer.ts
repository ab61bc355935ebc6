/*
 * The producer of all three topics: a call sends messages to one explicit partition, they are acknowledged together by
 * all in-sync replicas, and the answer is checked. It sends once; `Delivery` retries.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Kafka, Producer, RecordMetadata } from 'kafkajs';
import { readTopicTerms, type TopicTermsRead } from '@imscope/runtime/topic-terms.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { TOPIC_NAMES } from '@imscope/schemas/retention.js';

export type OutgoingMessage = {
  readonly value: Buffer;
  readonly headers: Record<string, string>;
};

/**
 * Resolves once Kafka acknowledged all messages, which it writes all or none. After a rejection they may be written or
 * not.
 */
export type SendMessages = (partition: number, messages: readonly OutgoingMessage[]) => Promise<void>;

export type KafkaProducer = {
  /** Sends to the topic of this name, without the prefix. */
  readonly send: (topic: EdgeTopic) => SendMessages;
  /** The number of partitions of each topic. Rejects where the brokers do not answer or a topic does not exist. */
  readonly countPartitions: () => Promise<PartitionCounts>;
  /** How long each topic keeps messages. Rejects where the brokers do not answer, or may not tell. */
  readonly readTopicTerms: () => Promise<TopicTermsRead>;
  stop(): Promise<void>;
};

/** The topics a collector writes to. */
export const EDGE_TOPICS = [
  TOPICS.requestLog.name,
  TOPICS.interfaceMetric.name,
  TOPICS.edgeAccount.name,
] as const;
export type EdgeTopic = (typeof EDGE_TOPICS)[number];
export type PartitionCounts = Readonly<Record<EdgeTopic, number>>;

/** Longest that the broker waits for its in-sync replicas. */
const ACK_TIMEOUT_MS = 10_000;
const DISCONNECT_MS_MAX = 1_000;
const ACKS_ALL = -1;

/** It connects with its first use, and again with the next use after a failure. */
export function createProducer(kafka: Kafka, topicPrefix: string): KafkaProducer {
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: () => explicitPartition,
    retry: { retries: 0 },
  });
  let connecting: Promise<void> | undefined;
  const connect = async (): Promise<void> => {
    connecting ??= producer.connect();
    try {
      await connecting;
    } catch (error) {
      connecting = undefined;
      throw error;
    }
  };
  return {
    send: (topic) => sendTo({ producer, connect, topic: topicPrefix + topic }),
    countPartitions: () => countPartitions(kafka, topicPrefix),
    readTopicTerms: () => withAdmin(kafka, (admin) => readTopicTerms(admin, topicPrefix)),
    // kafkajs waits for pending answers, which no longer matter: every batch is in the spool by now.
    stop: () => Promise.race([producer.disconnect(), sleep(DISCONNECT_MS_MAX, undefined, { ref: false })]),
  };
}

function sendTo(to: { producer: Producer; connect: () => Promise<void>; topic: string }): SendMessages {
  const { producer, connect, topic } = to;
  return async (partition, messages) => {
    await connect();
    const metadata = await producer.send({
      topic,
      acks: ACKS_ALL,
      timeout: ACK_TIMEOUT_MS,
      messages: messages.map(({ value, headers }) => ({ partition, value, headers })),
    });
    checkAcknowledged(metadata, topic, partition);
  };
}

/** True where Kafka answered and refused this partition only (a leader moved, replicas are missing). */
export function isPartitionFault(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth++) {
    if (current.name === 'KafkaJSProtocolError') return true;
    current = current.cause;
  }
  return false;
}

function explicitPartition({ message }: { message: { partition?: number } }): number {
  if (message.partition === undefined) throw new Error('a message without a partition cannot be sent');
  return message.partition;
}

/** kafkajs may resolve for a message that was not written when a leader moves (its pull request 1798). */
function checkAcknowledged(metadata: readonly RecordMetadata[], topic: string, partition: number): void {
  const [only] = metadata;
  const written =
    metadata.length === 1 &&
    only !== undefined &&
    only.topicName === topic &&
    only.partition === partition &&
    only.errorCode === 0 &&
    /^\d+$/.test(only.baseOffset ?? '');
  if (!written) {
    throw new Error(`Kafka's answer for ${topic}/${partition} names no offset: ${JSON.stringify(metadata)}`);
  }
}

async function withAdmin<T>(kafka: Kafka, query: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await query(admin);
  } finally {
    await admin.disconnect();
  }
}

function countPartitions(kafka: Kafka, topicPrefix: string): Promise<PartitionCounts> {
  return withAdmin(kafka, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({
      topics: EDGE_TOPICS.map((name) => topicPrefix + name),
    });
    const partitionsOf = (name: EdgeTopic): number => {
      const partitions = topics.find((topic) => topic.name === topicPrefix + name)?.partitions.length ?? 0;
      if (partitions === 0) throw new Error(`topic ${topicPrefix}${name} has no partitions`);
      return partitions;
    };
    return {
      [TOPIC_NAMES.requestLog]: partitionsOf(TOPICS.requestLog.name),
      [TOPIC_NAMES.interfaceMetric]: partitionsOf(TOPICS.interfaceMetric.name),
      [TOPIC_NAMES.edgeAccount]: partitionsOf(TOPICS.edgeAccount.name),
    };
  });
}
