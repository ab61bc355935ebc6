/*
 * Avro object container files as Kafka message values: one container holds one block of one schema.
 * The header of a schema always has the same bytes, so containers are joined by removing headers, and no record is
 * decoded on the way to the store.
 */
import { type AvroSchema, schemaByFingerprint } from './avro-schema.js';
import { CODECS, type Codec, WRITTEN_CODEC, compress } from './container-codec.js';
import type { Fallible } from './container-fault.js';

export const SYNC_BYTES = 16;
const MAGIC = Buffer.from('Obj\u0001', 'latin1');
/** A message holds at most 20,000 records of a collector's; one that states more than this is hostile. */
export const MESSAGE_RECORDS_MAX = 1_000_000;

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

/** Seven bits a byte: of the tenth only the lowest is within 64 bits. */
const LONG_BYTES_MAX = 10;

/** Where the long ends that begins at `position`, whatever its value; undefined where it is cut short or beyond 64 bits. */
export function longEnd(bytes: Buffer, position: number): number | undefined {
  const lastAt = position + LONG_BYTES_MAX - 1;
  for (let at = position; at < bytes.length && at <= lastAt; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x80) return at === lastAt && byte > 1 ? undefined : at + 1;
  }
  return undefined;
}

/**
 * A schema and a codec. All containers of one form begin with the same bytes, so blocks of one form can follow one header.
 * Forms are compared by identity.
 */
export type ContainerForm = {
  readonly schema: AvroSchema;
  readonly codec: Codec;
  /** Magic, schema, codec, sync marker. */
  readonly header: Buffer;
};

const forms = new Map<AvroSchema, Readonly<Record<Codec, ContainerForm>>>();

/** @param codec by default the one that is written */
export function containerForm(schema: AvroSchema, codec: Codec = WRITTEN_CODEC): ContainerForm {
  let known = forms.get(schema);
  if (known === undefined) {
    known = { zstandard: makeForm(schema, 'zstandard'), deflate: makeForm(schema, 'deflate') };
    forms.set(schema, known);
  }
  return known[codec];
}

function makeForm(schema: AvroSchema, codec: Codec): ContainerForm {
  const header = Buffer.concat([
    MAGIC,
    encodeLong(2),
    ...['avro.schema', schema.json, 'avro.codec', codec].flatMap((text) => {
      const bytes = Buffer.from(text);
      return [encodeLong(bytes.length), bytes];
    }),
    encodeLong(0),
    schema.fingerprint,
  ]);
  return { schema, codec, header };
}

/** The bytes that every container of this schema begins with, for the codec that is written. */
export function containerHeader(schema: AvroSchema): Buffer {
  return containerForm(schema).header;
}

/**
 * Wraps already encoded records (their Avro bytes one after another) into a container of one block.
 * With `records` 0 the container has no block: it is a marker, in which every reader finds no records.
 */
export function wrapBlock(schema: AvroSchema, records: number, encoded: Buffer): Buffer {
  const form = containerForm(schema);
  return records === 0 ? form.header : sealBlock(form, records, compress(encoded));
}

/** A container of one block of compressed records. */
export function sealBlock({ header, schema }: ContainerForm, records: number, compressed: Buffer): Buffer {
  return Buffer.concat([
    header,
    encodeLong(records),
    encodeLong(compressed.length),
    compressed,
    schema.fingerprint,
  ]);
}

export type ContainerHeader = {
  readonly length: number;
  readonly schemaJson: string;
  readonly codec: string;
  readonly sync: Buffer;
};

/** Reads magic, metadata and sync marker, within the bytes given; for any Avro container, not only ours. */
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
  readonly form: ContainerForm;
  /** Records by the block counts; 0 in a marker. The content of the blocks is not checked. */
  readonly records: number;
};

/**
 * Checks a message's outer form without decompressing it: a known header, then complete blocks, each ended by the sync
 * marker. `lastForm` is tried first: messages of one topic nearly always share one.
 */
export function inspectContainer(
  bytes: Buffer,
  lastForm?: ContainerForm,
): Fallible<{ shape: ContainerShape }> {
  const recognised = recognise(bytes, lastForm);
  if (!recognised.ok) return recognised;
  const { form } = recognised;
  let records = 0;
  for (let position = form.header.length; position < bytes.length;) {
    const count = decodeLong(bytes, position);
    const size = count === undefined ? undefined : decodeLong(bytes, count.next);
    if (count === undefined || size === undefined) return { ok: false, fault: 'truncated' };
    if (count.value < 0 || size.value < 0) return { ok: false, fault: 'bad_record' };
    if (count.value > MESSAGE_RECORDS_MAX) return { ok: false, fault: 'too_large' };
    const end = size.next + size.value;
    if (end + SYNC_BYTES > bytes.length) return { ok: false, fault: 'truncated' };
    if (form.schema.fingerprint.compare(bytes, end, end + SYNC_BYTES) !== 0) {
      return { ok: false, fault: 'bad_sync' };
    }
    records += count.value;
    position = end + SYNC_BYTES;
  }
  if (records > MESSAGE_RECORDS_MAX) return { ok: false, fault: 'too_large' };
  return { ok: true, shape: { form, records } };
}

function recognise(bytes: Buffer, lastForm: ContainerForm | undefined): Fallible<{ form: ContainerForm }> {
  if (lastForm !== undefined && opensWith(bytes, lastForm)) return { ok: true, form: lastForm };
  const read = readHeader(bytes);
  if (!read.ok) return read;
  const schema = schemaByFingerprint(read.header.sync);
  if (schema === undefined) {
    return { ok: false, fault: isRecordSchema(read.header.schemaJson) ? 'unknown_schema' : 'bad_header' };
  }
  const form = CODECS.map((codec) => containerForm(schema, codec)).find((one) => opensWith(bytes, one));
  return form === undefined ? { ok: false, fault: 'bad_header' } : { ok: true, form };
}

/** Whether the header of these bytes is that of a form. */
export function opensWith(bytes: Buffer, { header }: ContainerForm): boolean {
  return bytes.length >= header.length && bytes.compare(header, 0, header.length, 0, header.length) === 0;
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
