/*
 * The producer: one message to one explicit partition per call, acknowledged by all in-sync replicas, and the
 * answer checked. It sends once; trying again is `Delivery`'s, where it is known what that means.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka, RecordMetadata } from 'kafkajs';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Readiness } from '@imscope/runtime/readiness.js';

/** Resolves once Kafka acknowledged the message. A rejection says nothing about whether it was written. */
export type SendMessage = (
  partition: number,
  value: Buffer,
  headers: Record<string, string>,
) => Promise<void>;

export type KafkaProducer = {
  readonly partitions: number;
  readonly send: SendMessage;
  /** Resolves where the brokers answer and the topic is there. */
  readonly probe: () => Promise<void>;
  stop(): Promise<void>;
};

/** Longest the broker itself waits for its in-sync replicas. */
const ACK_TIMEOUT_MS = 10_000;
const CONNECT_PAUSE_MS = 1_000;
const DISCONNECT_MS_MAX = 2_000;
const ACKS_ALL = -1;

/** Connects, however long Kafka takes to come; `/ready` and the log say what is missing meanwhile. */
export async function connectProducer(options: {
  kafka: Kafka;
  topic: string;
  readiness: Readiness;
  logger: Logger;
}): Promise<KafkaProducer> {
  const { kafka, topic, readiness, logger } = options;
  for (;;) {
    try {
      const partitions = await countPartitions(kafka, topic);
      const producer = kafka.producer({
        allowAutoTopicCreation: false,
        createPartitioner: () => explicitPartition,
        retry: { retries: 0 },
      });
      await producer.connect();
      return {
        partitions,
        send: async (partition, value, headers) => {
          const metadata = await producer.send({
            topic,
            acks: ACKS_ALL,
            timeout: ACK_TIMEOUT_MS,
            messages: [{ partition, value, headers }],
          });
          checkAcknowledged(metadata, topic, partition);
        },
        probe: async () => {
          await countPartitions(kafka, topic);
        },
        // kafkajs waits for pending answers; by now everything is resolved, so what is pending has no meaning left.
        stop: () =>
          Promise.race([producer.disconnect(), sleep(DISCONNECT_MS_MAX, undefined, { ref: false })]),
      };
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      readiness.report('kafka', failure);
      logger.warn({ topic, failure }, 'Kafka cannot be used yet: trying again');
      await sleep(CONNECT_PAUSE_MS * (0.5 + Math.random()));
    }
  }
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

async function countPartitions(kafka: Kafka, topic: string): Promise<number> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = topics[0]?.partitions.length ?? 0;
    if (partitions === 0) throw new Error(`topic ${topic} has no partitions`);
    return partitions;
  } finally {
    await admin.disconnect();
  }
}
