/*
 * An OTLP `ExportLogsServiceRequest` in JSON, as the protocol maps it, → records in the form our own JSON has them:
 * names in camel case, ids in hex, 64-bit numbers as text or as numbers, names that are not known passed over. A body
 * of another shape is refused whole; a value that a field does not take refuses its record.
 */
import { showValue } from '../reject-reasons.js';
import { targetOf } from './attributes.js';
import { type OtlpRecords, takeStray } from './otlp-records.js';
import { NO_SCALAR, Sheet } from './sheet.js';

type Message = Readonly<Record<string, unknown>>;

/** Adds the records of a parsed body to `records`. @throws Error where it is no such message */
export function readOtlpJson(body: unknown, records: OtlpRecords): void {
  const resource = new Sheet('resource');
  const record = new Sheet('record');
  for (const resourceLogs of messages(messageOf(body, 'the body'), 'resourceLogs')) {
    resource.clear();
    const described = resourceLogs['resource'];
    if (isGiven(described)) readAttributes(messageOf(described, 'resource'), resource, records);
    for (const scopeLogs of messages(resourceLogs, 'scopeLogs')) {
      for (const logRecord of messages(scopeLogs, 'logRecords')) {
        record.copy(resource);
        readAttributes(logRecord, record, records);
        records.add(record.record(headOf(logRecord)));
      }
    }
  }
}

function headOf(logRecord: Message): Parameters<Sheet['record']>[0] {
  const severity = logRecord['severityNumber'];
  return {
    time: timeOf(logRecord['timeUnixNano']) ?? timeOf(logRecord['observedTimeUnixNano']),
    severity: typeof severity === 'number' ? severity : 0,
    body: isGiven(logRecord['body']) ? valueOf(messageOf(logRecord['body'], 'body')) : undefined,
    traceId: traceIdOf(logRecord['traceId']),
  };
}

function readAttributes(of: Message, sheet: Sheet, records: OtlpRecords): void {
  for (const attribute of messages(of, 'attributes')) {
    const name = attribute['key'];
    if (typeof name !== 'string') throw new Error(`key of an attribute is ${showValue(name)}: give text`);
    const target = targetOf(name);
    if (typeof target === 'string') takeStray(target, name, sheet, records);
    else if (isGiven(attribute['value'])) sheet.put(target, valueOf(messageOf(attribute['value'], 'value')));
  }
}

/** An AnyValue. */
function valueOf(any: Message): unknown {
  const { stringValue, intValue, doubleValue, boolValue } = any;
  if (isGiven(stringValue)) return stringValue;
  if (isGiven(intValue)) return numberOf(intValue);
  if (isGiven(doubleValue)) return numberOf(doubleValue);
  if (isGiven(boolValue)) return boolValue;
  const nested = [any['arrayValue'], any['kvlistValue'], any['bytesValue']].some(isGiven);
  return nested ? NO_SCALAR : undefined;
}

function numberOf(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d{1,20}(?:\.\d+)?(?:[Ee][+-]?\d{1,3})?$/.test(value)
    ? Number(value)
    : value;
}

/** Nanoseconds → milliseconds; 0 stands for no time. What is neither digits nor a number is judged as it is. */
function timeOf(value: unknown): unknown {
  if (typeof value === 'number') return value === 0 ? undefined : Math.floor(value / 1_000_000);
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) return value ?? undefined;
  return /^0+$/.test(value) ? undefined : Number(value.slice(0, -6));
}

function traceIdOf(value: unknown): string | undefined {
  const usable = typeof value === 'string' && /^[\da-f]{32}$/i.test(value) && !/^0+$/.test(value);
  return usable ? value.toLowerCase() : undefined;
}

/** JSON's null is a field left out. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function messageOf(value: unknown, what: string): Message {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${what} is ${showValue(value)}: give an object`);
  }
  return value as Message;
}

function messages(of: Message, name: string): readonly Message[] {
  const list = of[name];
  if (!isGiven(list)) return [];
  if (!Array.isArray(list)) throw new Error(`${name} is ${showValue(list)}: give an array`);
  for (const item of list) messageOf(item, `an element of ${name}`);
  return list as Message[];
}
