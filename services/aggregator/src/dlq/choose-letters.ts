/* Which dead letters a command is about, and reading them in order of their topic, one at a time. */
import type { Kafka } from 'kafkajs';
import { TOPICS } from '@imscope/schemas/topics.js';
import { type DeadLetter, type LetterPlace, formatPlace, readDeadLetter } from './dead-letter-entry.js';
import { type OffsetRange, readRanges, readSpans } from './read-ranges.js';

export type LetterFilter = {
  readonly reason: string | undefined;
  /** With or without the prefix. */
  readonly topic: string | undefined;
  /** Letters that died before are passed over; epoch milliseconds. */
  readonly sinceMs: number | undefined;
};

export type LetterSource = {
  readonly kafka: Kafka;
  readonly topicPrefix: string;
};

export function isChosen(letter: DeadLetter, filter: LetterFilter, topicPrefix: string): boolean {
  const { reason, topic, sinceMs } = filter;
  if (reason !== undefined && letter.reason !== reason) return false;
  if (sinceMs !== undefined && letter.diedMs < sinceMs) return false;
  const from = letter.origin?.topic;
  return topic === undefined || from === topic || from === topicPrefix + topic;
}

/**
 * Every dead letter up to the topic's end as it is now.
 * @returns descriptions of what could not be read
 */
export async function readAllLetters(
  source: LetterSource,
  onLetter: (letter: DeadLetter) => Promise<void> | void,
): Promise<string[]> {
  const from = await readTopic(source);
  const all = from.spans.map((span) => ({ ...span, to: Infinity }));
  const unread = await readRanges(source.kafka, from, all, (partition, message) =>
    onLetter(readDeadLetter(partition, message)),
  );
  return unread.map(describeUnread);
}

function describeUnread({ partition, from, to }: OffsetRange): string {
  const [first, last] = [from, to - 1].map((offset) => formatPlace({ partition, offset }));
  return `${first} to ${last} cannot be read: an open transaction holds them back. Run it again when that has ended (at its transaction.timeout.ms at the latest)`;
}

/** The letters at these places. @returns places without a letter, each with a description of what is there */
export async function readLetters(
  source: LetterSource,
  places: readonly LetterPlace[],
  onLetter: (letter: DeadLetter) => Promise<void> | void,
): Promise<{ readonly place: LetterPlace; readonly text: string }[]> {
  const from = await readTopic(source);
  const missing = new Map(places.map((place) => [formatPlace(place), place]));
  const ranges = from.spans.flatMap((span) => {
    const offsets = places
      .filter(
        ({ partition, offset }) => partition === span.partition && offset >= span.from && offset < span.to,
      )
      .map(({ offset }) => offset);
    if (offsets.length === 0) return [];
    return [{ partition: span.partition, from: Math.min(...offsets), to: Math.max(...offsets) + 1 }];
  });
  const unread = await readRanges(source.kafka, from, ranges, async (partition, message) => {
    const letter = readDeadLetter(partition, message);
    if (missing.delete(formatPlace(letter.place))) await onLetter(letter);
  });
  return [...missing.values()].map((place) => {
    const held = unread.find((range) => range.partition === place.partition && range.from <= place.offset);
    return { place, text: held === undefined ? describeSpan(place, from.spans) : describeUnread(held) };
  });
}

async function readTopic({ kafka, topicPrefix }: LetterSource): Promise<{
  topic: string;
  groupPrefix: string;
  spans: OffsetRange[];
}> {
  const topic = topicPrefix + TOPICS.deadLetter.name;
  return { topic, groupPrefix: topicPrefix, spans: await readSpans(kafka, topic) };
}

function describeSpan(place: LetterPlace, spans: readonly OffsetRange[]): string {
  const { partition } = place;
  const span = spans.find((one) => one.partition === partition);
  if (span === undefined) return `there is no partition ${partition}, but 0 to ${spans.length - 1}`;
  if (place.offset >= span.from && place.offset < span.to) return 'its offset holds no message';
  if (span.from === span.to) return `partition ${partition} is empty`;
  return `partition ${partition} holds ${formatPlace({ partition, offset: span.from })} to ${formatPlace({ partition, offset: span.to - 1 })}`;
}
