/*
 * Writes messages that can never be stored to the dead-letter topic: original bytes and headers, with their origin and
 * the reason.
 */
import type { Message, Producer } from 'kafkajs';
import type { BlockPlace } from '../blocks/block-content.js';
import type { DeadMessage, LogMessage } from '../blocks/block-cutter.js';

/** The headers that are added to the original ones. */
export const DEAD_HEADERS = {
  reason: 'imscope-dead-reason',
  topic: 'imscope-dead-topic',
  partition: 'imscope-dead-partition',
  offset: 'imscope-dead-offset',
  /** When the original was appended, epoch milliseconds by the broker's clock. */
  appended: 'imscope-dead-appended',
} as const;

/** One send is one batch, of which the broker accepts 1 MiB; a larger letter is sent alone. */
const SEND_BYTES_MAX = 800_000;
/** Bytes of a letter beside its value and its own headers: added headers, the key, lengths. */
const LETTER_EXTRA_BYTES = 512;

/**
 * Sends and waits for all replicas. All letters of a partition have one key, so they are in one partition in order,
 * and a send reaches one partition only: kafkajs may lose track of one that spans several.
 */
export async function writeDeadLetters(
  producer: Producer,
  deadLetterTopic: string,
  place: BlockPlace,
  dead: readonly DeadMessage[],
): Promise<void> {
  let messages: Message[] = [];
  let bytes = 0;
  const send = async (): Promise<void> => {
    if (messages.length > 0) await producer.send({ topic: deadLetterTopic, acks: -1, messages });
    messages = [];
    bytes = 0;
  };
  for (const each of dead) {
    const own = bytesOf(each.message);
    if (bytes + own > SEND_BYTES_MAX) await send();
    messages.push(letterOf(place, each));
    bytes += own;
  }
  await send();
}

function letterOf(place: BlockPlace, { message, reason }: DeadMessage): Message {
  return {
    key: `${place.topic}:${place.partition}`,
    value: message.value,
    headers: {
      ...message.headers,
      [DEAD_HEADERS.reason]: reason,
      [DEAD_HEADERS.topic]: place.topic,
      [DEAD_HEADERS.partition]: String(place.partition),
      [DEAD_HEADERS.offset]: String(message.offset),
      [DEAD_HEADERS.appended]: String(message.appendedMs),
    },
  };
}

function bytesOf({ value, headers }: LogMessage): number {
  const headerBytes = Object.entries(headers ?? {})
    .flatMap(([name, header]) =>
      [header ?? ''].flat().map((text) => Buffer.byteLength(name) + Buffer.byteLength(text) + 10),
    )
    .reduce((sum, length) => sum + length, 0);
  return (value?.length ?? 0) + headerBytes + LETTER_EXTRA_BYTES;
}
