/*
 * The settings by which the services of one stack find broker, store, tokens and data. Each setting is stated here
 * once; a caller adds what is particular to it.
 */

import { join } from 'node:path';

export type Env = Readonly<Record<string, string>>;

export type KafkaAddress = {
  /** host:port */
  readonly broker: string;
  /** Before every topic and consumer group; none where left out. */
  readonly topicPrefix?: string;
};

/** What a client of the store needs to know. */
export type StoreAddress = {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
};

export function kafkaEnv({ broker, topicPrefix }: KafkaAddress): Env {
  return {
    KAFKA_BROKERS: broker,
    ...(topicPrefix === undefined ? {} : { KAFKA_TOPIC_PREFIX: topicPrefix }),
  };
}

/** Settings of a client of the store. */
export function storeEnv({ url, user, password, database }: StoreAddress): Env {
  return { STORE_URL: url, STORE_USER: user, STORE_PASSWORD: password, STORE_DATABASE: database };
}

/** Settings of the store itself. */
export function storeServiceEnv(options: {
  readonly port: number;
  readonly dataDir: string;
  readonly user: string;
  readonly password: string;
}): Env {
  return {
    STORE_HOST: '127.0.0.1',
    STORE_PORT: String(options.port),
    STORE_DATA_DIR: options.dataDir,
    STORE_USER: options.user,
    STORE_PASSWORD: options.password,
  };
}

export function aggregatorEnv(kafka: KafkaAddress, store: StoreAddress): Env {
  return { ...kafkaEnv(kafka), ...storeEnv(store) };
}

export function collectorEnv(options: {
  readonly kafka: KafkaAddress;
  readonly port: number;
  readonly registryFile: string;
  readonly spoolDir: string;
}): Env {
  return {
    ...kafkaEnv(options.kafka),
    COLLECTOR_HOST: '127.0.0.1',
    COLLECTOR_PORT: String(options.port),
    REGISTRY_FILE: options.registryFile,
    SPOOL_DIR: options.spoolDir,
  };
}

/** Everything in one SQLite file and a folder; entries go into the compacted topic, names into the store. */
export function registryEnv(options: {
  readonly kafka: KafkaAddress;
  readonly store: StoreAddress;
  readonly port: number;
  readonly directory: string;
  readonly registryFile: string;
  readonly masterKeyFile: string;
  readonly sessionKey: string;
}): Env {
  const { directory } = options;
  return {
    ...kafkaEnv(options.kafka),
    ...storeEnv(options.store),
    REGISTRY_HOST: '127.0.0.1',
    REGISTRY_PORT: String(options.port),
    DATABASE_URL: `sqlite:${join(directory, 'registry.db')}`,
    OBJECTS_DIR: join(directory, 'objects'),
    REGISTRY_MASTER_KEY_FILE: options.masterKeyFile,
    REGISTRY_FILE: options.registryFile,
    REGISTRY_TOPIC: 'true',
    SESSION_KEY: options.sessionKey,
  };
}

export function queryEnv(options: {
  readonly store: StoreAddress;
  readonly port: number;
  readonly registryFile: string;
}): Env {
  return {
    ...storeEnv(options.store),
    QUERY_PORT: String(options.port),
    REGISTRY_FILE: options.registryFile,
  };
}
