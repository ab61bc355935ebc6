/*
 * The Kafka client with our settings and logger, and the explicit creation of topics. A topic that the broker creates
 * automatically would not have the settings that retention depends on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, type KafkaConfig, type SASLOptions, logLevel } from 'kafkajs';
import { type TopicDefinition, topicSettings } from '@imscope/schemas/topics.js';
import { choice, flag, list, secret, type Settings, text } from './config.js';
import { kafkaErrorType } from './kafka-error.js';
import { gatherHeadersInOnePass } from './kafkajs/header-gathering.js';
import { preventNeedlessTimers } from './kafkajs/needless-timers.js';
import type { Logger } from './logger.js';

/** Answers of brokers to which the controller has not yet announced a new topic or its leader. */
const NOT_YET: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
]);
const LEADERS_MS_MAX = 30_000;
const LEADERS_POLL_MS = 100;

/** Settings of every service that talks to Kafka. */
export const KAFKA_SETTINGS = {
  kafkaBrokers: list({ default: ['127.0.0.1:9092'], purpose: 'brokers as host:port' }),
  kafkaTopicPrefix: text({
    default: '',
    pattern: /^[\w.-]{0,64}$/,
    purpose: 'prefix of every topic name',
  }),
  kafkaTls: flag({ default: false, purpose: 'use TLS for connections to the brokers' }),
  kafkaSaslMechanism: choice({
    default: 'none',
    values: ['none', 'plain', 'scram-sha-256', 'scram-sha-512'],
    purpose: 'SASL mechanism for the brokers',
  }),
  kafkaSaslUsername: text({ default: '', purpose: 'user at the brokers' }),
  kafkaSaslPassword: secret({ default: '', purpose: 'password at the brokers' }),
} satisfies Settings;

export type KafkaSettings = {
  readonly kafkaBrokers: readonly string[];
  readonly kafkaTopicPrefix: string;
  readonly kafkaTls: boolean;
  readonly kafkaSaslMechanism: 'none' | 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly kafkaSaslUsername: string;
  readonly kafkaSaslPassword: string;
};

/**
 * A client that is not connected yet. kafkajs's log is written to ours, one level lower.
 * @param more options of connections, where kafkajs's defaults do not fit
 */
export function createKafka(
  config: KafkaSettings,
  clientId: string,
  logger: Logger,
  more: Pick<KafkaConfig, 'socketFactory'> = {},
): Kafka {
  gatherHeadersInOnePass();
  preventNeedlessTimers();
  const sasl = saslOf(config);
  const options: KafkaConfig = {
    ...more,
    clientId,
    brokers: [...config.kafkaBrokers],
    ssl: config.kafkaTls,
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    // Bounded, because callers retry themselves: they know what a retry means.
    retry: { retries: 5, initialRetryTime: 200, maxRetryTime: 5_000 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      const fields = {
        kafka: entry.namespace,
        ...entry.log,
        message: undefined,
        timestamp: undefined,
        logger: undefined,
      };
      if (entry.level === logLevel.ERROR) logger.warn(fields, entry.log.message);
      else logger.debug(fields, entry.log.message);
    },
  };
  return new Kafka(sasl === undefined ? options : { ...options, sasl });
}

function saslOf(config: KafkaSettings): SASLOptions | undefined {
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: username, kafkaSaslPassword: password } = config;
  return mechanism === 'none' ? undefined : { mechanism, username, password };
}

/** Creates missing topics with their settings. Existing topics are not changed. */
export async function createTopics(
  admin: Admin,
  topics: readonly TopicDefinition[],
  options: { prefix: string; partitions: number; replicationFactor: number },
): Promise<string[]> {
  const { prefix, partitions, replicationFactor } = options;
  return createMissingTopics(
    admin,
    topics.map((topic) => ({
      name: prefix + topic.name,
      partitions,
      replicationFactor,
      settings: topicSettings(topic),
    })),
  );
}

export type TopicToCreate = {
  /** With its prefix. */
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** As Kafka names them. */
  readonly settings: Readonly<Record<string, string>>;
};

/** Creates those that are missing, and waits until they are led. Existing topics are not changed. */
export async function createMissingTopics(admin: Admin, topics: readonly TopicToCreate[]): Promise<string[]> {
  const present = new Set(await admin.listTopics());
  const missing = topics.filter(({ name }) => !present.has(name));
  if (missing.length === 0) return [];
  await admin.createTopics({
    waitForLeaders: false,
    topics: missing.map((topic) => ({
      topic: topic.name,
      numPartitions: topic.partitions,
      replicationFactor: topic.replicationFactor,
      configEntries: Object.entries(topic.settings).map(([name, value]) => ({ name, value })),
    })),
  });
  const created = missing.map(({ name }) => name);
  await untilLed(admin, created);
  return created;
}

/**
 * Waits until every partition of new topics has a leader that knows about it. kafkajs's `waitForLeaders` fails where
 * a busy broker does not know the topic that was just created.
 */
export async function untilLed(admin: Admin, topics: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + LEADERS_MS_MAX;
  while (!(await areLed(admin, topics))) {
    if (performance.now() > deadlineMs) {
      throw new Error(
        `topics ${topics.join(', ')} have no leaders ${LEADERS_MS_MAX} ms after they were created: look at the brokers' logs`,
      );
    }
    await sleep(LEADERS_POLL_MS);
  }
}

async function areLed(admin: Admin, topics: readonly string[]): Promise<boolean> {
  try {
    const { topics: found } = await admin.fetchTopicMetadata({ topics: [...topics] });
    if (!found.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))) return false;
    await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
    return true;
  } catch (error) {
    if (NOT_YET.has(kafkaErrorType(error))) return false;
    throw error;
  }
}
