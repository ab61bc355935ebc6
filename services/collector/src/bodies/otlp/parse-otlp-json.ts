/*
 * Reads an OTLP `ExportLogsServiceRequest` in JSON into records in the form of our own JSON. Names are read in camel case, as
 * OTLP writes them, and in snake case, as other writers of protobuf's JSON do; unknown names are ignored. A body whose lists
 * of records have unknown names is refused entirely, so that no record is lost unnoticed; a value that is invalid for its
 * field causes its record to be refused.
 */
import { parseRfc3339 } from '../../intake/parse-time.js';
import { showValue } from '../../intake/reject-reasons.js';
import { targetOf } from './attributes.js';
import { fieldOf, isGiven, type Message, messageOf, messagesOf, namesOf, numberOf } from './json-message.js';
import type { OtlpRecords } from './otlp-records.js';
import { severityOf } from './severity.js';
import { AttributeFields, type LogRecordHead, NOT_A_SCALAR } from './attribute-fields.js';

/**
 * A list of messages: its names, and the other known names of the message that contains it. Lists under two spellings of one
 * name are one list; a later name is used if the lists of the earlier names are empty.
 */
type Container = {
  readonly names: readonly (readonly [camelCase: string, snakeCase: string])[];
  readonly beside: ReadonlySet<string>;
};

const RESOURCE_LOGS: Container = { names: [['resourceLogs', 'resource_logs']], beside: new Set() };
/** The second is the name of scopes before version 0.15 of the protocol. */
const SCOPE_LOGS: Container = {
  names: [
    ['scopeLogs', 'scope_logs'],
    ['instrumentationLibraryLogs', 'instrumentation_library_logs'],
  ],
  beside: new Set(['resource', 'schemaUrl', 'schema_url']),
};
const LOG_RECORDS: Container = {
  names: [
    ['logRecords', 'log_records'],
    ['logs', 'logs'],
  ],
  beside: new Set(['scope', 'schemaUrl', 'schema_url', 'instrumentationLibrary', 'instrumentation_library']),
};

/** Adds the records of a parsed body to `records`. @throws Error if it is not such a message */
export function readOtlpJson(body: unknown, records: OtlpRecords): void {
  const resource = new AttributeFields('resource');
  const record = new AttributeFields('record');
  for (const resourceLogs of contained(messageOf(body, 'the body'), RESOURCE_LOGS, 'the body')) {
    resource.clear();
    const described = resourceLogs['resource'];
    if (isGiven(described)) readAttributes(messageOf(described, 'resource'), resource, records);
    for (const scopeLogs of contained(resourceLogs, SCOPE_LOGS, 'an element of resourceLogs')) {
      for (const logRecord of contained(scopeLogs, LOG_RECORDS, 'an element of scopeLogs')) {
        record.copy(resource);
        readAttributes(logRecord, record, records);
        records.add(record.toRecord(headOf(logRecord)));
      }
    }
  }
}

/**
 * The messages of a container.
 * @throws Error if it has none, and the message has a list under another name, or only unknown names
 */
function contained(message: Message, { names, beside }: Container, what: string): readonly Message[] {
  const lists = names.map((spellings) =>
    [...new Set(spellings)].flatMap((name) => messagesOf(message[name], name)),
  );
  const filled = lists.find((list) => list.length > 0);
  if (filled !== undefined) return filled;
  const known = new Set(names.flat());
  const unknownNames = Object.keys(message).filter((name) => !known.has(name) && !beside.has(name));
  const hasList = [...known].some((name) => name in message);
  if (unknownNames.length === 0 || (hasList && !unknownNames.some((name) => isFilledList(message[name]))))
    return [];
  const [[first] = ['']] = names;
  const lack = hasList ? `has nothing in ${first}` : `has no ${first}`;
  throw new Error(`${what} ${lack}, it has ${namesOf(message)}: give its records in ${first}`);
}

function isFilledList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function headOf(logRecord: Message): LogRecordHead {
  const { body } = logRecord;
  return {
    time: eventTime(logRecord),
    severity: severityOf(
      fieldOf(logRecord, 'severityNumber', 'severity_number'),
      fieldOf(logRecord, 'severityText', 'severity_text'),
    ),
    body: isGiven(body) ? valueOf(messageOf(body, 'body')) : undefined,
    traceId: traceIdOf(fieldOf(logRecord, 'traceId', 'trace_id')),
  };
}

function readAttributes(message: Message, fields: AttributeFields, records: OtlpRecords): void {
  for (const attribute of messagesOf(message['attributes'], 'attributes')) {
    const name = attribute['key'] ?? '';
    if (typeof name !== 'string') throw new Error(`key of an attribute is ${showValue(name)}: give text`);
    const target = targetOf(name);
    if (typeof target === 'string') records.addUnmapped(target, name, fields);
    else if (isGiven(attribute['value'])) fields.set(target, valueOf(messageOf(attribute['value'], 'value')));
  }
}

/** An AnyValue. */
function valueOf(any: Message): unknown {
  const text = fieldOf(any, 'stringValue', 'string_value');
  if (isGiven(text)) return text;
  const whole = fieldOf(any, 'intValue', 'int_value');
  if (isGiven(whole)) return numberOf(whole);
  const double = fieldOf(any, 'doubleValue', 'double_value');
  if (isGiven(double)) return numberOf(double);
  const truth = fieldOf(any, 'boolValue', 'bool_value');
  if (isGiven(truth)) return truth;
  return NESTED.some(([camelCase, snakeCase]) => isGiven(fieldOf(any, camelCase, snakeCase)))
    ? NOT_A_SCALAR
    : undefined;
}

const NESTED = [
  ['arrayValue', 'array_value'],
  ['kvlistValue', 'kvlist_value'],
  ['bytesValue', 'bytes_value'],
] as const;

/** The first of the two times that can be read. If none can, the record is refused for the first one given. */
function eventTime(logRecord: Message): unknown {
  const time = timeOf(fieldOf(logRecord, 'timeUnixNano', 'time_unix_nano'));
  if (Number.isFinite(time)) return time;
  const observed = timeOf(fieldOf(logRecord, 'observedTimeUnixNano', 'observed_time_unix_nano'));
  return Number.isFinite(observed) ? observed : (time ?? observed);
}

/** Nanoseconds → milliseconds. 0 means unknown. A malformed value is returned as it is, for `validateRecord` to refuse. */
function timeOf(value: unknown): unknown {
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) {
    return /^0+$/.test(value) ? undefined : Number(value.slice(0, -6));
  }
  const number = numberOf(value);
  if (typeof number !== 'number')
    return typeof value === 'string' ? (parseRfc3339(value) ?? value) : (value ?? undefined);
  return number === 0 ? undefined : Math.floor(number / 1_000_000);
}

const TRACE_ID_BYTES = 16;

/** Hex, as OTLP writes it, or base64, as protobuf's JSON writes bytes. */
function traceIdOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 2 * TRACE_ID_BYTES) return undefined;
  const bytes = Buffer.from(value, value.length === 2 * TRACE_ID_BYTES ? 'hex' : 'base64');
  const isId = bytes.length === TRACE_ID_BYTES && /^[\w+/-]{22,32}={0,2}$/.test(value);
  return isId && bytes.some((byte) => byte !== 0) ? bytes.toString('hex') : undefined;
}
