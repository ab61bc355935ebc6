/*
 * The producer of all three topics: one message to one explicit partition per call, acknowledged by all in-sync replicas, and the
 * answer checked. It sends once; trying again is `Delivery`'s, where it is known what that means.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka, Producer, RecordMetadata } from 'kafkajs';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Readiness } from '@imscope/runtime/readiness.js';
import { TOPICS } from '@imscope/schemas/topics.js';

/** Resolves once Kafka acknowledged the message. A rejection says nothing about whether it was written. */
export type SendMessage = (
  partition: number,
  value: Buffer,
  headers: Record<string, string>,
) => Promise<void>;

export type TopicProducer = { readonly partitions: number; readonly send: SendMessage };

/** `partitions` and `send` by themselves are those of the request logs. */
export type KafkaProducer = TopicProducer & {
  readonly interfaceMetric: TopicProducer;
  readonly edgeAccount: TopicProducer;
  /** Resolves where the brokers answer and the topic of the request logs is there. */
  readonly probe: () => Promise<void>;
  stop(): Promise<void>;
};

/** Longest the broker itself waits for its in-sync replicas. */
const ACK_TIMEOUT_MS = 10_000;
const CONNECT_PAUSE_MS = 1_000;
const DISCONNECT_MS_MAX = 1_000;
const ACKS_ALL = -1;

/** Request logs, metrics, accounts. */
type Topics = readonly [requestLog: string, interfaceMetric: string, edgeAccount: string];

/** Connects, however long Kafka takes to come; `/ready` and the log say what is missing meanwhile. */
export async function connectProducer(options: {
  kafka: Kafka;
  topicPrefix: string;
  readiness: Readiness;
  logger: Logger;
}): Promise<KafkaProducer> {
  const { kafka, topicPrefix, readiness, logger } = options;
  const topics: Topics = [
    topicPrefix + TOPICS.requestLog.name,
    topicPrefix + TOPICS.interfaceMetric.name,
    topicPrefix + TOPICS.edgeAccount.name,
  ];
  for (;;) {
    try {
      const [requestLogs, metrics, accounts] = await countPartitions(kafka, topics);
      const producer = kafka.producer({
        allowAutoTopicCreation: false,
        createPartitioner: () => explicitPartition,
        retry: { retries: 0 },
      });
      await producer.connect();
      return {
        partitions: requestLogs,
        send: sendTo(producer, topics[0]),
        interfaceMetric: { partitions: metrics, send: sendTo(producer, topics[1]) },
        edgeAccount: { partitions: accounts, send: sendTo(producer, topics[2]) },
        probe: async () => {
          await countPartitions(kafka, topics);
        },
        // kafkajs waits for pending answers; by now everything is resolved, so what is pending has no meaning left.
        stop: () =>
          Promise.race([producer.disconnect(), sleep(DISCONNECT_MS_MAX, undefined, { ref: false })]),
      };
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      readiness.report('kafka', failure);
      logger.warn({ topics, failure }, 'Kafka cannot be used yet: trying again');
      await sleep(CONNECT_PAUSE_MS * (0.5 + Math.random()));
    }
  }
}

function sendTo(producer: Producer, topic: string): SendMessage {
  return async (partition, value, headers) => {
    const metadata = await producer.send({
      topic,
      acks: ACKS_ALL,
      timeout: ACK_TIMEOUT_MS,
      messages: [{ partition, value, headers }],
    });
    checkAcknowledged(metadata, topic, partition);
  };
}

/** True where Kafka answered, and refused for this partition only (a leader moved, replicas are missing). */
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

async function countPartitions(kafka: Kafka, names: Topics): Promise<[number, number, number]> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
    const partitionsOf = (name: string): number => {
      const partitions = topics.find((topic) => topic.name === name)?.partitions.length ?? 0;
      if (partitions === 0) throw new Error(`topic ${name} has no partitions`);
      return partitions;
    };
    return [partitionsOf(names[0]), partitionsOf(names[1]), partitionsOf(names[2])];
  } finally {
    await admin.disconnect();
  }
}
