/*
 * Waits until everything that was in the log is stored. While aggregators lag, a live collector seems silent and what is
 * on its way seems lost, so nothing is retired before.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Kafka } from 'kafkajs';
import { readPosition } from '../store/ledger.js';

const POLL_MS = 500;

type LogEnd = { readonly topic: string; readonly partition: number; readonly lastOffset: number };

export type LogContext = {
  readonly kafka: Kafka;
  readonly store: ClickHouseClient;
  readonly topicPrefix: string;
};

/**
 * @param waitMs the longest wait
 * @returns messages that were in the log at the call and are not stored after the wait; 0 where all are
 */
export async function waitUntilStored(
  { kafka, store, topicPrefix }: LogContext,
  waitMs: number,
): Promise<number> {
  const topics = [TOPICS.requestLog, TOPICS.edgeAccount].map(({ name }) => topicPrefix + name);
  const { cluster, ends } = await readEnds(kafka, topics);
  const untilMs = performance.now() + waitMs;
  for (;;) {
    const behind = await Promise.all(
      ends.map(async ({ topic, partition, lastOffset }) => {
        const position = await readPosition(store, { cluster, topic, partition });
        return Math.max(0, lastOffset - (position?.lastOffset ?? -1));
      }),
    );
    const messages = behind.reduce((sum, one) => sum + one, 0);
    if (messages === 0 || performance.now() >= untilMs) return messages;
    await delay(POLL_MS);
  }
}

async function readEnds(
  kafka: Kafka,
  topics: readonly string[],
): Promise<{ readonly cluster: string; readonly ends: readonly LogEnd[] }> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { clusterId: cluster } = await admin.describeCluster();
    const ends = await Promise.all(
      topics.map(async (topic) => {
        const offsets = await admin.fetchTopicOffsets(topic);
        return offsets
          .filter(({ low, high }) => Number(high) > Number(low))
          .map(({ partition, high }) => ({ topic, partition, lastOffset: Number(high) - 1 }));
      }),
    );
    return { cluster, ends: ends.flat() };
  } finally {
    await admin.disconnect();
  }
}
