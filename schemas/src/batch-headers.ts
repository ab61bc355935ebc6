/*
 * The headers of every data message: which batch it is, how many records it holds, and a checksum of its
 * bytes. A batch id is (incarnation of a collector, partition, sequence); the incarnation is spelled
 * `boot` on the wire. Sequences count from 0 without gaps within an incarnation and partition, so known batches are
 * kept as intervals, and a gap is a loss.
 */
import { crc32 } from 'node:zlib';
import { MESSAGE_RECORDS_MAX } from './container.js';

export type BatchId = { readonly boot: string; readonly partition: number; readonly sequence: number };

/** The least and greatest event time of a batch's records, epoch milliseconds. */
export type EventTimes = { readonly least: number; readonly greatest: number };

export type BatchHeaders = {
  readonly batch: BatchId;
  readonly records: number;
  readonly crc32: number;
  /** Absent where the records have no event time. */
  readonly eventTimes: EventTimes | undefined;
};

export type HeaderFault = 'missing_header' | 'bad_header_value' | 'bad_crc';

export const BATCH_HEADER = 'imscope-batch';
export const COUNT_HEADER = 'imscope-count';
export const CRC_HEADER = 'imscope-crc32';
export const TIMES_HEADER = 'imscope-event-times';
/**
 * How many records were in a batch that waited longer at the edge than its data may be kept. They were removed there: the
 * message holds none, and its sequence is no gap.
 */
export const EXPIRED_HEADER = 'imscope-expired';

const BOOT = /^[0-9a-z]{8,32}$/;
/** Below 2^53, so that every number stays exact. */
const DIGITS = /^(?:0|[1-9][0-9]{0,14})$/;
const BATCH = /^([0-9a-z]{8,32}):(0|[1-9][0-9]{0,14}):(0|[1-9][0-9]{0,14})$/;
const TIMES = /^(0|[1-9][0-9]{0,14}):(0|[1-9][0-9]{0,14})$/;
/** The last millisecond that the store's DateTime64 can hold: the end of 2299. */
const TIME_MS_MAX = 10_413_791_999_999;

/** An incarnation's id has 16 characters; ids made from an `Idempotency-Key` have 25 and begin with this. */
const KEYED_PREFIX = 'k';
const KEYED_DIGITS = 24;

/** The incarnation in the batch ids of one keyed request: 24 digits of base 36, 124 bits, of a hash of sender and key. */
export function keyedBoot(digest: Buffer): string {
  const digits = BigInt(`0x${digest.toString('hex', 0, 20)}`).toString(36);
  return KEYED_PREFIX + digits.padStart(KEYED_DIGITS, '0').slice(-KEYED_DIGITS);
}

/** True where the id belongs to a keyed request: such ids are remembered for one hour only. */
export function isKeyedBoot(boot: string): boolean {
  return boot.length === KEYED_DIGITS + 1 && boot.startsWith(KEYED_PREFIX);
}

/** Kafka header values for one message. Throws where the incarnation's id is not 8 to 32 of [0-9a-z]. */
export function writeBatchHeaders(
  batch: BatchId,
  records: number,
  value: Buffer,
  eventTimes?: EventTimes,
): Record<string, string> {
  if (!BOOT.test(batch.boot)) throw new Error(`boot id "${batch.boot}" is not 8 to 32 of [0-9a-z]`);
  const headers = {
    [BATCH_HEADER]: `${batch.boot}:${batch.partition}:${batch.sequence}`,
    [COUNT_HEADER]: String(records),
    [CRC_HEADER]: String(crc32(value)),
  };
  if (eventTimes === undefined) return headers;
  return { ...headers, [TIMES_HEADER]: `${eventTimes.least}:${eventTimes.greatest}` };
}

type HeaderValue = Buffer | string | (Buffer | string)[] | undefined;
type Headers = Readonly<Record<string, HeaderValue>> | undefined;

export type ClaimedBatch = { readonly batch: BatchId; readonly records: number };

/** The batch id in a message's header; undefined where it is missing or malformed. */
export function readBatchId(headers: Headers): BatchId | undefined {
  const [, boot, partition, sequence] = BATCH.exec(text(headers?.[BATCH_HEADER]) ?? '') ?? [];
  if (boot === undefined) return undefined;
  return { boot, partition: Number(partition), sequence: Number(sequence) };
}

/** The batch id and the number of records in a message's headers; its value is not compared. */
export function readClaimedBatch(headers: Headers): ClaimedBatch | undefined {
  const batch = readBatchId(headers);
  const count = text(headers?.[COUNT_HEADER]) ?? '';
  // The ledger sums up these numbers, so a hostile one must not overflow it.
  if (batch === undefined || !DIGITS.test(count) || Number(count) > MESSAGE_RECORDS_MAX) return undefined;
  return { batch, records: Number(count) };
}

/** How many records were removed at the edge before the batch was sent; 0 for nearly all. */
export function readExpiredRecords(headers: Headers): number {
  const count = text(headers?.[EXPIRED_HEADER]) ?? '';
  return DIGITS.test(count) ? Number(count) : 0;
}

/** Reads the headers of a message and compares its bytes with the checksum. */
export function readBatchHeaders(
  headers: Headers,
  value: Buffer,
): { ok: true; headers: BatchHeaders } | { ok: false; fault: HeaderFault } {
  const crc = text(headers?.[CRC_HEADER]);
  if (crc === undefined || !isText(headers?.[BATCH_HEADER]) || !isText(headers?.[COUNT_HEADER])) {
    return { ok: false, fault: 'missing_header' };
  }
  const claimed = readClaimedBatch(headers);
  if (claimed === undefined || !DIGITS.test(crc)) return { ok: false, fault: 'bad_header_value' };
  const times = readEventTimes(text(headers?.[TIMES_HEADER]));
  if (times === 'bad') return { ok: false, fault: 'bad_header_value' };
  if (Number(crc) !== crc32(value)) return { ok: false, fault: 'bad_crc' };
  return {
    ok: true,
    headers: { batch: claimed.batch, records: claimed.records, crc32: Number(crc), eventTimes: times },
  };
}

function readEventTimes(header: string | undefined): EventTimes | 'bad' | undefined {
  if (header === undefined) return undefined;
  const found = TIMES.exec(header);
  if (found === null) return 'bad';
  const times = { least: Number(found[1]), greatest: Number(found[2]) };
  return times.least <= times.greatest && times.greatest <= TIME_MS_MAX ? times : 'bad';
}

function isText(value: HeaderValue): value is Buffer | string {
  return value !== undefined && !Array.isArray(value);
}

function text(value: HeaderValue): string | undefined {
  if (!isText(value)) return undefined;
  return typeof value === 'string' ? value : value.toString('latin1');
}
