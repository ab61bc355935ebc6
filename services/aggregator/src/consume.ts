/*
 * Drives the consumer loop with kafkajs: joins the group, hands over the batches that are fetched, and keeps the
 * heartbeat while blocks are stored. Everything that decides about records is in the loop.
 */
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { Config } from '@imscope/runtime/config.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Readiness } from '@imscope/runtime/readiness.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { type AnswerBuffers, UnstoredBatches } from './answer-buffers.js';
import type { LogMessage } from './block-cutter.js';
import type { SETTINGS } from './config.js';
import { ConsumerLoop, type FetchedBatch } from './consumer-loop.js';
import type { LoopOptions } from './consumer-parts.js';
import { FetchedLogs, isHole, observeFetches } from './fetch-answers.js';
import { kafkaPorts } from './kafka-ports.js';
import type { AggregatorMetrics } from './metrics.js';
import { storeBlock } from './store-block.js';
import { storePorts } from './store-ports.js';
import { STREAMS } from './streams.js';
import type { Timing } from './timing.js';

/**
 * A killed member's partitions wait this long for their next owner. Long inserts do not end a session: the batch
 * that waits for one beats every second.
 */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 1_000;
const TICK_MS = 100;
const UNKNOWN_SCHEMA_PAUSE_MS = 30_000;

export type ConsumeOptions = LoopOptions & {
  readonly topicPrefix: string;
  readonly consumerGroup: string;
  readonly partitionsAtOnce: number;
  readonly fetchBytesMax: number;
};

export type ConsumeParts = {
  readonly kafka: Kafka;
  /** Where its answers are read to. */
  readonly answers: AnswerBuffers;
  readonly store: ClickHouseClient;
  readonly timing: Timing;
  readonly metrics: AggregatorMetrics;
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly fail: (error: Error) => void;
};

export type Consuming = {
  /** As the group last said. @param topic prefix and all */
  owns(topic: string, partition: number): boolean;
  stop(): Promise<void>;
};

export function consumeOptions(config: Config<typeof SETTINGS>): ConsumeOptions {
  return {
    topicPrefix: config.kafkaTopicPrefix,
    // The prefix separates two deployments on one cluster: their groups as well as their topics.
    consumerGroup: config.kafkaTopicPrefix + config.consumerGroup,
    partitionsAtOnce: config.partitionsAtOnce,
    bounds: { rowsMax: config.blockRowsMax, bytesMax: config.blockBytesMax },
    markerAgeMs: config.markerAgeMs,
    fetchBytesMax: config.fetchBytesMax,
    stallTimeoutMs: config.stallTimeoutMs,
  };
}

/** Joins the group and stores until stopped. Resolves once the group is joined. */
export async function startConsuming(options: ConsumeOptions, parts: ConsumeParts): Promise<Consuming> {
  const { kafka, readiness } = parts;
  const admin = kafka.admin();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  const consumer = kafka.consumer({
    groupId: options.consumerGroup,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    maxBytesPerPartition: options.fetchBytesMax,
    maxBytes: options.fetchBytesMax * options.partitionsAtOnce,
    maxWaitTimeInMs: 250,
    allowAutoTopicCreation: false,
    // Read committed: an open transaction may still be aborted, and blocks are a function of the log alone.
    readUncommitted: false,
  });
  await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
  const { clusterId } = await admin.describeCluster();
  const streams = new Map(STREAMS.map((stream) => [options.topicPrefix + stream.topic.name, stream]));
  // From the start on, so that a rate tells the first rows too.
  for (const topic of streams.keys()) parts.metrics.rowsStored.inc({ topic }, 0);
  const names = {
    group: options.consumerGroup,
    deadLetterTopic: options.topicPrefix + TOPICS.deadLetter.name,
  };
  const unstored = new UnstoredBatches(parts.answers);
  const logs = new FetchedLogs();
  const endObserving = observeFetches(logs, parts.timing.nowMs);
  const loop = new ConsumerLoop({
    ...parts,
    options,
    cluster: clusterId,
    streams,
    broker: kafkaPorts({ admin, consumer, producer }, unstored, logs, names),
    store: storePorts(parts.store),
    storeBlock,
  });
  watchGroup(consumer, loop, { unstored, logs }, parts);
  const owns = watchOwned(consumer);
  await consumer.subscribe({ topics: [...streams.keys()], fromBeginning: true });
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve());
  });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: options.partitionsAtOnce,
    eachBatch: (payload) => takeBatch(loop, { unstored, logs }, parts, payload),
  });
  const tick = setInterval(() => loop.tick(), TICK_MS);
  await joined;
  readiness.report('kafka');
  return {
    owns,
    stop: async () => {
      clearInterval(tick);
      // Blocks in hand are finished and committed first; open ones are read again by the next owner.
      await loop.idle();
      await consumer.disconnect();
      endObserving();
      await Promise.all([producer.disconnect(), admin.disconnect()]);
    },
  };
}

/** What is known of the batches that were fetched. */
type FetchState = { readonly unstored: UnstoredBatches; readonly logs: FetchedLogs };

function watchGroup(
  consumer: Consumer,
  loop: ConsumerLoop,
  { unstored, logs }: FetchState,
  parts: ConsumeParts,
): void {
  consumer.on(consumer.events.REBALANCING, () => {
    loop.loseAll();
    unstored.forgetAll();
    logs.clear();
  });
  consumer.on(consumer.events.GROUP_JOIN, (event) => {
    unstored.forgetAll();
    logs.clear();
    const assigned = Object.entries(event.payload.memberAssignment);
    // Until the loop has sought: where the committed offset was deleted, kafkajs would commit another one over it.
    consumer.pause(assigned.map(([topic, partitions]) => ({ topic, partitions })));
    void loop.assign(assigned.flatMap(([topic, all]) => all.map((partition) => ({ topic, partition }))));
    parts.readiness.report('kafka');
    parts.logger.info({ assigned: event.payload.memberAssignment }, 'joined the consumer group');
  });
  consumer.on(consumer.events.CRASH, (event) => {
    parts.readiness.report('kafka', event.payload.error.message);
    // Without a restart of its own the consumer is dead while the process lives: leave it to the supervisor.
    if (!event.payload.restart)
      parts.fail(new Error('the Kafka consumer stopped', { cause: event.payload.error }));
  });
}

function watchOwned(consumer: Consumer): Consuming['owns'] {
  let owned: Readonly<Record<string, readonly number[]>> = {};
  consumer.on(consumer.events.REBALANCING, () => (owned = {}));
  consumer.on(consumer.events.CRASH, () => (owned = {}));
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => (owned = payload.memberAssignment));
  return (topic, partition) => owned[topic]?.includes(partition) ?? false;
}

async function takeBatch(
  loop: ConsumerLoop,
  { unstored, logs }: FetchState,
  parts: ConsumeParts,
  payload: EachBatchPayload,
): Promise<void> {
  const { batch, heartbeat, resolveOffset } = payload;
  const beat = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
  try {
    const fetched = asFetchedBatch(batch, logs);
    const taken = unstored.add(batch, Number(batch.lastOffset()), batch.messages);
    const fate = await loop.takeBatch(fetched);
    if (fate.kind !== 'done') unstored.forget(batch, taken);
    else if (fetched.messages.length === 0) unstored.holdsNothing(batch, taken);
    if (fate.kind === 'done') resolveOffset(batch.lastOffset());
    else if (fate.kind === 'pause') pauseForUpgrade(parts, payload, fate.offset);
    else if (fate.afterMs > 0) setTimeout(payload.pause(), fate.afterMs).unref();
  } finally {
    clearInterval(beat);
  }
}

/** Every offset of the broker's answer has an entry here, holes too: see `observeFetches`. */
function asFetchedBatch(batch: EachBatchPayload['batch'], logs: FetchedLogs): FetchedBatch {
  const { topic, partition, messages } = batch;
  const log = logs.at(batch);
  const endOffset = Number(batch.highWatermark);
  const firstOffset = Number(batch.firstOffset());
  return {
    topic,
    partition,
    messages: messages.filter((message) => !isHole(message)).map(asLogMessage),
    fetchedFrom: fetchedFrom(batch) ?? firstOffset,
    firstOffset,
    coveredTo: Number(batch.lastOffset()) + 1,
    logStart: log?.start ?? 0,
    stableOffset: log?.stable ?? endOffset,
    endOffset,
  };
}

/** The offset that was asked for; kafkajs has it, its types do not. */
function fetchedFrom(batch: object): number | undefined {
  if (!('fetchedOffset' in batch)) return undefined;
  const offset = Number(batch.fetchedOffset);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

function asLogMessage(message: EachBatchPayload['batch']['messages'][number]): LogMessage {
  return {
    offset: Number(message.offset),
    appendedMs: Number(message.timestamp),
    value: message.value,
    headers: wholeHeaders(message.headers),
  };
}

/** A header may come without a value, which kafkajs gives as null against its types and cannot send on. */
export function wholeHeaders(headers: LogMessage['headers']): LogMessage['headers'] {
  if (headers === undefined || Object.values(headers).every(isWhole)) return headers;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(wholeValue) : wholeValue(value),
    ]),
  );
}

/** A function by itself: this is asked of every header of every message. */
function isWhole(value: Buffer | string | (Buffer | string | null)[] | null | undefined): boolean {
  return Array.isArray(value) ? value.every(isWhole) : value !== null && value !== undefined;
}

function wholeValue(value: Buffer | string | null | undefined): Buffer | string {
  return value ?? Buffer.alloc(0);
}

/** Stops the partition, not the others, until an aggregator comes that knows the schema. */
function pauseForUpgrade(parts: ConsumeParts, { batch, pause }: EachBatchPayload, offset: number): void {
  const dependency = `schema of ${batch.topic}:${batch.partition}`;
  const failure = `offset ${offset} has a schema this version does not know: upgrade the aggregator`;
  parts.readiness.report(dependency, failure);
  parts.logger.error({ topic: batch.topic, partition: batch.partition, offset }, failure);
  const resume = pause();
  setTimeout(() => {
    parts.readiness.report(dependency);
    resume();
  }, UNKNOWN_SCHEMA_PAUSE_MS).unref();
}
