/*
 * Bodies of OTLP for tests: one description, written as protobuf and as JSON. Written by hand over the wire format, so
 * that bodies can be wrong; what real SDKs write is tested with a real one.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { SAMPLE_TIME_MS } from './sample-record.js';

/** An AnyValue, as JSON has it. */
export type Any =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly boolValue: boolean }
  | { readonly arrayValue: { readonly values: readonly Any[] } }
  | { readonly kvlistValue: { readonly values: readonly KeyValue[] } }
  | { readonly bytesValue: string };

export type KeyValue = { readonly key: string; readonly value?: Any };

export type LogRecord = {
  readonly timeUnixNano?: string;
  readonly observedTimeUnixNano?: string;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body?: Any;
  readonly attributes?: readonly KeyValue[];
  readonly traceId?: string;
};

export type ResourceLogs = {
  readonly resource?: { readonly attributes: readonly KeyValue[] };
  readonly logRecords: readonly LogRecord[];
};

type Plain = string | number | boolean;

export function attributes(values: Record<string, Plain | Any>): KeyValue[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: any(value) }));
}

export function any(value: Plain | Any): Any {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value !== 'number') return value;
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** A good log record, with changes to its attributes; undefined takes one away. */
export function logRecord(
  changes: Record<string, Plain | Any | undefined> = {},
  more: LogRecord = {},
): LogRecord {
  const all: Record<string, Plain | Any | undefined> = {
    'im.sdk_app_id': 1_400_000_001,
    'im.interface': 'openim/sendmsg',
    'client.address': '203.0.113.7',
    'im.latency_ms': 12.5,
    ...changes,
  };
  const given = Object.entries(all).filter((entry): entry is [string, Plain | Any] => entry[1] !== undefined);
  return {
    timeUnixNano: `${SAMPLE_TIME_MS}000000`,
    attributes: attributes(Object.fromEntries(given)),
    ...more,
  };
}

export function asJson(resourceLogs: readonly ResourceLogs[]): Buffer {
  const request = resourceLogs.map(({ resource, logRecords }) => ({ resource, scopeLogs: [{ logRecords }] }));
  return Buffer.from(JSON.stringify({ resourceLogs: request }));
}

export function asProtobuf(resourceLogs: readonly ResourceLogs[]): Buffer {
  const writer = new BinaryWriter();
  for (const { resource, logRecords } of resourceLogs) {
    message(writer, 1, () => {
      message(writer, 2, () => {
        message(writer, 1, () => void writer.tag(1, WireType.LengthDelimited).string('scope'));
        for (const record of logRecords) message(writer, 2, () => writeRecord(writer, record));
      });
      // Behind what it is of, as the format allows.
      if (resource !== undefined) {
        message(writer, 1, () => resource.attributes.forEach((one) => writeKeyValue(writer, 1, one)));
      }
      writer.tag(3, WireType.LengthDelimited).string('https://opentelemetry.io/schemas/1.26.0');
    });
  }
  return Buffer.from(writer.finish());
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write();
  writer.join();
}

function writeRecord(writer: BinaryWriter, record: LogRecord): void {
  const { timeUnixNano, observedTimeUnixNano, severityNumber, severityText, body, traceId } = record;
  if (timeUnixNano !== undefined) writer.tag(1, WireType.Bit64).fixed64(timeUnixNano);
  if (severityNumber !== undefined) writer.tag(2, WireType.Varint).int32(severityNumber);
  if (severityText !== undefined) writer.tag(3, WireType.LengthDelimited).string(severityText);
  if (body !== undefined) message(writer, 5, () => writeAny(writer, body));
  for (const one of record.attributes ?? []) writeKeyValue(writer, 6, one);
  writer.tag(8, WireType.Bit32).fixed32(1);
  if (traceId !== undefined) writer.tag(9, WireType.LengthDelimited).bytes(Buffer.from(traceId, 'hex'));
  if (observedTimeUnixNano !== undefined) writer.tag(11, WireType.Bit64).fixed64(observedTimeUnixNano);
  // A field of some later version.
  writer.tag(900, WireType.LengthDelimited).string('later');
}

function writeKeyValue(writer: BinaryWriter, field: number, { key, value }: KeyValue): void {
  message(writer, field, () => {
    writer.tag(1, WireType.LengthDelimited).string(key);
    if (value !== undefined) message(writer, 2, () => writeAny(writer, value));
  });
}

export function writeAny(writer: BinaryWriter, value: Any): void {
  if ('stringValue' in value) writer.tag(1, WireType.LengthDelimited).string(value.stringValue);
  else if ('boolValue' in value) writer.tag(2, WireType.Varint).bool(value.boolValue);
  else if ('intValue' in value) writer.tag(3, WireType.Varint).int64(value.intValue);
  else if ('doubleValue' in value) writer.tag(4, WireType.Bit64).double(value.doubleValue);
  else if ('bytesValue' in value) {
    writer.tag(7, WireType.LengthDelimited).bytes(Buffer.from(value.bytesValue, 'base64'));
  } else if ('arrayValue' in value) {
    const { values } = value.arrayValue;
    message(writer, 5, () => values.forEach((one) => message(writer, 1, () => writeAny(writer, one))));
  } else {
    const { values } = value.kvlistValue;
    message(writer, 6, () => values.forEach((one) => writeKeyValue(writer, 1, one)));
  }
}
