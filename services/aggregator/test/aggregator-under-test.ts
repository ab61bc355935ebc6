/*
 * Aggregators in this process over the real broker and a real store with its tables, for one test file: topics,
 * group and database are its own and gone with it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Admin, CompressionTypes, type Producer } from 'kafkajs';
import { type Config, loadConfig } from '@imscope/runtime/config.js';
import { createKafka, untilLed } from '@imscope/runtime/kafka-client.js';
import { ResponseBuffers } from '@imscope/runtime/kafkajs/response-buffers.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { createReadiness } from '@imscope/runtime/readiness.js';
import { type ClickHouseClient, createStoreClient } from '@imscope/runtime/store-client.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { Registry } from 'prom-client';
import { storeEnv } from '../../../scripts/stack/service-env.js';
import { startStore } from '../../../scripts/stack/store.js';
import { SETTINGS } from '../src/config.js';
import { createAggregator } from '../src/create-aggregator.js';
import { prepare } from '../src/prepare.js';
import { batchMessage } from './log-of-messages.js';

const LOGGER = createLogger('aggregator-under-test', 'silent');

/** Overwrites what is released, so that a read after the release is noticed. */
class SpoilingBuffers extends ResponseBuffers {
  protected override release(buffer: Buffer): void {
    buffer.fill(0xdd);
    super.release(buffer);
  }
}

/** Shared by all members of the process. */
const RESPONSES = new SpoilingBuffers();
const WAIT_MS = 60_000;
/** Of all records; the real store would not keep old ones. */
const EVENT_TIMES = { least: Date.now(), greatest: Date.now() };

export type Member = {
  stop(): Promise<void>;
  /** What its readiness names. */
  failing(): Readonly<Record<string, string>>;
  /** The sum over all labels. */
  metric(name: string): Promise<number>;
};

export type AggregatorUnderTest = {
  readonly topic: string;
  readonly store: ClickHouseClient;
  readonly admin: Admin;
  readonly producer: Producer;
  readonly storeUrl: string;
  /** Settings of a process that shall join this group. */
  readonly environment: Readonly<Record<string, string>>;
  /** Starts one more member of the group, with further settings. */
  start(changed?: Readonly<Record<string, string>>): Promise<Member>;
  describeGroup(): Promise<readonly { memberId: string }[]>;
  /** Appends batches of one incarnation, ten records each. @returns the number of records */
  append(boot: string, sequences: readonly number[], partition?: number): Promise<number>;
  /** Deletes the topic, creates it again and waits until it can be written to. */
  recreateTopic(): Promise<void>;
  select<T>(sql: string): Promise<T[]>;
  /** Waits until so many rows are stored and in the ledger; throws with the actual numbers. */
  untilStored(rows: number): Promise<void>;
  end(): Promise<void>;
};

export async function openAggregator(
  environment: Readonly<Record<string, string>> = {},
): Promise<AggregatorUnderTest> {
  const broker = process.env['IMSCOPE_TEST_KAFKA'];
  if (broker === undefined) throw new Error('IMSCOPE_TEST_KAFKA is not set: run ./scripts/test');
  const dir = mkdtempSync(join(tmpdir(), 'imscope-aggregator-test-'));
  const running = await startStore({ dataDir: join(dir, 'store'), mode: 'source', password: 'test-test' });
  const prefix = `aggregator-test-${randomBytes(4).toString('hex')}.`;
  const all = {
    ...storeEnv(running),
    KAFKA_BROKERS: broker,
    KAFKA_TOPIC_PREFIX: prefix,
    TOPIC_PARTITIONS: '1',
    MARKER_AGE_MS: '100',
    ...environment,
  };
  const config = settings(all);
  await prepare(config, false, LOGGER);
  const store = createStoreClient(config, 'aggregator-test', 30_000);
  const kafka = createKafka(config, 'aggregator-test', LOGGER);
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  const topic = prefix + TOPICS.requestLog.name;
  // A member of a test that failed is still running, and would keep the process alive.
  const members = new Set<() => Promise<void>>();
  const select = async <T>(sql: string): Promise<T[]> =>
    (await store.query({ query: sql, format: 'JSONEachRow' })).json<T>();
  return {
    topic,
    store,
    admin,
    producer,
    select,
    storeUrl: running.url,
    environment: all,
    start: async (changed = {}) => {
      // Topics that a test creates again have the broker's own retention.
      const own = settings({ ...all, TOPIC_SETTINGS_READABLE: 'false', ...changed });
      const member = await startMember(own);
      const stop = async (): Promise<void> => {
        if (!members.delete(stop)) return;
        await member.stop();
      };
      members.add(stop);
      return { ...member, stop };
    },
    describeGroup: async () => {
      const { groups } = await admin.describeGroups([prefix + config.consumerGroup]);
      return groups.flatMap(({ members }) => members);
    },
    append: async (boot, sequences, partition = 0) => {
      const messages = sequences.map((sequence) => ({
        partition,
        ...batchMessage({ boot, sequence, records: 10 }, partition, EVENT_TIMES),
      }));
      await producer.send({ topic, acks: -1, compression: CompressionTypes.None, messages });
      return messages.length * 10;
    },
    recreateTopic: () => recreateTopic(admin, topic),
    untilStored: (rows) => untilStored(select, rows),
    end: async () => {
      await Promise.all(Array.from(members, (stop) => stop()));
      const own = (await admin.listTopics()).filter((name) => name.startsWith(prefix));
      await admin.deleteTopics({ topics: own });
      await Promise.all([admin.disconnect(), producer.disconnect(), store.close()]);
      await running.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function settings(environment: Readonly<Record<string, string>>): Config<typeof SETTINGS> {
  const loaded = loadConfig(SETTINGS, environment);
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'));
  return loaded.config;
}

async function startMember(config: Config<typeof SETTINGS>): Promise<Member> {
  const registry = new Registry();
  const readiness = createReadiness([]);
  const aggregator = await createAggregator({
    config,
    clientId: 'aggregator-under-test',
    responses: RESPONSES,
    registry,
    logger: LOGGER,
    readiness,
    fail: (error) => {
      throw error;
    },
  });
  return {
    stop: () => aggregator.stop(),
    failing: () => readiness.state().failing,
    metric: async (name) => {
      const found = await registry.getSingleMetric(name)?.get();
      return (found?.values ?? []).reduce((sum, { value }) => sum + value, 0);
    },
  };
}

async function recreateTopic(admin: Admin, topic: string): Promise<void> {
  await admin.deleteTopics({ topics: [topic] });
  await until(async () => !(await admin.listTopics()).includes(topic), `${topic} is still there`);
  const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }];
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 1, configEntries }] });
  await untilLed(admin, [topic]);
}

async function untilStored(select: AggregatorUnderTest['select'], rows: number): Promise<void> {
  let found = '';
  const enough = async (): Promise<boolean> => {
    const [stored] = await select<{ rows: number }>('SELECT count() AS rows FROM request_log');
    const [recorded] = await select<{ rows: number }>(
      "SELECT sum(rows) AS rows FROM block_ledger FINAL WHERE topic LIKE '%request-log'",
    );
    found = `${stored?.rows} stored, ${recorded?.rows} recorded`;
    return stored?.rows === rows && recorded?.rows === rows;
  };
  await until(enough, () => `${rows} rows expected, ${found}`);
}

export async function until(
  condition: () => Promise<boolean>,
  failure: string | (() => string | Promise<string>),
): Promise<void> {
  const deadlineMs = Date.now() + WAIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(typeof failure === 'string' ? failure : await failure());
    await delay(100);
  }
}
