/*
 * Wires Kafka to the partition workers: who owns which partition, the batches that are fetched, and the heartbeat
 * while blocks are stored. kafkajs holds the group; what it is known to get wrong is checked here.
 */
import type { EachBatchPayload } from 'kafkajs';
import type { LogMessage } from './block-cutter.js';
import type { ConsumeOptions, ConsumeParts, GroupMembership } from './group-membership.js';
import { openPartition } from './open-partition.js';
import type { PartitionWorker } from './partition-worker.js';
import { STREAMS, type Stream } from './streams.js';

const HEARTBEAT_MS = 1_000;
const TICK_MS = 100;
const UNKNOWN_SCHEMA_PAUSE_MS = 30_000;

type Session = GroupMembership & {
  readonly streams: ReadonlyMap<string, Stream>;
  /** By `topic:partition`, of the generation in force. */
  readonly workers: Map<string, PartitionWorker>;
  /** Raised on every change of ownership: work begun before it is void. */
  generation: number;
};

/** Joins the group and stores until stopped. Resolves once the group is joined. */
export async function startConsuming(
  options: ConsumeOptions,
  parts: ConsumeParts,
): Promise<{ stop(): Promise<void> }> {
  const { kafka, readiness } = parts;
  const admin = kafka.admin();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  const consumer = kafka.consumer({
    groupId: options.consumerGroup,
    sessionTimeout: 30_000,
    heartbeatInterval: HEARTBEAT_MS,
    maxBytesPerPartition: options.fetchBytesMax,
    maxBytes: options.fetchBytesMax * options.partitionsAtOnce,
    maxWaitTimeInMs: 250,
    allowAutoTopicCreation: false,
  });
  await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
  const { clusterId } = await admin.describeCluster();
  const streams = new Map(STREAMS.map((stream) => [options.topicPrefix + stream.topic.name, stream]));
  const session: Session = {
    options,
    parts,
    consumer,
    producer,
    admin,
    streams,
    cluster: clusterId,
    workers: new Map(),
    generation: 0,
  };
  watchGroup(session);
  await consumer.subscribe({ topics: [...streams.keys()], fromBeginning: true });
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve());
  });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: options.partitionsAtOnce,
    eachBatch: (payload) => takeBatch(session, payload),
  });
  const stopTicking = startTicking(session);
  await joined;
  readiness.report('kafka');
  return { stop: () => stopConsuming(session, stopTicking) };
}

async function stopConsuming(session: Session, stopTicking: () => void): Promise<void> {
  stopTicking();
  // Blocks in hand are finished and committed first; open ones are read again by the next owner.
  await Promise.all([...session.workers.values()].map((worker) => worker.idle()));
  await session.consumer.disconnect();
  await Promise.all([session.producer.disconnect(), session.admin.disconnect()]);
}

function watchGroup(session: Session): void {
  const { consumer, parts } = session;
  const loseAll = (): void => {
    session.generation += 1;
    for (const worker of session.workers.values()) worker.lose();
    session.workers.clear();
    parts.metrics.lag.reset();
  };
  consumer.on(consumer.events.REBALANCING, loseAll);
  consumer.on(consumer.events.GROUP_JOIN, (event) => {
    loseAll();
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

async function takeBatch(session: Session, payload: EachBatchPayload): Promise<void> {
  const { batch, heartbeat, resolveOffset } = payload;
  const { metrics } = session.parts;
  const beat = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
  try {
    const worker = await workerFor(session, batch.topic, batch.partition, Number(batch.highWatermark));
    if (worker === undefined) return;
    const messages = batch.messages.map(asLogMessage);
    const before = worker.nextOffset;
    const taken = await worker.take(messages, Number(batch.highWatermark), Date.now);
    metrics.lag.set({ topic: batch.topic, partition: batch.partition }, worker.lag);
    if (taken.kind === 'jumped') {
      await handleJump(session, worker, { topic: batch.topic, partition: batch.partition, ...taken });
      return;
    }
    metrics.messages.inc({ topic: batch.topic }, Math.max(0, worker.nextOffset - before));
    if (taken.kind === 'unknown_schema') pauseForUpgrade(session, payload, taken.offset);
    else resolveOffset(batch.lastOffset());
  } finally {
    clearInterval(beat);
  }
}

/**
 * Offsets in our topics have no holes, so a jump is either kafkajs going on behind messages it was not told are
 * done (it happens around rebalances), which is fetched again, or messages the broker deleted unread: a loss.
 */
async function handleJump(
  session: Session,
  worker: PartitionWorker,
  jump: { topic: string; partition: number; from: number; to: number },
): Promise<void> {
  const { topic, partition, from, to } = jump;
  const { metrics, logger } = session.parts;
  const offsets = await session.admin.fetchTopicOffsets(topic);
  const logStart = Number(offsets.find((one) => one.partition === partition)?.low ?? 0);
  if (logStart > from) {
    metrics.offsetGaps.inc({ topic });
    logger.error({ topic, partition, from, to, logStart }, 'messages were deleted before they were read');
    worker.allowJump(Math.max(to, logStart));
  } else logger.warn({ topic, partition, from, to }, 'offsets jumped: fetching again from where we were');
  session.consumer.seek({ topic, partition, offset: String(Math.max(from, logStart)) });
}

function asLogMessage(message: EachBatchPayload['batch']['messages'][number]): LogMessage {
  return {
    offset: Number(message.offset),
    appendedMs: Number(message.timestamp),
    value: message.value,
    headers: message.headers,
  };
}

/** Stops the partition, not the others, until an aggregator comes that knows the schema. */
function pauseForUpgrade(session: Session, { batch, pause }: EachBatchPayload, offset: number): void {
  const dependency = `schema of ${batch.topic}:${batch.partition}`;
  const failure = `offset ${offset} has a schema this version does not know: upgrade the aggregator`;
  session.parts.readiness.report(dependency, failure);
  session.parts.logger.error({ topic: batch.topic, partition: batch.partition, offset }, failure);
  const resume = pause();
  setTimeout(() => {
    session.parts.readiness.report(dependency);
    resume();
  }, UNKNOWN_SCHEMA_PAUSE_MS).unref();
}

async function workerFor(
  session: Session,
  topic: string,
  partition: number,
  endOffset: number,
): Promise<PartitionWorker | undefined> {
  const key = `${topic}:${partition}`;
  const known = session.workers.get(key);
  const stream = session.streams.get(topic);
  if (known !== undefined || stream === undefined) return known;
  const { generation } = session;
  const worker = await openPartition(session, stream, { topic, partition, endOffset });
  // Ownership changed while the ledger was read: whoever owns the partition now opens it anew.
  if (session.generation !== generation) return undefined;
  session.workers.set(key, worker);
  return worker;
}

/** Ends waiting blocks, and watches for a consumer that stands still without saying so. */
function startTicking(session: Session): () => void {
  const { options, parts, workers } = session;
  const tick = setInterval(() => {
    const nowMs = Date.now();
    for (const [key, worker] of workers) {
      void worker.endWaitingBlock(options.bounds, options.markerAgeMs, nowMs);
      if (
        worker.lag > 0 &&
        nowMs - worker.progressMs > options.stallTimeoutMs &&
        parts.readiness.state().ready
      ) {
        parts.fail(new Error(`${key} stands still with a lag of ${worker.lag} messages`));
      }
    }
  }, TICK_MS);
  return () => clearInterval(tick);
}
