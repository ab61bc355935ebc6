/*
 * Sends a backlog to topics: to each partition its part, in large requests, one after another. Each repetition has a new
 * incarnation, so that the same containers count as new batches. A marker at the end of each partition closes the last
 * block, so that it is stored at once.
 */
import type { Message, Producer } from 'kafkajs';
import { writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { DEFAULT_BOUNDS, writeMarkerHeaders } from '@imscope/schemas/block-bounds.js';
import { type Container, newIncarnation } from './backlog.js';

/** The broker's bound of 1 MiB, less headers and framing. */
const SEND_BYTES_MAX = 700_000;
/** Headers and framing of a message. */
const MESSAGE_OVERHEAD_BYTES = 160;

/** Sends containers `times` times, each time under a new incarnation. */
export async function sendContainers(
  producer: Producer,
  topic: string,
  partitions: number,
  containers: readonly Container[],
  { marker, times = 1 }: { readonly marker: Buffer | undefined; readonly times?: number },
): Promise<void> {
  const sendPart = async (partition: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      await sendAll(producer, topic, partition, dataMessages(containers, partition, partitions));
    }
    if (marker === undefined || partition >= containers.length) return;
    await sendAll(producer, topic, partition, [
      { value: marker, headers: writeMarkerHeaders(DEFAULT_BOUNDS) },
    ]);
  };
  await Promise.all(Array.from({ length: partitions }, (_, partition) => sendPart(partition)));
}

/** Sends messages without headers, for peers that do not use batches. */
export async function sendPlain(
  producer: Producer,
  topic: string,
  partitions: number,
  values: readonly Buffer[],
): Promise<void> {
  const shares = Array.from({ length: partitions }, (_, partition) => shareOf(values, partition, partitions));
  await Promise.all(
    shares.map((share, partition) =>
      sendAll(
        producer,
        topic,
        partition,
        share.map((value) => ({ value })),
      ),
    ),
  );
}

/** The items that go to one partition: the same for all ways that are compared. */
export function shareOf<T>(all: readonly T[], partition: number, partitions: number): T[] {
  return all.filter((_, index) => index % partitions === partition);
}

function* dataMessages(
  containers: readonly Container[],
  partition: number,
  partitions: number,
): Generator<Message, void, undefined> {
  const incarnation = newIncarnation();
  let sequence = 0;
  for (const { value, records, times } of shareOf(containers, partition, partitions)) {
    yield {
      value,
      headers: writeBatchHeaders({ boot: incarnation, partition, sequence }, records, value, times),
    };
    sequence += 1;
  }
}

async function sendAll(
  producer: Producer,
  topic: string,
  partition: number,
  messages: Iterable<Message>,
): Promise<void> {
  let batch: Message[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    await producer.send({ topic, acks: -1, messages: batch });
    batch = [];
    bytes = 0;
  };
  for (const message of messages) {
    const size = (message.value?.length ?? 0) + MESSAGE_OVERHEAD_BYTES;
    if (bytes + size > SEND_BYTES_MAX) await flush();
    batch.push({ ...message, partition });
    bytes += size;
  }
  await flush();
}
