/*
 * Decodes containers back into records, or only walks over them: for tools, tests and the verdict on a message that
 * cannot be stored. Not on the way to the store. Every count and length is held against the bytes that remain before
 * it is believed, so a hostile container costs at most `bytesMax` of memory and one pass.
 */
import { inflateRawSync } from 'node:zlib';
import type avro from 'avsc';
import { REQUEST_LOG_SCHEMA } from './avro-schema.js';
import {
  type ContainerShape,
  type Fallible,
  MESSAGE_RECORDS_MAX,
  SYNC_BYTES,
  decodeLong,
  inspectContainer,
} from './container.js';
import { skipValue } from './avro-skip.js';

export type DecodeBounds = { readonly bytesMax: number; readonly recordsMax: number };

/** A message holds below 900 kB packed; text packs about 4:1 and hostile text 1000:1, so 64 MB is generous. */
export const DECODE_BOUNDS: DecodeBounds = { bytesMax: 64 << 20, recordsMax: MESSAGE_RECORDS_MAX };

/** Deflate makes at most 258 bytes of two bits: 1032 of one. */
const DEFLATE_RATIO_MAX = 1_032;

/**
 * Decodes all records of a container of any of our schema versions.
 * @param reader the schema the records shall come out in; by default the one they were written in
 */
export function decodeContainer(
  bytes: Buffer,
  reader?: avro.Type,
  bounds: DecodeBounds = DECODE_BOUNDS,
): Fallible<{ records: unknown[] }> {
  const inspected = inspectContainer(bytes, REQUEST_LOG_SCHEMA);
  if (!inspected.ok) return inspected;
  const written = inspected.shape.schema.type;
  const resolver = reader === undefined ? undefined : reader.createResolver(written);
  const records: unknown[] = [];
  const walked = walkRecords(bytes, inspected.shape, bounds, (plain, start, end) => {
    const decoded = (reader ?? written).decode(plain, start, resolver);
    records.push(decoded.value);
    return decoded.offset === end;
  });
  return walked.ok ? { ok: true, records } : walked;
}

/**
 * Whether a container decodes, without building its records: no more memory than its largest block takes.
 * @param onRecord is given the plain bytes a record stands in and where; false refuses it
 */
export function verifyContainer(
  bytes: Buffer,
  onRecord: (plain: Buffer, start: number, end: number) => boolean = () => true,
): Fallible<{ plainBytes: number }> {
  const inspected = inspectContainer(bytes, REQUEST_LOG_SCHEMA);
  return inspected.ok ? walkRecords(bytes, inspected.shape, DECODE_BOUNDS, onRecord) : inspected;
}

/**
 * Whether the blocks inflate to no more than is allowed. Only large ones are looked into: what a collector sends by
 * default is too small to be a bomb, however it is packed.
 */
export function staysWithinBounds(bytes: Buffer, shape: ContainerShape): boolean {
  if (shape.packedBytes * DEFLATE_RATIO_MAX <= DECODE_BOUNDS.bytesMax) return true;
  let budget = DECODE_BOUNDS.bytesMax;
  for (const { packed } of blocksOf(bytes, shape)) {
    const plain = inflate(packed, budget);
    // What does not inflate at all is another fault: the store will stumble over it.
    if (!plain.ok) return plain.fault !== 'too_large';
    budget -= plain.bytes.length;
  }
  return true;
}

type PackedBlock = { readonly count: number; readonly packed: Buffer };

/** The blocks of a container whose outer form was found whole. */
function* blocksOf(bytes: Buffer, { headerLength }: ContainerShape): Generator<PackedBlock> {
  for (let position = headerLength; position < bytes.length;) {
    const count = decodeLong(bytes, position);
    const size = count === undefined ? undefined : decodeLong(bytes, count.next);
    if (count === undefined || size === undefined) return;
    const end = size.next + size.value;
    yield { count: count.value, packed: bytes.subarray(size.next, end) };
    position = end + SYNC_BYTES;
  }
}

function walkRecords(
  bytes: Buffer,
  shape: ContainerShape,
  bounds: DecodeBounds,
  onRecord: (plain: Buffer, start: number, end: number) => boolean,
): Fallible<{ plainBytes: number }> {
  if (shape.records > bounds.recordsMax) return { ok: false, fault: 'too_large' };
  let plainBytes = 0;
  for (const { count, packed } of blocksOf(bytes, shape)) {
    const inflated = inflate(packed, bounds.bytesMax - plainBytes);
    if (!inflated.ok) return inflated;
    const plain = inflated.bytes;
    plainBytes += plain.length;
    let position = 0;
    for (let index = 0; index < count; index++) {
      const end = skipValue(shape.schema.type, plain, position);
      if (end === undefined || !onRecord(plain, position, end)) return { ok: false, fault: 'bad_record' };
      position = end;
    }
    if (position !== plain.length) return { ok: false, fault: 'bad_record' };
  }
  return { ok: true, plainBytes };
}

function inflate(packed: Buffer, bytesMax: number): Fallible<{ bytes: Buffer }> {
  try {
    return { ok: true, bytes: inflateRawSync(packed, { maxOutputLength: Math.max(1, bytesMax) }) };
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    return { ok: false, fault: tooLarge ? 'too_large' : 'bad_deflate' };
  }
}
