/*
 * When the store has everything: the collector's spool is empty, and the ledger's last offsets are the ends of
 * Kafka's partitions. Only then does a comparison of the books mean anything.
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

/** A marker of the aggregator's own may stand behind the last block and is booked with the next. */
const MARKERS_MAX = 1;
/** Data that waits is booked long before. */
const UNCHANGED_MS = 3_000;

/** Waits until the ledger has booked every message of every partition. Throws after `timeoutMs`. */
export async function untilBooked(
  kafka: { readonly broker: string; readonly topicPrefix: string },
  select: Pipeline['select'],
  timeoutMs: number,
): Promise<void> {
  const admin = openKafka(kafka.broker).admin();
  await admin.connect();
  try {
    const deadline = performance.now() + timeoutMs;
    let seen = { behind: '', sinceMs: performance.now() };
    for (;;) {
      const ends = (
        await Promise.all(TOPICS.map((topic) => readEnds(admin, kafka.topicPrefix + topic)))
      ).flat();
      const booked = await readBooked(select);
      const behind = ends.filter(({ place, end }) => end > (booked.get(place) ?? 0));
      if (behind.length === 0) return;
      const inWords = behind
        .map(({ place, end }) => `${place}: ${booked.get(place) ?? 0} of ${end}`)
        .join(', ');
      if (inWords !== seen.behind) seen = { behind: inWords, sinceMs: performance.now() };
      const onlyMarkers = behind.every(({ place, end }) => end - (booked.get(place) ?? 0) <= MARKERS_MAX);
      if (onlyMarkers && performance.now() - seen.sinceMs > UNCHANGED_MS) return;
      if (performance.now() > deadline) {
        throw new Error(`the aggregator has not booked all within ${timeoutMs} ms: ${inWords}`);
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

/** The offset behind the last one booked, by topic and partition, of the topic's last life. */
async function readBooked(select: Pipeline['select']): Promise<Map<string, number>> {
  const rows = await select<{ topic: string; partition: number; last: number }>(
    'SELECT topic, partition, argMax(last_offset, (epoch, last_offset)) AS last FROM block_ledger GROUP BY topic, partition',
  );
  return new Map(rows.map(({ topic, partition, last }) => [`${topic}/${partition}`, last + 1]));
}
