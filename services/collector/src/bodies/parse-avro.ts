/*
 * Parses an Avro object container into records in the form that JSON has, so that one set of checks validates both. The
 * writer chooses the header's text, sync marker and codec; the schema must be one of ours. Every count and length is checked
 * against the remaining bytes, and every block is read to its end, before a record is passed on.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { type ContainerHeader, decodeLong, readHeader, SYNC_BYTES } from '@imscope/schemas/container.js';
import { CODECS, decompress } from '@imscope/schemas/container-codec.js';
import avro from 'avsc';
import { LRUCache } from 'lru-cache';
import { AvroRecords } from './avro-records.js';
import { showValue } from '../intake/reject-reasons.js';

export type AvroBounds = { readonly inflatedBytesMax: number; readonly recordsMax: number };

/** A decompressed block, and the number of records that it declares. */
type PlainBlock = { readonly plain: Buffer; readonly count: number };

/** Of the schema's text in a header; ours has 1.5 kB. */
const SCHEMA_LENGTH_MAX = 16 << 10;
/** Schema texts that were accepted before. */
const acceptedSchemas = new LRUCache<string, true>({ max: 16 });

/**
 * @param onInflated called with the number of decompressed bytes before the first record; throws to refuse them
 * @throws HttpError unreadable_body, unsupported_encoding or body_too_large, or what `onInflated` throws, before the first
 * record
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

/** Compares Avro's parsing canonical form: white space, docs and defaults may differ. */
function checkSchema({ schemaJson }: ContainerHeader): void {
  if (acceptedSchemas.get(schemaJson) === true) return;
  const fingerprint = schemaJson.length <= SCHEMA_LENGTH_MAX ? canonicalFingerprint(schemaJson) : undefined;
  if (fingerprint?.equals(REQUEST_LOG_SCHEMA.type.fingerprint()) !== true) {
    throw unreadable(
      'its schema is not the one of request logs: write it with schemas/avro/request-log.v1.avsc',
    );
  }
  acceptedSchemas.set(schemaJson, true);
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
  let bytesLeft = inflatedBytesMax;
  for (let position = header.length; position < bytes.length;) {
    const count = decodeLong(bytes, position);
    const size = count === undefined ? undefined : decodeLong(bytes, count.next);
    const end = size === undefined ? bytes.length : size.next + size.value;
    const isComplete = size !== undefined && size.value >= 0 && end + SYNC_BYTES <= bytes.length;
    if (count === undefined || count.value < 0 || size === undefined || !isComplete) {
      throw unreadable(`its block at byte ${position} is truncated, or declares a wrong length`);
    }
    if (!bytes.subarray(end, end + SYNC_BYTES).equals(header.sync)) {
      throw unreadable(`its block at byte ${position} does not end with the sync marker`);
    }
    records += count.value;
    if (records > recordsMax) throw tooLarge(`more than ${recordsMax} records`);
    const plain = decompressed(bytes.subarray(size.next, end), header.codec, bytesLeft);
    bytesLeft -= plain.length;
    blocks.push({ plain, count: count.value });
    position = end + SYNC_BYTES;
  }
  return blocks;
}

/** @param codec as the header names it */
function decompressed(packed: Buffer, codec: string, bytesMax: number): Buffer {
  const beyond = 'more decompressed bytes than BODY_INFLATED_BYTES_MAX';
  if (codec === 'null') {
    if (packed.length > bytesMax) throw tooLarge(beyond);
    return packed;
  }
  const knownCodec = CODECS.find((one) => one === codec);
  if (knownCodec === undefined) {
    throw new HttpError(
      'unsupported_encoding',
      `the container's codec is ${showValue(codec)}: write it with "null", "deflate" or "zstandard"`,
    );
  }
  const plain = decompress(knownCodec, packed, bytesMax);
  if (plain.ok) return plain.bytes;
  throw plain.fault === 'too_large' ? tooLarge(beyond) : unreadable('a block cannot be decompressed');
}

/** Every record has bytes, so a declared count that is too high fails at the end of the block. */
function readRecords({ plain, count }: PlainBlock): unknown[] {
  const records = new AvroRecords(plain);
  const values: unknown[] = [];
  while (values.length < count) {
    try {
      values.push(records.next());
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw unreadable(`record ${values.length} of a block is not a record of its schema`);
    }
  }
  if (!records.ended) throw unreadable('a block has bytes after its last record');
  return values;
}

function unreadable(why: string): HttpError {
  return new HttpError('unreadable_body', `the body is not a valid Avro container: ${why}`);
}

function tooLarge(what: string): HttpError {
  return new HttpError(
    'body_too_large',
    `the container has ${what}: send fewer records a request, 500 to 5000 are good`,
  );
}
