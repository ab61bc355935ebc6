/* The broker's side of the consumer loop, by kafkajs. */
import type { Admin, Consumer, Producer } from 'kafkajs';
import { writeMarkerHeaders } from '@imscope/schemas/block-bounds.js';
import { containerHeader } from '@imscope/schemas/container.js';
import type { UnstoredBatches } from './unstored-batches.js';
import type { BrokerPorts } from './loop-context.js';
import { writeDeadLetters } from './dead-letter.js';
import type { FetchedLogs } from './fetched-logs.js';
import type { TopicPartition } from './topic-partition.js';

/**
 * @param unstored learns what is stored
 * @param logs as observed with fetches
 * @param names.group and `names.deadLetterTopic`, prefix and all
 */
export function kafkaPorts(
  { admin, consumer, producer }: { admin: Admin; consumer: Consumer; producer: Producer },
  unstored: UnstoredBatches,
  logs: FetchedLogs,
  names: { readonly group: string; readonly deadLetterTopic: string },
): BrokerPorts {
  return {
    commit: ({ topic, partition }, offset, metadata) => {
      unstored.stored({ topic, partition }, offset);
      return consumer.commitOffsets([{ topic, partition, offset: String(offset), metadata }]);
    },
    readCommitted: async ({ topic, partition }) => {
      const [found] = await admin.fetchOffsets({ groupId: names.group, topics: [topic] });
      const committed = found?.partitions.find((one) => one.partition === partition);
      if (committed === undefined || Number(committed.offset) < 0) return undefined;
      return { offset: Number(committed.offset), metadata: committed.metadata ?? '' };
    },
    readLogSpan: (at) => readLogSpan(admin, at),
    fetchedLog: (at) => logs.at(at),
    appendMarker: async ({ topic, partition }, stream, bounds) => {
      const value = containerHeader(stream.schema);
      const message = { partition, value, headers: writeMarkerHeaders(bounds) };
      const [sent] = await producer.send({ topic, acks: -1, messages: [message] });
      const offset = Number(sent?.baseOffset);
      if (!Number.isSafeInteger(offset))
        throw new Error(`the broker gave no offset for a marker in ${topic}`);
      return offset;
    },
    writeDeadLetters: (place, dead) => writeDeadLetters(producer, names.deadLetterTopic, place, dead),
    seek: ({ topic, partition }, offset) => {
      unstored.forgetPartition({ topic, partition });
      consumer.seek({ topic, partition, offset: String(offset) });
    },
    resume: ({ topic, partition }) => consumer.resume([{ topic, partitions: [partition] }]),
  };
}

async function readLogSpan(
  admin: Admin,
  { topic, partition }: TopicPartition,
): Promise<{ start: number; end: number }> {
  const offsets = await admin.fetchTopicOffsets(topic);
  const found = offsets.find((one) => one.partition === partition);
  if (found === undefined) throw new Error(`the broker gave no offsets of ${topic}:${partition}`);
  return { start: Number(found.low), end: Number(found.high) };
}
