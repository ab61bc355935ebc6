/*
 * Where in a container a fault is, described for an operator. Whether there is a fault is decided elsewhere.
 */
import { skipValue } from '@imscope/schemas/avro-skip.js';
import type { AvroSchema } from '@imscope/schemas/avro-schema.js';
import {
  MESSAGE_RECORDS_MAX,
  SYNC_BYTES,
  containerForm,
  decodeLong,
  inspectContainer,
  readHeader,
} from '@imscope/schemas/container.js';
import { CODECS, decompress } from '@imscope/schemas/container-codec.js';
import { DECODE_BOUNDS } from '@imscope/schemas/container-decoder.js';
import type { DeadReason } from '../blocks/block-cutter.js';
import type { Stream } from '../blocks/streams.js';

const IN_BLOCKS: ReadonlySet<DeadReason> = new Set([
  'truncated',
  'bad_sync',
  'bad_packing',
  'bad_record',
  'too_large',
]);

export function locateFault(value: Buffer, fault: DeadReason, { schema, topic }: Stream): string {
  if (IN_BLOCKS.has(fault)) return walkBlocks(value, fault);
  if (fault === 'bad_time') return 'a record is from weeks before the message came, or from days after it';
  if (fault === 'wrong_schema') {
    const read = inspectContainer(value);
    const found = read.ok ? read.shape.form.schema.name : 'other';
    return `it holds ${found} records, ${topic.name} carries ${schema.name}`;
  }
  const differs = `byte ${Math.max(...CODECS.map((codec) => firstDifference(value, containerForm(schema, codec).header)))}`;
  if (fault === 'bad_magic') return `${differs}: no Avro container begins like this`;
  return `${differs}: its header is none of ours`;
}

function firstDifference(value: Buffer, expected: Buffer): number {
  const at = expected.findIndex((byte, index) => value[index] !== byte);
  return at === -1 ? expected.length : at;
}

function walkBlocks(value: Buffer, fault: DeadReason): string {
  const header = readHeader(value);
  if (!header.ok) return `byte ${value.length}: it ends within its header`;
  let position = header.header.length;
  for (let block = 1; position < value.length; block++) {
    const at = `byte ${position}, block ${block}`;
    const count = decodeLong(value, position);
    const size = count === undefined ? undefined : decodeLong(value, count.next);
    if (count === undefined || size === undefined) return `${at}: no count and size can be read`;
    if (count.value < 0 || size.value < 0)
      return `${at}: it says ${count.value} records in ${size.value} bytes`;
    if (count.value > MESSAGE_RECORDS_MAX) return `${at}: it says ${count.value} records`;
    const end = size.next + size.value;
    if (end + SYNC_BYTES > value.length) {
      return `${at}: it says ${size.value} bytes, ${Math.max(0, value.length - size.next - SYNC_BYTES)} are there`;
    }
    if (!value.subarray(end, end + SYNC_BYTES).equals(header.header.sync)) {
      return `byte ${end}, block ${block}: no sync marker follows`;
    }
    const inside = findInnerFault(value, value.subarray(size.next, end), count.value);
    if (inside !== undefined) return `byte ${size.next}, block ${block}: ${inside}`;
    position = end + SYNC_BYTES;
  }
  return fault === 'too_large' ? 'its blocks together are too large' : `byte ${position}`;
}

function findInnerFault(value: Buffer, packed: Buffer, count: number): string | undefined {
  const shape = inspectContainer(value);
  if (!shape.ok) return undefined;
  const { schema, codec } = shape.shape.form;
  const plain = decompress(codec, packed, DECODE_BOUNDS.bytesMax);
  if (plain.ok) return findRecordFault(plain.bytes, count, schema);
  return plain.fault === 'too_large'
    ? `it unpacks to more than ${DECODE_BOUNDS.bytesMax / (1 << 20)} MiB`
    : `it cannot be unpacked as ${codec}`;
}

function findRecordFault(plain: Buffer, count: number, { type }: AvroSchema): string | undefined {
  let position = 0;
  for (let index = 0; index < count; index++) {
    const end = skipValue(type, plain, position);
    if (end === undefined) {
      return `record ${index + 1} of ${count}, at ${position} of ${plain.length} unpacked bytes, is none`;
    }
    position = end;
  }
  const left = plain.length - position;
  return left === 0 ? undefined : `${left} unpacked bytes are left after its ${count} records`;
}
