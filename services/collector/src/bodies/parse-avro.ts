/*
 * An Avro object container → its records, in the form JSON has them, so that one set of checks judges both. Whoever
 * wrote it chose header text, sync marker and codec; the schema must be one of ours. Every count and length is held
 * against the bytes that remain, and every block read to its end, before anything is handed on.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { type ContainerHeader, decodeLong, readHeader, SYNC_BYTES } from '@imscope/schemas/container.js';
import { CODECS, unpack } from '@imscope/schemas/container-codec.js';
import avro from 'avsc';
import { AvroRecords } from './avro-records.js';
import { showValue } from '../intake/reject-reasons.js';

export type AvroBounds = { readonly inflatedBytesMax: number; readonly recordsMax: number };

/** A block unpacked, and how many records it says it has. */
type PlainBlock = { readonly plain: Buffer; readonly count: number };

/** The text of a schema in a header; ours have 1.5 kB. */
const SCHEMA_LENGTH_MAX = 16 << 10;
/** Texts of headers that were judged before. */
const KNOWN_MAX = 16;
const known = new Set<string>();

/**
 * @param onInflated called with the unpacked bytes before the first record; throws where there is no room for them
 * @throws HttpError unreadable_body, unsupported_encoding or body_too_large, or what `onInflated` throws, with nothing
 * handed on
 */
export function parseAvro(
  bytes: Buffer,
  bounds: AvroBounds,
  onInflated: (bytes: number) => void,
  onRecord: (index: number, value: unknown) => void,
): void {
  const read = readHeader(bytes);
  if (!read.ok) throw unreadable(`its header cannot be read (${read.fault})`);
  const { header } = read;
  checkSchema(header);
  const blocks = openBlocks(bytes, header, bounds);
  onInflated(blocks.reduce((sum, { plain }) => sum + plain.length, 0));
  blocks.flatMap(readRecords).forEach((value, index) => onRecord(index, value));
}

/** Told by what Avro calls the canonical form: white space, docs and defaults are the writer's own. */
function checkSchema({ schemaJson }: ContainerHeader): void {
  if (known.has(schemaJson)) return;
  const fingerprint = schemaJson.length <= SCHEMA_LENGTH_MAX ? canonicalFingerprint(schemaJson) : undefined;
  if (fingerprint?.equals(REQUEST_LOG_SCHEMA.type.fingerprint()) !== true) {
    throw unreadable('its schema is none of ours: write it with schemas/avro/request-log.v1.avsc');
  }
  if (known.size >= KNOWN_MAX) known.clear();
  known.add(schemaJson);
}

function canonicalFingerprint(schemaJson: string): Buffer | undefined {
  try {
    return avro.Type.forSchema(JSON.parse(schemaJson) as avro.Schema, { wrapUnions: 'never' }).fingerprint();
  } catch {
    return undefined;
  }
}

function openBlocks(
  bytes: Buffer,
  header: ContainerHeader,
  { inflatedBytesMax, recordsMax }: AvroBounds,
): PlainBlock[] {
  const blocks: PlainBlock[] = [];
  let records = 0;
  let room = inflatedBytesMax;
  for (let position = header.length; position < bytes.length;) {
    const count = decodeLong(bytes, position);
    const size = count === undefined ? undefined : decodeLong(bytes, count.next);
    const end = size === undefined ? bytes.length : size.next + size.value;
    const whole = size !== undefined && size.value >= 0 && end + SYNC_BYTES <= bytes.length;
    if (count === undefined || count.value < 0 || size === undefined || !whole) {
      throw unreadable(`its block at byte ${position} is cut short, or says so`);
    }
    if (!bytes.subarray(end, end + SYNC_BYTES).equals(header.sync)) {
      throw unreadable(`its block at byte ${position} does not end with the sync marker`);
    }
    records += count.value;
    if (records > recordsMax) throw tooLarge(`more than ${recordsMax} records`);
    const plain = unpacked(bytes.subarray(size.next, end), header.codec, room);
    room -= plain.length;
    blocks.push({ plain, count: count.value });
    position = end + SYNC_BYTES;
  }
  return blocks;
}

/** @param codec as the header names it */
function unpacked(packed: Buffer, codec: string, bytesMax: number): Buffer {
  const beyond = 'more unpacked bytes than BODY_INFLATED_BYTES_MAX';
  if (codec === 'null') {
    if (packed.length > bytesMax) throw tooLarge(beyond);
    return packed;
  }
  const known = CODECS.find((one) => one === codec);
  if (known === undefined) {
    throw new HttpError(
      'unsupported_encoding',
      `the container's codec is ${showValue(codec)}: write it with "null", "deflate" or "zstandard"`,
    );
  }
  const plain = unpack(known, packed, bytesMax);
  if (plain.ok) return plain.bytes;
  throw plain.fault === 'too_large' ? tooLarge(beyond) : unreadable('a block of it does not unpack');
}

/** A record has bytes, so a count that is too high runs out of them. */
function readRecords({ plain, count }: PlainBlock): unknown[] {
  const records = new AvroRecords(plain);
  const values: unknown[] = [];
  while (values.length < count) {
    try {
      values.push(records.next());
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw unreadable(`record ${values.length} of a block is no record of its schema`);
    }
  }
  if (!records.ended) throw unreadable('a block of it holds more than its records');
  return values;
}

function unreadable(why: string): HttpError {
  return new HttpError('unreadable_body', `the body is no Avro container that can be taken: ${why}`);
}

function tooLarge(what: string): HttpError {
  return new HttpError(
    'body_too_large',
    `the container has ${what}: send fewer records a request, 500 to 5000 are good`,
  );
}
