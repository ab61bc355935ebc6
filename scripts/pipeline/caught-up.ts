/*
 * Waits until the store has everything: the collector's spool is empty, and the ledger's last offsets are the ends of
 * Kafka's partitions. Before that a comparison of the accounts is not valid.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import type { Pipeline } from './pipeline.js';
import { openKafka } from '../stack/kafka-client.js';

const TOPICS = ['im.request-log', 'im.interface-metric', 'im.edge-account'];

/** Waits until Kafka has all that is in the spool. Throws after `timeoutMs`. */
export async function untilSpoolEmpty(
  readMetric: (name: string) => Promise<number>,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const batches = await readMetric('imscope_collector_spool_batches');
    if (batches === 0) return;
    if (performance.now() > deadline)
      throw new Error(`${batches} batches are still in the spool after ${timeoutMs} ms`);
    await sleep(100);
  }
}

/** A marker of the aggregator may follow the last block; it is recorded with the next block. */
const MARKERS_MAX = 1;
/** Data that waits is recorded long before. */
const UNCHANGED_MS = 3_000;

/** Waits until the ledger has recorded every message of every partition. Throws after `timeoutMs`. */
export async function untilRecorded(
  kafka: { readonly broker: string; readonly topicPrefix: string },
  select: Pipeline['select'],
  timeoutMs: number,
): Promise<void> {
  const admin = openKafka(kafka.broker).admin();
  await admin.connect();
  try {
    const deadline = performance.now() + timeoutMs;
    let seen = { description: '', sinceMs: performance.now() };
    for (;;) {
      const ends = (
        await Promise.all(TOPICS.map((topic) => readEnds(admin, kafka.topicPrefix + topic)))
      ).flat();
      const recorded = await readRecorded(select);
      const missing = ends.filter(({ place, end }) => end > (recorded.get(place) ?? 0));
      if (missing.length === 0) return;
      const description = missing
        .map(({ place, end }) => `${place}: ${recorded.get(place) ?? 0} of ${end}`)
        .join(', ');
      if (description !== seen.description) seen = { description, sinceMs: performance.now() };
      const onlyMarkers = missing.every(({ place, end }) => end - (recorded.get(place) ?? 0) <= MARKERS_MAX);
      if (onlyMarkers && performance.now() - seen.sinceMs > UNCHANGED_MS) return;
      if (performance.now() > deadline) {
        throw new Error(`the aggregator has not recorded all within ${timeoutMs} ms: ${description}`);
      }
      await sleep(200);
    }
  } finally {
    await admin.disconnect();
  }
}

async function readEnds(admin: Admin, topic: string): Promise<{ place: string; end: number }[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, high }) => ({ place: `${topic}/${partition}`, end: Number(high) }));
}

/** The offset after the last one recorded, by topic and partition, of the topic's latest epoch. */
async function readRecorded(select: Pipeline['select']): Promise<Map<string, number>> {
  const rows = await select<{ topic: string; partition: number; last: number }>(
    'SELECT topic, partition, argMax(last_offset, (epoch, last_offset)) AS last FROM block_ledger GROUP BY topic, partition',
  );
  return new Map(rows.map(({ topic, partition, last }) => [`${topic}/${partition}`, last + 1]));
}
