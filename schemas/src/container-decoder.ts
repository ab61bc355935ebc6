/*
 * Decodes containers back into records: for tools, tests and the verdict on a message that cannot be
 * stored. Never on the way to the store. Every count and length is held against the bytes that remain
 * before it is believed, so a hostile container costs at most `bytesMax` of memory and one pass.
 */
import { inflateRawSync } from 'node:zlib';
import type avro from 'avsc';
import { REQUEST_LOG_SCHEMA } from './avro-schema.js';
import { type ContainerFault, type Fallible, SYNC_BYTES, decodeLong, inspectContainer } from './container.js';
import { skipValue } from './avro-skip.js';

export type DecodeBounds = { readonly bytesMax: number; readonly recordsMax: number };

/** A message holds below 900 kB packed; text packs about 4:1 and hostile text 1000:1, so 64 MB is generous. */
export const DECODE_BOUNDS: DecodeBounds = { bytesMax: 64 << 20, recordsMax: 1_000_000 };

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
  const { schema, headerLength, records: count } = inspected.shape;
  if (count > bounds.recordsMax) return { ok: false, fault: 'too_large' };
  const resolver = reader === undefined ? undefined : reader.createResolver(schema.type);
  const records: unknown[] = [];
  let budget = bounds.bytesMax;
  for (let position = headerLength; position < bytes.length;) {
    const blockCount = decodeLong(bytes, position);
    const size = blockCount === undefined ? undefined : decodeLong(bytes, blockCount.next);
    if (blockCount === undefined || size === undefined) return { ok: false, fault: 'truncated' };
    const plain = inflate(bytes.subarray(size.next, size.next + size.value), budget);
    if (!plain.ok) return plain;
    budget -= plain.bytes.length;
    const fault = decodeBlock(
      plain.bytes,
      blockCount.value,
      { written: schema.type, reader, resolver },
      records,
    );
    if (fault !== undefined) return { ok: false, fault };
    position = size.next + size.value + SYNC_BYTES;
  }
  return { ok: true, records };
}

type Types = {
  readonly written: avro.Type;
  readonly reader: avro.Type | undefined;
  readonly resolver: ReturnType<avro.Type['createResolver']> | undefined;
};

function inflate(packed: Buffer, bytesMax: number): Fallible<{ bytes: Buffer }> {
  try {
    return { ok: true, bytes: inflateRawSync(packed, { maxOutputLength: Math.max(1, bytesMax) }) };
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    return { ok: false, fault: tooLarge ? 'too_large' : 'bad_deflate' };
  }
}

function decodeBlock(
  plain: Buffer,
  count: number,
  types: Types,
  into: unknown[],
): ContainerFault | undefined {
  let position = 0;
  for (let index = 0; index < count; index++) {
    const end = skipValue(types.written, plain, position);
    if (end === undefined) return 'bad_record';
    const decoder = types.reader ?? types.written;
    const decoded = decoder.decode(plain, position, types.resolver);
    if (decoded.offset !== end) return 'bad_record';
    into.push(decoded.value);
    position = end;
  }
  return position === plain.length ? undefined : 'bad_record';
}
