/*
 * A body → its records, still unchecked. A body that is not JSON, no Avro container or no OTLP request is refused whole;
 * an NDJSON line that is not JSON is refused alone and its neighbours stay. NDJSON is also recognised under
 * `application/json`, as some shippers send it.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { OtlpRecords } from './otlp/otlp-records.js';
import { readOtlpJson } from './otlp/parse-otlp-json.js';
import { readOtlpProtobuf } from './otlp/parse-otlp-protobuf.js';
import { parseAvro } from './parse-avro.js';
import type { BodyFormat } from './read-body.js';
import { NO_UNMAPPED_ATTRIBUTES, type UnmappedAttributes } from '../intake/intake.js';
import { Rejection, showValue } from '../intake/reject-reasons.js';

/** Called for each record in order; `index` is the place in the array, or the line counted from 0. */
export type OnRecord = (index: number, value: unknown) => void;

/**
 * Most records of one body. The smallest good record has about 80 bytes, so within 8 MiB no good body comes near;
 * it keeps bodies of `{},{},…` from taking seconds and hundreds of megabytes.
 */
export const RECORDS_MAX = 100_000;

/**
 * An attribute in OTLP's JSON has two objects, so that a good record has some 40 brackets, and 8 MiB of them below
 * 250,000. For the same reason as above.
 */
const OTLP_BRACKETS_MAX = 400_000;

export type ParseBounds = {
  readonly inflatedBytesMax: number;
  /** Called before the first record with the bytes that a container has beyond its own; throws where there is no room. */
  readonly reserve: (bytes: number) => void;
};

/**
 * @throws HttpError empty_body, unreadable_body, unsupported_encoding or body_too_large, or what `reserve` throws; then
 * `onRecord` was not called
 */
export function parseBody(
  { bytes, format }: { readonly bytes: Buffer; readonly format: BodyFormat },
  { inflatedBytesMax, reserve }: ParseBounds,
  onRecord: OnRecord,
): UnmappedAttributes {
  // A message of protobuf without any field has no bytes.
  if (format === 'otlp-protobuf') return parseOtlp((records) => readOtlpProtobuf(bytes, records), onRecord);
  if (bytes.length === 0) throw emptyBody();
  if (format === 'otlp-json') {
    const text = bodyText(bytes);
    refuseBrackets(text, OTLP_BRACKETS_MAX, tooManyBrackets);
    return parseOtlp((records) => readOtlpJson(JSON.parse(text), records), onRecord);
  }
  if (format === 'avro') parseAvro(bytes, { inflatedBytesMax, recordsMax: RECORDS_MAX }, reserve, onRecord);
  else parseText(bodyText(bytes), format, onRecord);
  return NO_UNMAPPED_ATTRIBUTES;
}

function parseOtlp(read: (records: OtlpRecords) => void, onRecord: OnRecord): UnmappedAttributes {
  const records = new OtlpRecords(RECORDS_MAX, tooManyRecords);
  try {
    read(records);
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(
      'unreadable_body',
      `the body is no ExportLogsServiceRequest of OTLP: ${messageOf(error)}`,
      { cause: error },
    );
  }
  records.values.forEach((value, index) => onRecord(index, value));
  return { ignored: records.attributesIgnored, personal: records.personalDropped };
}

/**
 * Invalid UTF-8 becomes U+FFFD, a leading byte order mark is dropped. For the moment of parsing only: a text that waits
 * with others for its turn outlives several collections, and then stays until the next large one.
 */
function bodyText(body: Buffer): string {
  const text = body.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function emptyBody(): HttpError {
  return new HttpError('empty_body', 'the body is empty: send at least one record');
}

function parseText(text: string, format: 'json' | 'ndjson', onRecord: OnRecord): void {
  if (text.trim() === '') throw emptyBody();
  if (format === 'ndjson') parseLines(text, onRecord);
  else {
    refuseBrackets(text, RECORDS_MAX, tooManyRecords);
    parseJson(text, onRecord);
  }
}

/** Before parsing, for the parsed form is what takes the memory. Brackets within texts count too; the margin is wide. */
function refuseBrackets(text: string, most: number, tooMany: () => HttpError): void {
  if (['{', '['].some((bracket) => occursMoreThan(most, bracket, text))) throw tooMany();
}

function parseJson(text: string, onRecord: OnRecord): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (isLines(text)) {
      parseLines(text, onRecord);
      return;
    }
    throw new HttpError(
      'unreadable_body',
      `the body is not JSON: ${messageOf(error)}; if it is NDJSON, send it as application/x-ndjson`,
      { cause: error },
    );
  }
  if (Array.isArray(parsed)) {
    if (parsed.length > RECORDS_MAX) throw tooManyRecords();
    parsed.forEach((value: unknown, index) => onRecord(index, value));
  } else if (typeof parsed === 'object' && parsed !== null) onRecord(0, parsed);
  else {
    throw new HttpError(
      'unreadable_body',
      `the body is ${showValue(parsed)}: send one record as an object, or several as an array`,
    );
  }
}

/**
 * A text that is not one JSON document: true where it is several, one a line. The first line that is not blank must be
 * a complete object and the next one must begin as an object; everything else is a document that is broken.
 */
function isLines(text: string): boolean {
  const [, first = '', next = ''] = FIRST_TWO_LINES.exec(text) ?? [];
  if (!first.startsWith('{') || next !== '{') return false;
  try {
    JSON.parse(first);
    return true;
  } catch {
    return false;
  }
}

/** The first line that is not blank, and the first character of the next one. */
const FIRST_TWO_LINES = /^\s*(\S[^\n]*)\n\s*(\S)/;

/** Blank lines are passed over but counted, so that an index always names the line of the body. */
function parseLines(text: string, onRecord: OnRecord): void {
  if (occursMoreThan(RECORDS_MAX, '\n', text)) throw tooManyRecords();
  let index = 0;
  for (let start = 0; start < text.length; index++) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(start, end);
    start = end + 1;
    if (line.trim() === '') continue;
    onRecord(index, parseLine(line));
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    return new Rejection('malformed_json', `the line is not JSON: ${messageOf(error)}`);
  }
}

function occursMoreThan(times: number, character: string, text: string): boolean {
  let found = 0;
  for (let at = text.indexOf(character); at !== -1 && found <= times; at = text.indexOf(character, at + 1)) {
    found += 1;
  }
  return found > times;
}

function tooManyRecords(): HttpError {
  return new HttpError(
    'body_too_large',
    `the body has more than ${RECORDS_MAX} records: send fewer a request, 500 to 5000 are good`,
  );
}

function tooManyBrackets(): HttpError {
  return new HttpError(
    'body_too_large',
    `the body has more than ${OTLP_BRACKETS_MAX} objects or lists: send fewer records a request, 500 to 5000 are good`,
  );
}

/** V8 quotes a piece of the text, which belongs to the sender; the bound is for its length. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 200) : 'unknown';
}
