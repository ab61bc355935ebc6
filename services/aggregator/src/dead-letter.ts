/*
 * Messages that can never be stored go to the dead-letter topic: original bytes and headers, and where they came
 * from and why. Kept apart, never dropped.
 */
import type { Producer } from 'kafkajs';
import type { BlockPlace } from './block-content.js';
import type { DeadMessage } from './block-cutter.js';

/** The headers that are added to the original ones. */
export const DEAD_HEADERS = {
  reason: 'imscope-dead-reason',
  topic: 'imscope-dead-topic',
  partition: 'imscope-dead-partition',
  offset: 'imscope-dead-offset',
  /** When the original was appended, epoch milliseconds by the broker's clock. */
  appended: 'imscope-dead-appended',
} as const;

/** Sends and waits for all replicas. The key tells the origin, so copies of one letter stand in one partition. */
export async function writeDeadLetters(
  producer: Producer,
  deadLetterTopic: string,
  place: BlockPlace,
  dead: readonly DeadMessage[],
): Promise<void> {
  for (const { message, reason } of dead) {
    await producer.send({
      topic: deadLetterTopic,
      acks: -1,
      messages: [
        {
          key: `${place.topic}:${place.epoch}:${place.partition}:${message.offset}`,
          value: message.value,
          headers: {
            ...message.headers,
            [DEAD_HEADERS.reason]: reason,
            [DEAD_HEADERS.topic]: place.topic,
            [DEAD_HEADERS.partition]: String(place.partition),
            [DEAD_HEADERS.offset]: String(message.offset),
            [DEAD_HEADERS.appended]: String(message.appendedMs),
          },
        },
      ],
    });
  }
}
