/*
 * One record as sent → one record as stored, or the reason why not. Pure, total and fast: it runs for every
 * record of the pipeline, so the checks are written out by hand over the parsed object, and a good record
 * costs no allocation beyond itself. Nothing here throws, whatever JSON says.
 */
/// <reference lib="es2024.string" />
import { classifyOutcome } from '@imscope/schemas/codes/catalogue.js';
import { decimalOfText } from '@imscope/schemas/decimal-text.js';
import { interfaceName } from '@imscope/schemas/interface-name.js';
import type { Outcome } from '@imscope/schemas/outcome.js';
import { FIELDS, RawFields, type RawRecord } from '@imscope/schemas/raw-fields.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { REQUEST_LOG_FIELDS } from '@imscope/schemas/request-log-fields.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import { EncodedAddress, exitAddress } from './exit-address.js';
import { parseRfc3339 } from './parse-time.js';
import { isPersonalField } from './personal-fields.js';
import { isRejection, Rejection, showValue } from './reject-reasons.js';
import { isPlainLabel, type LabelField, scrubLabel } from './scrub-label.js';
import { scrubText } from './scrub-text.js';

export type ValidationContext = {
  /** The collector's clock, epoch milliseconds. */
  readonly nowMs: number;
  readonly lateMsMax: number;
  /** The outcomes of codes by which an application overrides the catalogue. */
  readonly codesOf: (sdkAppId: number) => ReadonlyMap<number, Outcome>;
  /** Called once for each personal field that was dropped. */
  readonly onDropped: () => void;
  /** Called once for each text that something was removed from, with the number of pieces. */
  readonly onScrubbed: (pieces: number) => void;
  /** Called once for each path that ids were removed from. */
  readonly onIdTaken: () => void;
};

const KNOWN_FIELDS: ReadonlySet<string> = new Set(['time', ...FIELDS]);

/** Logstash and what writes its form add these to each record. The time counts where there is no `time`. */
const SHIPPER_TIME = '@timestamp';
const SHIPPER_FIELDS: ReadonlySet<string> = new Set([SHIPPER_TIME, '@version']);

/** Joined once: a body may name unknown fields a hundred thousand times. */
const FIELD_LIST = [...KNOWN_FIELDS].join(', ');

const { durationUsMax, codeMin, codeMax, labelLengthMax, requestIdLengthMax } = REQUEST_LOG_BOUNDS;
const { sdk_app_id, http_status } = REQUEST_LOG_FIELDS;
const AHEAD_MINUTES = REQUEST_LOG_BOUNDS.aheadMsMax / 60_000;

/** @param value one parsed JSON value; anything but the contract's object is answered with a Rejection */
export function validateRecord(value: unknown, context: ValidationContext): NewRequestLog | Rejection {
  if (!isRawRecord(value)) {
    return new Rejection('not_an_object', `the record is ${showValue(value)}: give a JSON object`);
  }
  const stray = value instanceof RawFields ? undefined : checkFieldNames(value, context.onDropped);
  if (stray !== undefined) return stray;
  const time = readTime(isAbsent(value.time) ? shipperTime(value) : value.time, context);
  if (isRejection(time)) return time;
  const sdkAppId = readWhole('sdk_app_id', value.sdk_app_id, sdk_app_id.min, sdk_app_id.max);
  if (isRejection(sdkAppId)) return sdkAppId;
  const name = readInterface(value.interface, context.onIdTaken);
  if (isRejection(name)) return name;
  const exitIp = readAddress(value.exit_ip);
  if (isRejection(exitIp)) return exitIp;
  const latencyUs = readDuration('latency_ms', value.latency_ms);
  if (isRejection(latencyUs)) return latencyUs;
  if (latencyUs === null) return missing('latency_ms');
  const upstreamUs = readDuration('upstream_ms', value.upstream_ms);
  if (isRejection(upstreamUs)) return upstreamUs;
  const rttUs = readDuration('rtt_ms', value.rtt_ms);
  if (isRejection(rttUs)) return rttUs;
  const code = isAbsent(value.code) ? null : readWhole('code', value.code, codeMin, codeMax);
  if (isRejection(code)) return code;
  const httpStatus = readHttpStatus(value.http_status);
  if (isRejection(httpStatus)) return httpStatus;
  const exception = readText('exception', value.exception, REQUEST_LOG_BOUNDS.exceptionLengthMax);
  if (isRejection(exception)) return exception;
  const cause = readText('cause', value.cause, REQUEST_LOG_BOUNDS.causeLengthMax);
  if (isRejection(cause)) return cause;
  const node = readLabel('node', value.node, labelLengthMax, context);
  if (isRejection(node)) return node;
  const region = readLabel('region', value.region, labelLengthMax, context);
  if (isRejection(region)) return region;
  const platform = readLabel('platform', value.platform, labelLengthMax, context);
  if (isRejection(platform)) return platform;
  const sdkVersion = readLabel('sdk_version', value.sdk_version, labelLengthMax, context);
  if (isRejection(sdkVersion)) return sdkVersion;
  const requestId = readLabel('request_id', value.request_id, requestIdLengthMax, context);
  if (isRejection(requestId)) return requestId;
  return {
    time,
    sdk_app_id: sdkAppId,
    interface: name,
    exit_ip: exitIp,
    latency_us: latencyUs,
    upstream_us: upstreamUs,
    rtt_us: rttUs,
    code,
    http_status: httpStatus,
    outcome: classifyOutcome(code, httpStatus, context.codesOf(sdkAppId)),
    exception: scrubbed(exception, REQUEST_LOG_BOUNDS.exceptionLengthMax, context.onScrubbed),
    cause: scrubbed(cause, REQUEST_LOG_BOUNDS.causeLengthMax, context.onScrubbed),
    node,
    region,
    platform,
    sdk_version: sdkVersion,
    request_id: requestId,
    weight: 1,
  };
}

function isRawRecord(value: unknown): value is RawRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkFieldNames(record: RawRecord, onDropped: () => void): Rejection | undefined {
  for (const field in record) {
    if (KNOWN_FIELDS.has(field) || SHIPPER_FIELDS.has(field)) continue;
    if (isPersonalField(field)) {
      onDropped();
      continue;
    }
    return new Rejection(
      'unknown_field',
      `field ${showValue(field)} is not known: leave it out, or give one of ${FIELD_LIST}`,
      field,
    );
  }
  return undefined;
}

/** A `time` that is given counts even where it cannot be read: a wrong one must not go unnoticed. */
function shipperTime(record: RawRecord): unknown {
  return SHIPPER_TIME in record ? record[SHIPPER_TIME] : undefined;
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function missing(field: string): Rejection {
  return new Rejection('missing_field', `${field} is absent or null: every record needs it`, field);
}

function wrongType(field: string, value: unknown, wanted: string): Rejection {
  return new Rejection('wrong_type', `${field} is ${showValue(value)}: give ${wanted}`, field);
}

function tooLong(field: string, length: number, lengthMax: number): Rejection {
  return new Rejection(
    'too_long',
    `${field} has ${length} characters: at most ${lengthMax} are accepted`,
    field,
  );
}

function readTime(value: unknown, context: ValidationContext): number | Rejection {
  let time: number | undefined;
  if (typeof value === 'number') time = Number.isFinite(value) ? Math.floor(value) : undefined;
  else if (typeof value === 'string') time = readTimeText(value);
  else if (isAbsent(value)) return missing('time');
  else return wrongType('time', value, 'RFC 3339 text or epoch milliseconds');
  if (time === undefined) {
    return new Rejection(
      'invalid_time',
      `time is ${showValue(value)}: give RFC 3339 such as 2024-01-02T03:04:05.678Z, or epoch milliseconds`,
      'time',
    );
  }
  const ageMs = context.nowMs - time;
  if (ageMs > context.lateMsMax) {
    const hours = context.lateMsMax / 3_600_000;
    return new Rejection(
      'time_too_old',
      `time is ${showValue(value)}: at most ${hours} hours ago are accepted, numbers are epoch milliseconds`,
      'time',
    );
  }
  if (-ageMs > REQUEST_LOG_BOUNDS.aheadMsMax) {
    return new Rejection(
      'time_too_new',
      `time is ${showValue(value)}: at most ${AHEAD_MINUTES} minutes ahead are accepted, check the clock of the gateway`,
      'time',
    );
  }
  return time;
}

/** RFC 3339, or epoch milliseconds as a plain decimal. */
function readTimeText(text: string): number | undefined {
  const time = parseRfc3339(text) ?? decimalOfText(text);
  return time === undefined ? undefined : Math.floor(time);
}

/** The number that a field's value is, also as text; what is none stays as it is. */
export function numberOrText(value: unknown): unknown {
  return typeof value === 'string' ? (decimalOfText(value) ?? value) : value;
}

export function readWhole(field: string, given: unknown, least: number, most: number): number | Rejection {
  const value = numberOrText(given);
  if (typeof value !== 'number') {
    return isAbsent(value) ? missing(field) : wrongType(field, value, 'a whole number');
  }
  if (!(value >= least && value <= most)) return outOfRange(field, value, least, most);
  if (!Number.isInteger(value)) return wrongType(field, value, 'a whole number');
  // Adding 0 turns -0 into 0.
  return value + 0;
}

function outOfRange(field: string, value: number, least: number, most: number): Rejection {
  return new Rejection('out_of_range', `${field} is ${value}: give a number from ${least} to ${most}`, field);
}

export function readInterface(value: unknown, onIdTaken?: () => void): string | Rejection {
  if (typeof value !== 'string') {
    return isAbsent(value) ? missing('interface') : wrongType('interface', value, 'text');
  }
  const name = interfaceName(value, onIdTaken);
  if (typeof name === 'string') return name;
  return name.reason === 'too_long'
    ? tooLong('interface', name.length, REQUEST_LOG_BOUNDS.interfaceLengthMax)
    : new Rejection(
        'invalid_interface',
        `interface is ${showValue(value)}: give words of letters, digits, "_", "." and "-", or {id}, with "/" between, such as openim/sendmsg, or the path of a request, which begins with "/"`,
        'interface',
      );
}

export function readAddress(value: unknown): number | Buffer | Rejection {
  if (typeof value !== 'string') {
    if (value instanceof EncodedAddress) return value.encoded;
    return isAbsent(value) ? missing('exit_ip') : wrongType('exit_ip', value, 'an address as text');
  }
  return (
    exitAddress(value) ??
    new Rejection(
      'invalid_ip',
      `exit_ip is ${showValue(value)}: give an IPv4 or IPv6 address as text`,
      'exit_ip',
    )
  );
}

/** Milliseconds as sent → whole microseconds as stored; null where not given. */
export function readDuration(field: string, given: unknown): number | null | Rejection {
  const value = numberOrText(given);
  if (typeof value !== 'number') {
    return isAbsent(value) ? null : wrongType(field, value, 'a number of milliseconds');
  }
  const us = Math.round(value * 1000) + 0;
  return value >= 0 && us <= durationUsMax ? us : outOfRange(field, value, 0, durationUsMax / 1000);
}

export function readHttpStatus(given: unknown): number | Rejection {
  const value = numberOrText(given);
  if (isAbsent(value) || value === 0) return 0;
  return readWhole('http_status', value, http_status.min, http_status.max);
}

/** A name or an id, without what is about a person. Plain ones cost one pass over their characters. */
function readLabel(
  field: LabelField,
  value: unknown,
  lengthMax: number,
  { onScrubbed }: ValidationContext,
): string | Rejection {
  if (typeof value === 'string' && value.length <= lengthMax && isPlainLabel(value)) return value;
  const text = readText(field, value, lengthMax);
  if (typeof text !== 'string' || text === '') return text;
  const { text: clean, replaced } = scrubLabel(field, text);
  if (replaced === 0) return text;
  onScrubbed(replaced);
  return clean.length <= lengthMax ? clean : clean.slice(0, lengthMax).toWellFormed();
}

/** Without what is about a person; placeholders may make it longer, so it is cut at its bound. */
function scrubbed(text: string, lengthMax: number, onScrubbed: (pieces: number) => void): string {
  const { text: clean, replaced } = scrubText(text);
  if (replaced === 0) return text;
  onScrubbed(replaced);
  return clean.length <= lengthMax ? clean : clean.slice(0, lengthMax).toWellFormed();
}

/**
 * Text as it is stored: NUL and lone surrogates, which no UTF-8 can hold, become U+FFFD. (avsc would write
 * a lone surrogate as three bytes that are not UTF-8.)
 */
export function readText(field: string, value: unknown, lengthMax: number): string | Rejection {
  if (typeof value !== 'string') return isAbsent(value) ? '' : wrongType(field, value, 'text');
  if (value.length > lengthMax) return tooLong(field, value.length, lengthMax);
  return isPlain(value) ? value : value.replaceAll('\0', '\uFFFD').toWellFormed();
}

/** ASCII without NUL, as nearly all texts are: nothing in it needs mending. */
function isPlain(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index);
    if (character === 0 || character > 0x7f) return !text.includes('\0') && text.isWellFormed();
  }
  return true;
}
