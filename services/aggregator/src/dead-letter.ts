/*
 * Messages that can never be stored go to the dead-letter topic: original bytes and headers, and where they came
 * from and why. Kept apart, never dropped.
 */
import type { Producer } from 'kafkajs';
import type { BlockPlace } from './block-content.js';
import type { DeadMessage } from './block-cutter.js';

/** Sends and waits for all replicas. Each dead message goes to the partition of its own number, 0 of one. */
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
            'imscope-dead-reason': reason,
            'imscope-dead-topic': place.topic,
            'imscope-dead-partition': String(place.partition),
            'imscope-dead-offset': String(message.offset),
            'imscope-dead-appended': String(message.appendedMs),
          },
        },
      ],
    });
  }
}
