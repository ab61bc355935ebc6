/*
 * Waits until the aggregator has committed everything that stands in the request log: what an earlier start left in
 * Kafka belongs to that start, and must be stored before this one begins to count.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { TOPICS } from '@imscope/schemas/topics.js';

/** The default of the aggregator's CONSUMER_GROUP. */
const GROUP = 'imscope-aggregator';
const TIMEOUT_MS = 60_000;
const POLL_MS = 250;

/** @param address host:port of Kafka @returns messages that are still not stored at the time limit; 0 when all are */
export async function waitCaughtUp(address: string, signal: AbortSignal): Promise<number> {
  const kafka = new Kafka({ brokers: [address], clientId: 'imscope-start', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const topic = TOPICS.requestLog.name;
    const deadline = Date.now() + TIMEOUT_MS;
    for (;;) {
      const ends = await admin.fetchTopicOffsets(topic);
      const [group] = await admin.fetchOffsets({ groupId: GROUP, topics: [topic] });
      const committed = new Map(
        group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]),
      );
      const waiting = ends.reduce((total, { partition, high, low }) => {
        // -1: nothing was committed yet, so all of it waits.
        const next = Math.max(committed.get(partition) ?? -1, Number(low));
        return total + Math.max(0, Number(high) - next);
      }, 0);
      if (waiting === 0 || Date.now() > deadline || signal.aborted) return waiting;
      await sleep(POLL_MS);
    }
  } finally {
    await admin.disconnect();
  }
}
