/*
 * Waits until everything that was in the log is stored. While aggregators lag, a live collector seems silent and what is
 * on its way seems lost, so nothing is retired before.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { readBatchId } from '@imscope/schemas/batch-headers.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Kafka } from 'kafkajs';
import { completeHeaders } from '../consume/consume.js';
import { readRanges } from '../dlq/read-ranges.js';
import { readPosition } from '../store/ledger.js';

const POLL_MS = 500;
/** A marker may follow the last block of a partition: it is recorded with the next block. */
const MARKERS_MAX = 1;

/** Offsets of one partition: what is stored up to, and the last one at the call. */
type Tail = {
  readonly topic: string;
  readonly partition: number;
  readonly stored: number;
  readonly last: number;
};

export type LogContext = {
  readonly kafka: Kafka;
  readonly store: ClickHouseClient;
  readonly topicPrefix: string;
};

/**
 * @param waitMs the longest wait
 * @returns messages that were in the log at the call and are not stored after the wait; 0 where all are
 */
export async function waitUntilStored(context: LogContext, waitMs: number): Promise<number> {
  const topics = [TOPICS.requestLog, TOPICS.edgeAccount].map(({ name }) => context.topicPrefix + name);
  const { cluster, ends } = await readEnds(context.kafka, topics);
  const untilMs = performance.now() + waitMs;
  for (;;) {
    const tails = await Promise.all(
      ends.map(async (end) => {
        const position = await readPosition(context.store, { cluster, ...end });
        return { ...end, stored: position?.lastOffset ?? -1 };
      }),
    );
    const behind = tails.filter(({ stored, last }) => stored < last);
    if (behind.every(({ stored, last }) => last - stored <= MARKERS_MAX)) {
      if ((await countBatches(context, behind)) === 0) return 0;
    }
    if (performance.now() >= untilMs) {
      return behind.reduce((sum, { stored, last }) => sum + last - stored, 0);
    }
    await delay(POLL_MS);
  }
}

/** Messages of these tails that hold batches, and not markers. */
async function countBatches({ kafka, topicPrefix }: LogContext, tails: readonly Tail[]): Promise<number> {
  let batches = 0;
  for (const [topic, ofTopic] of Map.groupBy(tails, (tail) => tail.topic)) {
    const ranges = ofTopic.map(({ partition, stored, last }) => ({
      partition,
      from: stored + 1,
      to: last + 1,
    }));
    await readRanges(kafka, { topic, groupPrefix: topicPrefix }, ranges, (_partition, message) => {
      if (readBatchId(completeHeaders(message.headers)) !== undefined) batches += 1;
    });
  }
  return batches;
}

async function readEnds(
  kafka: Kafka,
  topics: readonly string[],
): Promise<{ readonly cluster: string; readonly ends: readonly Omit<Tail, 'stored'>[] }> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { clusterId: cluster } = await admin.describeCluster();
    const ends = await Promise.all(
      topics.map(async (topic) => {
        const offsets = await admin.fetchTopicOffsets(topic);
        return offsets
          .filter(({ low, high }) => Number(high) > Number(low))
          .map(({ partition, high }) => ({ topic, partition, last: Number(high) - 1 }));
      }),
    );
    return { cluster, ends: ends.flat() };
  } finally {
    await admin.disconnect();
  }
}
