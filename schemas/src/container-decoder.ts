/*
 * Decodes containers into records, or only skips over them: for tools, tests and the classification of a message that
 * cannot be stored. It is not used on the way to the store. Every count and length is checked against the bytes that
 * remain, so a hostile container costs at most `bytesMax` of memory and one pass.
 */
import type avro from 'avsc';
import { REQUEST_LOG_SCHEMA } from './avro-schema.js';
import {
  type ContainerForm,
  type ContainerShape,
  MESSAGE_RECORDS_MAX,
  SYNC_BYTES,
  containerForm,
  decodeLong,
  inspectContainer,
} from './container.js';
import { decompress, decompressedBytesMax } from './container-codec.js';
import type { Fallible } from './container-fault.js';
import { skipValue } from './avro-skip.js';

export type DecodeBounds = { readonly bytesMax: number; readonly recordsMax: number };

/** A message holds below 900 kB compressed; text compresses about 4:1 and hostile text 1000:1, so 64 MB is generous. */
export const DECODE_BOUNDS: DecodeBounds = { bytesMax: 64 << 20, recordsMax: MESSAGE_RECORDS_MAX };

/** Tried first: what nearly all messages are. */
const USUAL_FORM = containerForm(REQUEST_LOG_SCHEMA);

/**
 * Decodes all records of a container of any of our schema versions.
 * @param reader the schema the records shall come out in; by default the one they were written with
 */
export function decodeContainer(
  bytes: Buffer,
  reader?: avro.Type,
  bounds: DecodeBounds = DECODE_BOUNDS,
): Fallible<{ records: unknown[] }> {
  const inspected = inspectContainer(bytes, USUAL_FORM);
  if (!inspected.ok) return inspected;
  const written = inspected.shape.form.schema.type;
  const resolver = reader === undefined ? undefined : reader.createResolver(written);
  const records: unknown[] = [];
  const walked = walkRecords(bytes, inspected.shape, bounds, (plain, start, end) => {
    const decoded = decodeRecord(reader ?? written, plain, start, resolver);
    if (decoded === undefined) return false;
    records.push(decoded.value);
    return decoded.offset === end;
  });
  return walked.ok ? { ok: true, records } : walked;
}

/**
 * The record that begins at `start`, which `walkRecords` has passed already; undefined where it holds a number beyond 2^53, which
 * is good Avro but avsc refuses (mtth/avsc#226).
 * @param resolver of the schema it was written in, where that is another one
 */
export function decodeRecord(
  type: avro.Type,
  plain: Buffer,
  start: number,
  resolver?: ReturnType<avro.Type['createResolver']>,
): { readonly value: unknown; readonly offset: number } | undefined {
  try {
    return type.decode(plain, start, resolver);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('potential precision loss')) return undefined;
    throw error;
  }
}

/**
 * Whether a container decodes, without building its records: it needs no more memory than its largest block.
 * @param onRecord called with the decompressed block and a record's position in it; false refuses the record
 */
export function verifyContainer(
  bytes: Buffer,
  onRecord: (plain: Buffer, start: number, end: number) => boolean = () => true,
): Fallible<{ plainBytes: number }> {
  const inspected = inspectContainer(bytes, USUAL_FORM);
  return inspected.ok ? walkRecords(bytes, inspected.shape, DECODE_BOUNDS, onRecord) : inspected;
}

/**
 * The fault in the compression of the blocks that the store must not read: their decompressed size is unknown, or too large.
 * Small blocks, and those that state their size, are not decompressed for it.
 */
export function compressionFault(
  bytes: Buffer,
  { form }: ContainerShape,
): 'bad_packing' | 'too_large' | undefined {
  const blocks = [...blocksOf(bytes, form)];
  let most = 0;
  for (const { compressed } of blocks) {
    const ofBlock = decompressedBytesMax(form.codec, compressed);
    if (ofBlock === undefined) return 'bad_packing';
    most += ofBlock;
  }
  if (most <= DECODE_BOUNDS.bytesMax) return undefined;
  let budget = DECODE_BOUNDS.bytesMax;
  for (const { compressed } of blocks) {
    const plain = decompress(form.codec, compressed, budget);
    // Bytes that cannot be decompressed are another fault: the store refuses them.
    if (!plain.ok) return plain.fault === 'too_large' ? 'too_large' : undefined;
    budget -= plain.bytes.length;
  }
  return undefined;
}

type CompressedBlock = { readonly count: number; readonly compressed: Buffer };

/** The blocks of a container whose outer form is valid. */
function* blocksOf(bytes: Buffer, { header }: ContainerForm): Generator<CompressedBlock> {
  for (let position = header.length; position < bytes.length;) {
    const count = decodeLong(bytes, position);
    const size = count === undefined ? undefined : decodeLong(bytes, count.next);
    if (count === undefined || size === undefined) return;
    const end = size.next + size.value;
    yield { count: count.value, compressed: bytes.subarray(size.next, end) };
    position = end + SYNC_BYTES;
  }
}

function walkRecords(
  bytes: Buffer,
  { form, records }: ContainerShape,
  bounds: DecodeBounds,
  onRecord: (plain: Buffer, start: number, end: number) => boolean,
): Fallible<{ plainBytes: number }> {
  if (records > bounds.recordsMax) return { ok: false, fault: 'too_large' };
  let plainBytes = 0;
  for (const { count, compressed } of blocksOf(bytes, form)) {
    if (decompressedBytesMax(form.codec, compressed) === undefined)
      return { ok: false, fault: 'bad_packing' };
    const decompressed = decompress(form.codec, compressed, bounds.bytesMax - plainBytes);
    if (!decompressed.ok) return decompressed;
    const plain = decompressed.bytes;
    plainBytes += plain.length;
    let position = 0;
    for (let index = 0; index < count; index++) {
      const end = skipValue(form.schema.type, plain, position);
      if (end === undefined || !onRecord(plain, position, end)) return { ok: false, fault: 'bad_record' };
      position = end;
    }
    if (position !== plain.length) return { ok: false, fault: 'bad_record' };
  }
  return { ok: true, plainBytes };
}
