/*
 * Avro object container files as Kafka message values: one container holds one block of one schema.
 * Keeps the promise that makes the pipeline fast: the header of a schema is always the same bytes, so
 * containers are joined by stripping headers, and no record is decoded on the way to the store.
 */
import { deflateRawSync } from 'node:zlib';
import { type AvroSchema, schemaByFingerprint } from './avro-schema.js';

export const SYNC_BYTES = 16;
const MAGIC = Buffer.from('Obj\u0001', 'latin1');
/** A message holds at most 20,000 records of a collector's; one that claims more than this is hostile. */
export const MESSAGE_RECORDS_MAX = 1_000_000;
/** Level 1 packs a request log from 61 to about 17 bytes; higher levels cost more than they save. */
const DEFLATE_LEVEL = 1;

/** Why bytes are not a container we can take. A closed list: it is the reason on a dead letter. */
export type ContainerFault =
  | 'bad_magic'
  | 'bad_header'
  | 'unknown_schema'
  | 'unsupported_codec'
  | 'truncated'
  | 'bad_sync'
  | 'bad_deflate'
  | 'bad_record'
  | 'too_large';

export type Fallible<T> =
  ({ readonly ok: true } & T) | { readonly ok: false; readonly fault: ContainerFault };

/** Avro's zig-zag variable-length encoding of an integer of less than 52 bits. */
export function encodeLong(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** Reads a zig-zag integer at `position`; undefined where it is cut short or beyond 52 bits. */
export function decodeLong(bytes: Buffer, position: number): { value: number; next: number } | undefined {
  let value = 0;
  let factor = 1;
  for (let next = position; next < bytes.length && next < position + 8; next++) {
    const byte = bytes[next] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) return undefined;
      return { value: value % 2 === 0 ? value / 2 : -(value + 1) / 2, next: next + 1 };
    }
    factor *= 0x80;
  }
  return undefined;
}

const headers = new Map<AvroSchema, Buffer>();

/** The bytes every container of this schema opens with: magic, schema, codec, sync marker. */
export function containerHeader(schema: AvroSchema): Buffer {
  const known = headers.get(schema);
  if (known !== undefined) return known;
  const json = Buffer.from(schema.json);
  const header = Buffer.concat([
    MAGIC,
    encodeLong(2),
    ...['avro.schema', json, 'avro.codec', 'deflate'].flatMap((part) => {
      const bytes = Buffer.from(part);
      return [encodeLong(bytes.length), bytes];
    }),
    encodeLong(0),
    schema.fingerprint,
  ]);
  headers.set(schema, header);
  return header;
}

/**
 * Wraps already encoded records (their Avro bytes one after another) into a container of one block.
 * With `records` 0 the container has no block: that is a marker, and reads as nothing everywhere.
 */
export function wrapBlock(schema: AvroSchema, records: number, encoded: Buffer): Buffer {
  const header = containerHeader(schema);
  if (records === 0) return header;
  const packed = deflateRawSync(encoded, { level: DEFLATE_LEVEL });
  return Buffer.concat([header, encodeLong(records), encodeLong(packed.length), packed, schema.fingerprint]);
}

export type ContainerHeader = {
  readonly length: number;
  readonly schemaJson: string;
  readonly codec: string;
  readonly sync: Buffer;
};

/** Reads magic, metadata and sync marker, bounded by the bytes at hand; for any Avro container, not only ours. */
export function readHeader(bytes: Buffer): Fallible<{ header: ContainerHeader }> {
  if (!bytes.subarray(0, 4).equals(MAGIC)) return { ok: false, fault: 'bad_magic' };
  const metadata = new Map<string, string>();
  let position = 4;
  const readText = (): string | undefined => {
    const length = decodeLong(bytes, position);
    if (length === undefined || length.value < 0 || length.next + length.value > bytes.length)
      return undefined;
    position = length.next + length.value;
    return bytes.toString('utf8', length.next, position);
  };
  for (;;) {
    const count = decodeLong(bytes, position);
    if (count === undefined) return { ok: false, fault: 'bad_header' };
    position = count.next;
    if (count.value === 0) break;
    if (count.value < 0) {
      const size = decodeLong(bytes, position);
      if (size === undefined) return { ok: false, fault: 'bad_header' };
      position = size.next;
    }
    // Each entry is two bytes at least, so a hostile count ends with the bytes.
    for (let entry = 0; entry < Math.abs(count.value); entry++) {
      const key = readText();
      const value = key === undefined ? undefined : readText();
      if (key === undefined || value === undefined) return { ok: false, fault: 'bad_header' };
      metadata.set(key, value);
    }
  }
  if (position + SYNC_BYTES > bytes.length) return { ok: false, fault: 'truncated' };
  const schemaJson = metadata.get('avro.schema');
  if (schemaJson === undefined) return { ok: false, fault: 'bad_header' };
  return {
    ok: true,
    header: {
      length: position + SYNC_BYTES,
      schemaJson,
      codec: metadata.get('avro.codec') ?? 'null',
      sync: bytes.subarray(position, position + SYNC_BYTES),
    },
  };
}

export type ContainerShape = {
  readonly schema: AvroSchema;
  readonly headerLength: number;
  /** Records by the block counts; 0 in a marker. What the blocks hold is not looked at. */
  readonly records: number;
  /** Deflated bytes of all blocks. */
  readonly packedBytes: number;
};

/**
 * Checks a message's outer form without inflating it: one of our headers, then whole blocks, each closed
 * by the sync marker. `lastHeader` is tried first: messages of one topic nearly always share a schema.
 */
export function inspectContainer(
  bytes: Buffer,
  lastSchema?: AvroSchema,
): Fallible<{ shape: ContainerShape }> {
  const schema = recognise(bytes, lastSchema);
  if (!schema.ok) return schema;
  const headerLength = containerHeader(schema.schema).length;
  let records = 0;
  let packedBytes = 0;
  for (let position = headerLength; position < bytes.length;) {
    const count = decodeLong(bytes, position);
    const size = count === undefined ? undefined : decodeLong(bytes, count.next);
    if (count === undefined || size === undefined) return { ok: false, fault: 'truncated' };
    if (count.value < 0 || size.value < 0) return { ok: false, fault: 'bad_record' };
    if (count.value > MESSAGE_RECORDS_MAX) return { ok: false, fault: 'too_large' };
    const end = size.next + size.value;
    if (end + SYNC_BYTES > bytes.length) return { ok: false, fault: 'truncated' };
    if (!bytes.subarray(end, end + SYNC_BYTES).equals(schema.schema.fingerprint)) {
      return { ok: false, fault: 'bad_sync' };
    }
    records += count.value;
    packedBytes += size.value;
    position = end + SYNC_BYTES;
  }
  if (records > MESSAGE_RECORDS_MAX) return { ok: false, fault: 'too_large' };
  return { ok: true, shape: { schema: schema.schema, headerLength, records, packedBytes } };
}

function recognise(bytes: Buffer, lastSchema: AvroSchema | undefined): Fallible<{ schema: AvroSchema }> {
  if (lastSchema !== undefined) {
    const header = containerHeader(lastSchema);
    if (bytes.length >= header.length && bytes.compare(header, 0, header.length, 0, header.length) === 0) {
      return { ok: true, schema: lastSchema };
    }
  }
  const read = readHeader(bytes);
  if (!read.ok) return read;
  const schema = schemaByFingerprint(read.header.sync);
  if (schema === undefined) {
    return { ok: false, fault: isRecordSchema(read.header.schemaJson) ? 'unknown_schema' : 'bad_header' };
  }
  const header = containerHeader(schema);
  if (!bytes.subarray(0, header.length).equals(header)) return { ok: false, fault: 'bad_header' };
  return { ok: true, schema };
}

/** A schema that can be read, so that a newer version of ours may know it; other text is no reason to wait for one. */
function isRecordSchema(json: string): boolean {
  try {
    const schema: unknown = JSON.parse(json);
    return typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'record';
  } catch {
    return false;
  }
}
