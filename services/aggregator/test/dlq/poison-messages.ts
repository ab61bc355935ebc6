/* Every kind of poison we know of, as Kafka would hold it, and what the aggregator must say of each. */
import { constants, deflateRawSync } from 'node:zlib';
import {
  type AvroSchema,
  EDGE_ACCOUNT_SCHEMA,
  INTERFACE_METRIC_SCHEMA,
  REQUEST_LOG_SCHEMA,
} from '@imscope/schemas/avro-schema.js';
import { type EventTimes, writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { containerForm, containerHeader, encodeLong, wrapBlock } from '@imscope/schemas/container.js';
import { type Codec, compress } from '@imscope/schemas/container-codec.js';
import type { DeadReason } from '../../src/blocks/block-cutter.js';
import { batchMessage, requestLog } from '../log-of-messages.js';

export type Poison = {
  readonly title: string;
  readonly reason: DeadReason;
  readonly value: Buffer | null;
  readonly headers: Record<string, string>;
};

export const POISON_BOOT = 'poison00';
const HOUR_MS = 3_600_000;

/** @param nowMs event time of all records */
export function poisonMessages(nowMs: number): Poison[] {
  const times = { least: nowMs, greatest: nowMs };
  let sequence = 0;
  const sealed = (value: Buffer, records: number, eventTimes: EventTimes = times): Record<string, string> =>
    writeBatchHeaders({ boot: POISON_BOOT, partition: 0, sequence: sequence++ }, records, value, eventTimes);
  const one = (
    title: string,
    reason: DeadReason,
    value: Buffer,
    records = 3,
    eventTimes = times,
  ): Poison => ({
    title,
    reason,
    value,
    headers: sealed(value, records, eventTimes),
  });
  const good = (): { value: Buffer; headers: Record<string, string> } =>
    batchMessage({ boot: POISON_BOOT, sequence: sequence++, records: 3 }, 0, times);
  const changed = (title: string, reason: DeadReason, headers: Record<string, string>): Poison => {
    const message = good();
    return { title, reason, value: message.value, headers: { ...message.headers, ...headers } };
  };
  const complete = good().value;
  const plain = encodeRecords(3, () => nowMs);
  const tooManyTimes = encodeRecords(1_100, (index) => nowMs - index * 4 * HOUR_MS);
  return [
    ...forms(one, complete, plain),
    one('a magic that is none', 'bad_magic', Buffer.from('{"json":true}')),
    { title: 'nothing', reason: 'empty_message', value: null, headers: {} },
    { title: 'no headers', reason: 'missing_header', value: complete, headers: {} },
    { title: 'thousands of headers', reason: 'missing_header', value: complete, headers: manyHeaders() },
    changed('a wrong count in the header', 'count_mismatch', { 'imscope-count': '7' }),
    changed('a hostile count in the header', 'bad_header_value', { 'imscope-count': '999999999999999' }),
    changed('a wrong checksum', 'bad_crc', { 'imscope-crc32': '1' }),
    changed('a batch id that is none', 'bad_header_value', { 'imscope-batch': 'NO:0:1' }),
    changed('event times beyond all calendars', 'bad_header_value', {
      'imscope-event-times': '1:9999999999999999',
    }),
    one('records of another topic', 'wrong_schema', emptyMetrics(), 3),
    one('records of more hours than a store accepts at once', 'bad_time', wrap(1_100, tooManyTimes), 1_100),
  ];
}

type MakeOne = (title: string, reason: DeadReason, value: Buffer, records?: number) => Poison;

/** What can be wrong with a container that its checksum vouches for. */
function forms(one: MakeOne, complete: Buffer, plain: Buffer): Poison[] {
  const packed = compress(plain);
  const deflated = deflateRawSync(plain);
  const header = containerHeader(REQUEST_LOG_SCHEMA);
  const hostileHeader = Buffer.concat([Buffer.from('Obj\u0001'), encodeLong(2 ** 51), Buffer.alloc(64, 2)]);
  const wrongSync = Buffer.from(complete);
  wrongSync[complete.length - 1] = (wrongSync.at(-1) ?? 0) ^ 1;
  return [
    one('a header that claims 2^51 entries', 'bad_header', hostileHeader),
    one('bytes cut short', 'truncated', complete.subarray(0, complete.length - 3)),
    one('another sync marker at its end', 'bad_sync', wrongSync),
    one('bytes that are not packed', 'bad_packing', block(3, Buffer.from('not packed at all, really not'))),
    one('packed bytes with a flipped bit', 'bad_packing', block(3, flipped(packed))),
    one('two frames in one block', 'bad_packing', block(6, Buffer.concat([packed, packed])), 6),
    one('bytes after a frame', 'bad_packing', block(3, Buffer.concat([packed, Buffer.from('more')]))),
    one('a frame that claims more than it holds', 'bad_packing', block(3, claiming(packed, 40_000))),
    one('bytes that are not deflated', 'bad_packing', inflating(3, Buffer.from('not deflated at all'))),
    one('deflated bytes with a flipped bit', 'bad_packing', inflating(3, flippedDeflate(deflated))),
    one('more records claimed than inside', 'bad_record', wrap(5, plain), 5),
    one('text instead of records', 'bad_record', wrap(3, Buffer.from('these are no records'))),
    one('a negative count', 'bad_record', block(-3, packed)),
    one('a negative count with a huge size', 'bad_record', block(-3, packed, 2 ** 50)),
    one('a negative size', 'bad_record', block(3, packed, -packed.length)),
    one('a size beyond the end', 'truncated', block(3, packed, 2 ** 40)),
    one('a count without an end', 'truncated', Buffer.concat([header, Buffer.alloc(30, 0xff)])),
    one('a count of 2^51', 'too_large', block(2 ** 51, packed), 3),
    one('counts that are too large together', 'too_large', manyBlocks(packed), 3),
    one('a bomb of 800 MB with one record', 'too_large', inflating(1, bomb()), 1),
    one('a bomb of 800 MB with a million records', 'too_large', inflating(1_000_000, bomb()), 1_000_000),
    one('a bomb of zstandard', 'too_large', block(1, compress(Buffer.alloc(65 << 20))), 1),
    one('a MiB of nothing', 'bad_magic', Buffer.alloc(1_048_000, 65)),
  ];
}

/** A batch of accounts whose array claims 2^51 applications; only decoding shows it. */
export function hostileAccount(nowMs: number): Poison {
  const account = EDGE_ACCOUNT_SCHEMA.type.toBuffer({
    time: nowMs,
    collector: 'c',
    boot: POISON_BOOT,
    started: nowMs,
    version: '1',
    sequence: 0,
    chunk: 0,
    chunks: 1,
    final: false,
    partitions: [],
    applications: [],
  });
  // The last bytes: the end of the empty array, and one for each of the 11 fields after it, which are empty or 0.
  const hostile = Buffer.concat([
    account.subarray(0, account.length - 12),
    encodeLong(2 ** 51),
    Buffer.alloc(9),
  ]);
  const value = wrapBlock(EDGE_ACCOUNT_SCHEMA, 1, hostile);
  const headers = writeBatchHeaders({ boot: POISON_BOOT, partition: 0, sequence: 0 }, 1, value);
  return { title: 'an array of 2^51 items', reason: 'bad_record', value, headers };
}

function encodeRecords(records: number, timeOf: (index: number) => number): Buffer {
  return Buffer.concat(
    Array.from({ length: records }, (_, index) =>
      REQUEST_LOG_SCHEMA.type.toBuffer(requestLog(index, timeOf(index))),
    ),
  );
}

function wrap(records: number, plain: Buffer): Buffer {
  return wrapBlock(REQUEST_LOG_SCHEMA, records, plain);
}

/** A container of one block with the given claims. */
export function block(
  count: number,
  packed: Buffer,
  size = packed.length,
  schema: AvroSchema = REQUEST_LOG_SCHEMA,
  codec?: Codec,
): Buffer {
  return Buffer.concat([
    containerForm(schema, codec).header,
    encodeLong(count),
    encodeLong(size),
    packed,
    schema.fingerprint,
  ]);
}

function manyBlocks(packed: Buffer): Buffer {
  const own = block(600_000, packed);
  return Buffer.concat([own, own.subarray(containerHeader(REQUEST_LOG_SCHEMA).length)]);
}

function inflating(count: number, deflated: Buffer): Buffer {
  return block(count, deflated, undefined, undefined, 'deflate');
}

/** A bit within the packed records: they have no checksum. */
function flipped(packed: Buffer): Buffer {
  const bytes = Buffer.from(packed);
  // The kind of the first block: 3 is none.
  const at = bytes.length - 1;
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  return bytes;
}

/** The frame's header says so many bytes. */
function claiming(packed: Buffer, bytes: number): Buffer {
  const claimed = Buffer.from(packed);
  claimed.writeUInt16LE(bytes - 256, 5);
  return claimed;
}

function flippedDeflate(packed: Buffer): Buffer {
  const bytes = Buffer.from(packed);
  // The first bits of a deflate block tell its kind: 3 is none.
  bytes[0] = (bytes[0] ?? 0) | 0b110;
  return bytes;
}

function emptyMetrics(): Buffer {
  return block(3, compress(Buffer.alloc(3 * 14)), undefined, INTERFACE_METRIC_SCHEMA);
}

function manyHeaders(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`h${index}`, '']));
}

let bombBytes: Buffer | undefined;

/** 64 MB of zeros twelve times over: 800 kB. Zeros read as records, so only the bound on their number ends the reading. */
function bomb(): Buffer {
  if (bombBytes !== undefined) return bombBytes;
  const part = deflateRawSync(Buffer.alloc(64 << 20), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  bombBytes = Buffer.concat([...Array.from({ length: 12 }, () => part), deflateRawSync(Buffer.alloc(0))]);
  return bombBytes;
}
