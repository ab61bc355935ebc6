/*
 * Entries out of the compacted topic: read from its beginning at each start, then as they come. Each process has a group
 * of its own and commits nothing. Every second the topic's end is read besides, so that a consumer that stands still is
 * noticed, and started again.
 */
import { randomUUID } from 'node:crypto';
import { ENTRY_TOPIC } from '@imscope/schemas/registry-entry.js';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Consumer, Kafka } from 'kafkajs';
import type { EntryReceiver, EntrySource } from './entry-source.js';
import { startSessions, withinTime } from './source-sessions.js';
import { TopicPublication } from './topic-publication.js';

export type TopicSettings = {
  readonly kafka: Kafka;
  /** Of the topic's name, and of the consumer groups'. */
  readonly prefix: string;
  /** Name of the brokers, for messages. */
  readonly brokers: string;
};

const CHECK_MS = 1_000;
const CHECK_MS_MAX = 5_000;
const START_MS_MAX = 30_000;
/** A consumer that is behind the end of the topic and reads nothing for so long is started again. */
const STALLED_MS = 5_000;
/** A broker with `group.initial.rebalance.delay.ms` lets a new group wait, 3 s by default, before it reads. */
const FIRST_MS = 15_000;

/** Groups of receivers, for access lists of brokers: this prefix, and a random part. */
export const ENTRY_GROUP = 'imscope-registry-entry';

export function createTopicSource(settings: TopicSettings): EntrySource {
  let stop: (() => Promise<void>) | undefined;
  return {
    name: `topic ${settings.prefix}${ENTRY_TOPIC} at ${settings.brokers}`,
    start: (receiver) => {
      stop = startSessions((stopping) => runSession(settings, receiver, stopping), receiver.failing);
    },
    stop: async () => stop?.(),
  };
}

type Progress = { nextOffset: number; readMs: number; failure: Error | undefined };

async function runSession(
  { kafka, prefix }: TopicSettings,
  receiver: EntryReceiver,
  stopping: AbortSignal,
): Promise<void> {
  const topic = prefix + ENTRY_TOPIC;
  // Without retries of its own: one that goes on after the disconnection would open a connection again.
  const admin = kafka.admin({ retry: { retries: 0 } });
  const consumer = kafka.consumer({
    groupId: `${prefix}${ENTRY_GROUP}-${randomUUID()}`,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 1_000,
    retry: { restartOnFailure: async () => false },
  });
  try {
    await withinTime(admin.connect(), CHECK_MS_MAX, 'connecting to Kafka');
    const publication = new TopicPublication(receiver);
    const progress: Progress = { nextOffset: 0, readMs: performance.now() + FIRST_MS, failure: undefined };
    consumer.on('consumer.crash', ({ payload }) => (progress.failure = payload.error));
    await endOf(admin, topic);
    await withinTime(
      startConsumer(consumer, { topic, publication, progress }),
      START_MS_MAX,
      'joining a group',
    );
    await watch({ admin, topic, publication, progress, receiver }, stopping);
  } finally {
    await Promise.allSettled(
      [consumer.disconnect(), admin.disconnect()].map((closing) =>
        withinTime(closing, CHECK_MS_MAX, 'closing'),
      ),
    );
  }
}

async function startConsumer(
  consumer: Consumer,
  parts: { readonly topic: string; readonly publication: TopicPublication; readonly progress: Progress },
): Promise<void> {
  const { topic, publication, progress } = parts;
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const messages = batch.messages.map(({ key, value }) => ({
        key: key?.toString() ?? '',
        value: value?.toString(),
      }));
      await publication.accept(messages);
      progress.nextOffset = Number(batch.lastOffset()) + 1;
      progress.readMs = performance.now();
      if (progress.nextOffset >= Number(batch.highWatermark)) await publication.caughtUp();
    },
  });
}

type Watched = {
  readonly admin: Admin;
  readonly topic: string;
  readonly publication: TopicPublication;
  readonly progress: Progress;
  readonly receiver: EntryReceiver;
};

async function watch(
  { admin, topic, publication, progress, receiver }: Watched,
  stopping: AbortSignal,
): Promise<void> {
  while (!stopping.aborted) {
    const end = await endOf(admin, topic);
    if (progress.failure !== undefined) throw progress.failure;
    if (end < progress.nextOffset)
      throw new Error('the topic was created again: it is read from its beginning');
    if (progress.nextOffset < end) {
      if (performance.now() - progress.readMs > STALLED_MS) {
        throw new Error(`the consumer stands still at offset ${progress.nextOffset} of ${end}`);
      }
    } else {
      progress.readMs = performance.now();
      if (publication.isComplete) receiver.current();
      else receiver.failing('it holds no complete publication of the registry yet');
    }
    await sleep(CHECK_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

async function endOf(admin: Admin, topic: string): Promise<number> {
  const offsets = await withinTime(
    admin.fetchTopicOffsets(topic),
    CHECK_MS_MAX,
    'reading the end of the topic',
  );
  return Number(offsets.find(({ partition }) => partition === 0)?.high ?? 0);
}
