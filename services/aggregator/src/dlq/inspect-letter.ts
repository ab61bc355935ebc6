/*
 * What this version says of a dead letter's bytes: how the aggregator classifies them, the byte at fault, and whether new
 * headers would mend it. Pure.
 */
import { crc32 } from 'node:zlib';
import { BATCH_HEADER, readBatchHeaders, writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { inspectContainer } from '@imscope/schemas/container.js';
import { type DeadReason, type LogMessage, readMessage } from '../blocks/block-cutter.js';
import { type ClassifiedRecords, classifyRecords } from '../blocks/classify-records.js';
import type { Stream } from '../blocks/streams.js';
import type { DeadLetter } from './dead-letter-entry.js';
import { locateFault } from './locate-fault.js';

export type Finding =
  | { readonly kind: 'readable'; readonly records: number; readonly eventTimes: EventTimes }
  /** Its headers are wrong and its container decodes completely: with these headers it can be read. */
  | {
      readonly kind: 'mendable';
      readonly fault: DeadReason;
      readonly text: string;
      readonly records: number;
      readonly eventTimes: EventTimes;
      readonly headers: NonNullable<LogMessage['headers']>;
    }
  | { readonly kind: 'unreadable'; readonly fault: DeadReason | 'unknown_schema'; readonly text: string };

type EventTimes = Extract<ClassifiedRecords, { ok: true }>['eventTimes'];

/** Faults of headers, not of the container. */
const MENDABLE: ReadonlySet<string> = new Set([
  'bad_crc',
  'count_mismatch',
  'missing_header',
  'bad_header_value',
]);

export function inspectLetter(letter: DeadLetter, stream: Stream): Finding {
  const { value, headers, place, diedMs, origin } = letter;
  // Its times are compared with its first append: that they are past their term by now is no fault of its bytes.
  const appendedMs = origin?.appendedMs ?? diedMs;
  const message = { offset: place.offset, appendedMs, value, headers };
  const read = readMessage(message, stream.schemas);
  if (value === null || value.length === 0) {
    return { kind: 'unreadable', fault: 'empty_message', text: 'it has no bytes' };
  }
  if (read.kind === 'unknown_schema') {
    const text = 'its schema is not known to this version; a newer one may know it';
    return { kind: 'unreadable', fault: 'unknown_schema', text };
  }
  if (read.kind === 'dead' && !MENDABLE.has(read.reason)) {
    return { kind: 'unreadable', fault: read.reason, text: locateFault(value, read.reason, stream) };
  }
  const classified = classifyRecords({ value, appendedMs });
  if (!classified.ok) {
    const fault = read.kind === 'dead' ? read.reason : classified.reason;
    return { kind: 'unreadable', fault, text: locateFault(value, classified.reason, stream) };
  }
  const { eventTimes } = classified;
  const records = recordsIn(value);
  if (read.kind === 'data') return { kind: 'readable', records, eventTimes };
  const fault = read.kind === 'dead' ? read.reason : 'missing_header';
  const text = describeHeaders(letter, value, records);
  if (letter.batch === undefined) return { kind: 'unreadable', fault, text };
  const mended = { ...headers, ...writeBatchHeaders(letter.batch, records, value, eventTimes) };
  return { kind: 'mendable', fault, text, records, eventTimes, headers: mended };
}

/** By the counts of its blocks, which hold, for all its records were read. */
function recordsIn(value: Buffer): number {
  const inspected = inspectContainer(value);
  return inspected.ok ? inspected.shape.records : 0;
}

function describeHeaders(
  { headers, batch, recordsClaimed }: DeadLetter,
  value: Buffer,
  records: number,
): string {
  if (headers[BATCH_HEADER] === undefined) return 'its headers name no batch';
  if (batch === undefined) return 'its batch header names no batch';
  const read = readBatchHeaders(headers, value);
  if (!read.ok && read.fault === 'bad_crc')
    return `the checksum of its bytes is ${crc32(value)}, its header says another: either may have changed`;
  if (!read.ok) return 'its count, checksum or event times header is missing or malformed';
  return `its header says ${recordsClaimed ?? 'no'} records, its container holds ${records}`;
}
