/*
 * Encodes request logs to Avro, by hand: every record of the pipeline is encoded here, and avsc needs twice the time,
 * because it checks the type of each value. The bytes are those of avsc; a test compares every field.
 */
import type { RecordEncoder } from './block-builder.js';
import type { Outcome } from './outcome.js';
import { REQUEST_LOG_BOUNDS, type RequestLog } from './request-log.js';

/** A request log before it is encoded. An IPv4 address may be a number: 203.0.113.7 is 0xcb007107. */
export type NewRequestLog = Omit<RequestLog, 'exit_ip'> & { readonly exit_ip: number | Buffer };

const { interfaceLengthMax, exceptionLengthMax, causeLengthMax, labelLengthMax, requestIdLengthMax } =
  REQUEST_LOG_BOUNDS;
const TEXT_LENGTH_MAX =
  interfaceLengthMax + exceptionLengthMax + causeLengthMax + 4 * labelLengthMax + requestIdLengthMax;
/** Three bytes a UTF-16 unit, 2 for the length of each of 8 texts, 16 for the address, 8 for each of 9 numbers. */
const BYTES_MAX = 3 * TEXT_LENGTH_MAX + 2 * 8 + 16 + 8 * 9 + 3;

const OUTCOME_BYTE = { success: 0, caller_error: 2, service_error: 4, unknown: 6 } as const satisfies Record<
  Outcome,
  number
>;
const NULL_BRANCH = 0;
const VALUE_BRANCH = 2;

/** For records within `REQUEST_LOG_BOUNDS`: texts are well-formed, numbers are integers within 2^52. */
export const REQUEST_LOG_ENCODER: RecordEncoder<NewRequestLog> = { bytesMax: BYTES_MAX, encode };

function encode(record: NewRequestLog, into: Buffer, at: number): number {
  let end = writeLong(record.time, into, at);
  end = writeLong(record.sdk_app_id, into, end);
  end = writeText(record.interface, into, end);
  end = writeAddress(record.exit_ip, into, end);
  end = writeLong(record.latency_us, into, end);
  end = writeNullable(record.upstream_us, into, end);
  end = writeNullable(record.rtt_us, into, end);
  end = writeNullable(record.code, into, end);
  end = writeLong(record.http_status, into, end);
  into[end++] = OUTCOME_BYTE[record.outcome];
  end = writeText(record.exception, into, end);
  end = writeText(record.cause, into, end);
  end = writeText(record.node, into, end);
  end = writeText(record.region, into, end);
  end = writeText(record.platform, into, end);
  end = writeText(record.sdk_version, into, end);
  end = writeText(record.request_id, into, end);
  return writeLong(record.weight, into, end);
}

/** Zig-zag, seven bits a byte, the lowest first. Beyond 31 bits by division: shifts would cut bits off. */
function writeLong(value: number, into: Buffer, at: number): number {
  let end = at;
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  while (rest > 0x7fff_ffff) {
    // Cuts to the lowest 32 bits.
    const low = (rest >>> 0) & 0x7f;
    into[end++] = low | 0x80;
    rest = (rest - low) / 0x80;
  }
  let bits = rest | 0;
  while (bits > 0x7f) {
    into[end++] = (bits & 0x7f) | 0x80;
    bits >>>= 7;
  }
  into[end++] = bits;
  return end;
}

function writeNullable(value: number | null, into: Buffer, at: number): number {
  if (value === null) {
    into[at] = NULL_BRANCH;
    return at + 1;
  }
  into[at] = VALUE_BRANCH;
  return writeLong(value, into, at + 1);
}

function writeAddress(address: number | Buffer, into: Buffer, at: number): number {
  if (typeof address === 'number') {
    // Ten zeros written one by one, which is faster than `fill`.
    for (let index = at; index < at + 10; index++) into[index] = 0;
    into[at + 10] = 0xff;
    into[at + 11] = 0xff;
    into[at + 12] = address >>> 24;
    into[at + 13] = (address >>> 16) & 0xff;
    into[at + 14] = (address >>> 8) & 0xff;
    into[at + 15] = address & 0xff;
  } else into.set(address, at);
  return at + 16;
}

/** Most texts are short and ASCII: their bytes are their characters, and a loop is faster than a call into C++. */
function writeText(text: string, into: Buffer, at: number): number {
  const { length } = text;
  if (length > 0x3f) return writeLongText(text, into, at);
  for (let index = 0; index < length; index++) {
    const character = text.charCodeAt(index);
    if (character > 0x7f) return writeLongText(text, into, at);
    into[at + 1 + index] = character;
  }
  into[at] = length * 2;
  return at + 1 + length;
}

function writeLongText(text: string, into: Buffer, at: number): number {
  const bytes = Buffer.byteLength(text);
  const start = writeLong(bytes, into, at);
  into.write(text, start);
  return start + bytes;
}
