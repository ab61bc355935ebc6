/*
 * Parses a body into records that are not validated yet. A malformed JSON document, Avro container or OTLP request is
 * refused entirely; of NDJSON only the malformed lines are refused. NDJSON is also recognised under `application/json`, as
 * some shippers send it.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { OtlpRecords } from './otlp/otlp-records.js';
import { readOtlpJson } from './otlp/parse-otlp-json.js';
import { readOtlpProtobuf } from './otlp/parse-otlp-protobuf.js';
import { parseAvro } from './parse-avro.js';
import type { BodyFormat } from './read-body.js';
import { NO_UNMAPPED_ATTRIBUTES, type UnmappedAttributes } from '../intake/intake.js';
import { Rejection, showValue } from '../intake/reject-reasons.js';

/** Called for each record in order; `index` is the position in the array, or the line counted from 0. */
export type OnRecord = (index: number, value: unknown) => void;

/**
 * The smallest valid record has about 80 bytes, so a body of 8 MiB with valid records is below this bound. Without it a body
 * of `{},{},…` would take seconds and hundreds of megabytes.
 */
export const RECORDS_MAX = 100_000;

/**
 * In OTLP's JSON an attribute has two objects, so a valid record has about 40 brackets, and a body of 8 MiB with valid
 * records has fewer than 250,000. The bound has the same reason as `RECORDS_MAX`.
 */
const OTLP_BRACKETS_MAX = 400_000;

export type ParseBounds = {
  readonly inflatedBytesMax: number;
  /** Called before the first record with the number of decompressed bytes of a container; throws to refuse them. */
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
  // A protobuf message without fields has no bytes.
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
 * Invalid UTF-8 becomes U+FFFD, a leading byte order mark is dropped. Called right before parsing: a string that waited in a
 * queue would survive several minor garbage collections and stay in memory until the next major one.
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

/** Called before parsing, because the parsed form takes the memory. Brackets within texts count too; the margin is wide. */
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
 * Whether a text that is not one JSON document is NDJSON. The first line that is not blank must be a complete object, and the
 * next one must begin as an object; everything else is a malformed document.
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

/** Groups: the first line that is not blank, and the first character of the next one. */
const FIRST_TWO_LINES = /^\s*(\S[^\n]*)\n\s*(\S)/;

/** Blank lines are skipped but counted, so that an index is always a line number. */
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

/** V8's message quotes a part of the body, so its length is bounded. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 200) : 'unknown';
}
