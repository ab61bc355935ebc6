/*
 * A dead letter of its topic: the original bytes and headers, and the origin and reason that were added.
 */
import type { KafkaMessage } from 'kafkajs';
import { type ClaimedBatch, readBatchId, readClaimedBatch } from '@imscope/schemas/batch-headers.js';
import type { LogMessage } from '../blocks/block-cutter.js';
import { completeHeaders } from '../consume/consume.js';
import { DEAD_HEADERS } from '../consume/dead-letter.js';

export type Origin = {
  /** Prefix and all. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Broker's time, epoch milliseconds. */
  readonly appendedMs: number;
};

export type DeadLetter = {
  readonly place: LetterPlace;
  /** When it became a dead letter: broker's time, epoch milliseconds. */
  readonly diedMs: number;
  readonly reason: string;
  /** Undefined where its headers do not say. */
  readonly origin: Origin | undefined;
  readonly batch: ClaimedBatch['batch'] | undefined;
  /** As its header says. */
  readonly recordsClaimed: number | undefined;
  readonly value: Buffer | null;
  /** The original ones. */
  readonly headers: NonNullable<LogMessage['headers']>;
};

/** The place of a dead letter in its topic; written `partition:offset`. */
export type LetterPlace = { readonly partition: number; readonly offset: number };

const OURS: ReadonlySet<string> = new Set(Object.values(DEAD_HEADERS));
const PLACE = /^(\d{1,9}):(\d{1,15})$/;

export function parsePlace(text: string): LetterPlace | undefined {
  const match = PLACE.exec(text);
  return match === null ? undefined : { partition: Number(match[1]), offset: Number(match[2]) };
}

export function formatPlace({ partition, offset }: LetterPlace): string {
  return `${partition}:${offset}`;
}

export function readDeadLetter(partition: number, message: KafkaMessage): DeadLetter {
  const headers = completeHeaders(message.headers) ?? {};
  const noted = (name: string): string => {
    const value = headers[name];
    return value === undefined || Array.isArray(value) ? '' : value.toString();
  };
  const [topic, originPartition, originOffset, appended] = [
    noted(DEAD_HEADERS.topic),
    noted(DEAD_HEADERS.partition),
    noted(DEAD_HEADERS.offset),
    noted(DEAD_HEADERS.appended),
  ];
  const isOriginKnown =
    topic !== '' && [originPartition, originOffset, appended].every((text) => /^\d{1,15}$/.test(text));
  const original = Object.fromEntries(Object.entries(headers).filter(([name]) => !OURS.has(name)));
  return {
    place: { partition, offset: Number(message.offset) },
    diedMs: Number(message.timestamp),
    reason: noted(DEAD_HEADERS.reason) || 'unknown',
    origin: isOriginKnown
      ? {
          topic,
          partition: Number(originPartition),
          offset: Number(originOffset),
          appendedMs: Number(appended),
        }
      : undefined,
    batch: readBatchId(original),
    recordsClaimed: readClaimedBatch(original)?.records,
    value: message.value,
    headers: original,
  };
}
