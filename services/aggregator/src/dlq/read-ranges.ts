/*
 * Reads given ranges of a topic, each message once, for commands that read a log. Uses a separate consumer
 * group that commits nothing and is deleted again: kafkajs reads no other way. The aggregators' group is never
 * touched. Offsets without a message (transactions leave such) are passed over; an open transaction ends the reading.
 */
import { randomUUID } from 'node:crypto';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { isHole, observeFetches } from '@imscope/runtime/kafkajs/fetch-holes.js';
import { FetchedLogs } from '../consume/fetched-logs.js';

/** Offsets of one partition, `to` not included; `Infinity` is the log's end when the reading begins. */
export type OffsetRange = { readonly partition: number; readonly from: number; readonly to: number };

export type OnMessage = (partition: number, message: KafkaMessage) => Promise<void> | void;

const HEARTBEAT_MS = 3_000;
const SESSION_MS = 30_000;
const FETCH_BYTES_MAX = 8_000_000;
/** The broker has not answered for so long. */
const STILL_MS_MAX = 30_000;
/** How long to wait for messages that an open transaction holds back: most need milliseconds. */
const TRANSACTION_MS_MAX = 5_000;
const WATCH_MS = 500;

/**
 * What of each partition of a topic can be read now, by partition: up to the oldest open transaction.
 * @throws where the topic is not there
 */
export async function readSpans(kafka: Kafka, topic: string): Promise<OffsetRange[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    // kafkajs would retry for seconds to find the offsets of a missing topic.
    if (!(await admin.listTopics()).includes(topic)) {
      throw new Error(`there is no topic ${topic}: check KAFKA_TOPIC_PREFIX, or run "imscope prepare"`);
    }
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets
      .map(({ partition, low, high }) => ({ partition, from: Number(low), to: Number(high) }))
      .toSorted((a, b) => a.partition - b.partition);
  } finally {
    await admin.disconnect();
  }
}

/**
 * Resolves when all ranges are read; `onMessage` is waited for, so that its work bounds the reading.
 * @returns what could not be read, because an open transaction holds it back
 */
export async function readRanges(
  kafka: Kafka,
  from: { readonly topic: string; readonly groupPrefix: string },
  ranges: readonly OffsetRange[],
  onMessage: OnMessage,
): Promise<OffsetRange[]> {
  const wanted = new Map(
    ranges.filter((range) => range.to > range.from).map((range) => [range.partition, range]),
  );
  if (wanted.size === 0) return [];
  const groupId = `${from.groupPrefix}imscope-dlq-${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: SESSION_MS,
    heartbeatInterval: HEARTBEAT_MS,
    maxBytesPerPartition: FETCH_BYTES_MAX,
    maxWaitTimeInMs: 250,
    allowAutoTopicCreation: false,
  });
  const logs = new FetchedLogs();
  const endObserving = observeFetches((at, log) => logs.record(at, log), Date.now);
  try {
    await consumer.connect();
    return await readAll({ consumer, topic: from.topic, logs }, wanted, onMessage);
  } finally {
    endObserving();
    await consumer.disconnect();
    await deleteGroup(kafka, groupId);
  }
}

type Reading = { readonly consumer: Consumer; readonly topic: string; readonly logs: FetchedLogs };

async function readAll(
  { consumer, topic, logs }: Reading,
  wanted: Map<number, OffsetRange>,
  onMessage: OnMessage,
): Promise<OffsetRange[]> {
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  consumer.on(consumer.events.GROUP_JOIN, (event) => {
    for (const partition of event.payload.memberAssignment[topic] ?? []) {
      const range = wanted.get(partition);
      if (range === undefined) consumer.pause([{ topic, partitions: [partition] }]);
      else consumer.seek({ topic, partition, offset: String(range.from) });
    }
  });
  let progressMs = Date.now();
  let taking = 0;
  let watch: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      watch = setInterval(() => {
        const stillMs = Date.now() - progressMs;
        // A batch in hand moves its range before its messages are done.
        if (taking === 0) settleRanges(topic, wanted, logs);
        const held = taking === 0 && [...wanted.values()].every((range) => isHeldBack(topic, range, logs));
        if (held && (wanted.size === 0 || stillMs > TRANSACTION_MS_MAX)) resolve();
        else if (stillMs > STILL_MS_MAX) reject(new Error(`${topic} brought nothing for 30 s`));
      }, WATCH_MS);
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      const running = consumer.run({
        autoCommit: false,
        eachBatch: async (payload) => {
          progressMs = Date.now();
          settleRanges(topic, wanted, logs);
          taking += 1;
          // Thrown to kafkajs, an error would only make it read the same again.
          await takeBatch(payload, wanted, onMessage).catch(reject);
          taking -= 1;
          progressMs = Date.now();
          if (wanted.size === 0) resolve();
        },
      });
      running.catch(reject);
    });
    return [...wanted.values()];
  } finally {
    clearInterval(watch);
    wanted.clear();
  }
}

/** By the broker's answers: where open ranges end, and which bring nothing (more), for example because it was deleted. */
function settleRanges(topic: string, wanted: Map<number, OffsetRange>, logs: FetchedLogs): void {
  for (const [partition, range] of wanted) {
    const log = logs.at({ topic, partition });
    if (log === undefined) continue;
    const to = Math.min(range.to, log.end);
    if (Math.max(range.from, log.start ?? 0) >= to) wanted.delete(partition);
    else if (range.to === Infinity) wanted.set(partition, { ...range, to });
  }
}

/** All before the oldest open transaction was read. */
function isHeldBack(topic: string, { partition, from, to }: OffsetRange, logs: FetchedLogs): boolean {
  const log = logs.at({ topic, partition });
  return log !== undefined && log.stable <= from && log.stable < to;
}

async function takeBatch(
  { batch, heartbeat, pause }: EachBatchPayload,
  wanted: Map<number, OffsetRange>,
  onMessage: OnMessage,
): Promise<void> {
  const { partition } = batch;
  const beat = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
  try {
    for (const message of batch.messages) {
      const range = wanted.get(partition);
      const offset = Number(message.offset);
      if (range === undefined || offset >= range.to) break;
      // A group that joins again starts from the beginning: `from` is after what was read then.
      wanted.set(partition, { ...range, from: offset + 1 });
      if (offset >= range.from && !isHole(message)) await onMessage(partition, message);
    }
  } finally {
    clearInterval(beat);
  }
  const range = wanted.get(partition);
  if (range !== undefined && Number(batch.lastOffset()) + 1 < range.to) return;
  wanted.delete(partition);
  pause();
}

async function deleteGroup(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // Without offsets the broker forgets it by itself.
  } finally {
    await admin.disconnect();
  }
}
