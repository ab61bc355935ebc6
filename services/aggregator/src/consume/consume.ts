/*
 * Drives the consumer loop with kafkajs: joins the group, hands over the batches that are fetched, and keeps the
 * heartbeat while blocks are stored. All decisions about records are in the loop.
 */
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { isHole, observeFetches } from '@imscope/runtime/kafkajs/fetch-holes.js';
import type { ResponseBuffers } from '@imscope/runtime/kafkajs/response-buffers.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Readiness } from '@imscope/runtime/readiness.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { LogMessage } from '../blocks/block-cutter.js';
import { ConsumerLoop, type FetchedBatch } from './consumer-loop.js';
import type { LoopOptions } from './loop-context.js';
import type { ConsumeMetrics } from './consume-metrics.js';
import { FetchedLogs } from './fetched-logs.js';
import { kafkaPorts } from './kafka-ports.js';
import { storeBlock } from '../store/store-block.js';
import { storePorts } from '../store/store-ports.js';
import { STREAMS } from '../blocks/streams.js';
import { UnstoredBatches } from './unstored-batches.js';
import type { Timing } from '../store/timing.js';

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

export type ConsumeContext = {
  readonly kafka: Kafka;
  /** Memory of the responses of `kafka`. */
  readonly responses: ResponseBuffers;
  readonly store: ClickHouseClient;
  readonly timing: Timing;
  readonly metrics: ConsumeMetrics;
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly fail: (error: Error) => void;
};

export type Consuming = {
  /** By the latest assignment of the group. @param topic with its prefix */
  owns(topic: string, partition: number): boolean;
  stop(): Promise<void>;
};

/** Joins the group and stores until stopped. Resolves once the group is joined. */
export async function startConsuming(options: ConsumeOptions, context: ConsumeContext): Promise<Consuming> {
  const { kafka, readiness } = context;
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
  // From the start on, so that a rate includes the first rows.
  for (const topic of streams.keys()) context.metrics.rowsStored.inc({ topic }, 0);
  const names = {
    group: options.consumerGroup,
    deadLetterTopic: options.topicPrefix + TOPICS.deadLetter.name,
  };
  const unstored = new UnstoredBatches(context.responses);
  const logs = new FetchedLogs();
  const endObserving = observeFetches((at, log) => logs.record(at, log), context.timing.nowMs);
  const loop = new ConsumerLoop({
    ...context,
    options,
    cluster: clusterId,
    streams,
    broker: kafkaPorts({ admin, consumer, producer }, unstored, logs, names),
    store: storePorts(context.store),
    storeBlock,
  });
  watchGroup(consumer, loop, { unstored, logs }, context);
  const owns = watchOwned(consumer);
  await consumer.subscribe({ topics: [...streams.keys()], fromBeginning: true });
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve());
  });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: options.partitionsAtOnce,
    eachBatch: (payload) => consumeBatch(loop, { unstored, logs }, context, payload),
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
  context: ConsumeContext,
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
    context.readiness.report('kafka');
    context.logger.info({ assigned: event.payload.memberAssignment }, 'joined the consumer group');
  });
  consumer.on(consumer.events.CRASH, (event) => {
    context.readiness.report('kafka', event.payload.error.message);
    // A consumer that does not restart is dead while the process lives: leave it to the supervisor.
    if (!event.payload.restart)
      context.fail(new Error('the Kafka consumer stopped', { cause: event.payload.error }));
  });
}

function watchOwned(consumer: Consumer): Consuming['owns'] {
  let owned: Readonly<Record<string, readonly number[]>> = {};
  consumer.on(consumer.events.REBALANCING, () => (owned = {}));
  consumer.on(consumer.events.CRASH, () => (owned = {}));
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => (owned = payload.memberAssignment));
  return (topic, partition) => owned[topic]?.includes(partition) ?? false;
}

async function consumeBatch(
  loop: ConsumerLoop,
  { unstored, logs }: FetchState,
  context: ConsumeContext,
  payload: EachBatchPayload,
): Promise<void> {
  const { batch, heartbeat, resolveOffset } = payload;
  const beat = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
  try {
    const fetched = asFetchedBatch(batch, logs);
    const added = unstored.add(batch, Number(batch.lastOffset()), batch.messages);
    const fate = await loop.consumeBatch(fetched);
    if (fate.kind !== 'done') unstored.forget(batch, added);
    else if (fetched.messages.length === 0) unstored.holdsNothing(batch, added);
    if (fate.kind === 'done') resolveOffset(batch.lastOffset());
    else if (fate.kind === 'pause') pauseForUpgrade(context, payload, fate.offset);
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

/** The requested offset; kafkajs has it, its types do not. */
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
    headers: completeHeaders(message.headers),
  };
}

/** A header may have no value, which kafkajs gives as null, contrary to its types, and cannot send again. */
export function completeHeaders(headers: LogMessage['headers']): LogMessage['headers'] {
  if (headers === undefined || Object.values(headers).every(isComplete)) return headers;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(completeValue) : completeValue(value),
    ]),
  );
}

/** A module function, not a closure: it runs for every header of every message. */
function isComplete(value: Buffer | string | (Buffer | string | null)[] | null | undefined): boolean {
  return Array.isArray(value) ? value.every(isComplete) : value !== null && value !== undefined;
}

function completeValue(value: Buffer | string | null | undefined): Buffer | string {
  return value ?? Buffer.alloc(0);
}

/** Stops this partition only, until an aggregator starts that knows the schema. */
function pauseForUpgrade(context: ConsumeContext, { batch, pause }: EachBatchPayload, offset: number): void {
  const dependency = `schema of ${batch.topic}:${batch.partition}`;
  const failure = `offset ${offset} has a schema this version does not know: upgrade the aggregator`;
  context.readiness.report(dependency, failure);
  context.logger.error({ topic: batch.topic, partition: batch.partition, offset }, failure);
  const resume = pause();
  setTimeout(() => {
    context.readiness.report(dependency);
    resume();
  }, UNKNOWN_SCHEMA_PAUSE_MS).unref();
}
