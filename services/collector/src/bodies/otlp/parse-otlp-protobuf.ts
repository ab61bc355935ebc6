/*
 * Reads an OTLP `ExportLogsServiceRequest` in protobuf into records in the form that JSON has. Fields are read in the order
 * of the bytes, without building messages; unused fields are skipped by their length. A body with other fields instead of
 * records, or with records of another signal, is refused entirely. Every length is checked
 * against the enclosing message, nesting has a fixed maximum depth, and no record is passed on before the last byte was
 * read. Field numbers are those of opentelemetry-proto.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { internedText } from '../../intake/interned-text.js';
import { targetOf } from './attributes.js';
import type { OtlpRecords } from './otlp-records.js';
import { severityOf } from './severity.js';
import { AttributeFields, NOT_A_SCALAR } from './attribute-fields.js';

/** Wire types, the lowest three bits of a tag. */
const VARINT = WireType.Varint;
const FIXED64 = WireType.Bit64;
const BYTES = WireType.LengthDelimited;

const WIRE_TYPES = [VARINT, FIXED64, BYTES, WireType.StartGroup, WireType.EndGroup, WireType.Bit32] as const;

/** ExportLogsServiceRequest */
const RESOURCE_LOGS = (1 << 3) | BYTES;
/** ResourceLogs */
const RESOURCE = (1 << 3) | BYTES;
const SCOPE_LOGS = (2 << 3) | BYTES;
const RESOURCE_SCHEMA_URL = (3 << 3) | BYTES;
/** The name of scopes before version 0.15 of the protocol. */
const INSTRUMENTATION_LIBRARY_LOGS = (1000 << 3) | BYTES;
/** Resource */
const RESOURCE_ATTRIBUTES = (1 << 3) | BYTES;
/** ScopeLogs */
const SCOPE = (1 << 3) | BYTES;
const SCOPE_SCHEMA_URL = (3 << 3) | BYTES;
const LOG_RECORDS = (2 << 3) | BYTES;
/** LogRecord */
const TIME_UNIX_NANO = (1 << 3) | FIXED64;
/** Field 1 of a span is its trace id, of a metric its name; a log record has no such field. */
const ANOTHER_SIGNAL = (1 << 3) | BYTES;
const SEVERITY_NUMBER = (2 << 3) | VARINT;
const SEVERITY_TEXT = (3 << 3) | BYTES;
const BODY = (5 << 3) | BYTES;
const ATTRIBUTES = (6 << 3) | BYTES;
const TRACE_ID = (9 << 3) | BYTES;
const OBSERVED_TIME_UNIX_NANO = (11 << 3) | FIXED64;
/** KeyValue */
const KEY = (1 << 3) | BYTES;
const VALUE = (2 << 3) | BYTES;
/** AnyValue */
const STRING_VALUE = (1 << 3) | BYTES;
const BOOL_VALUE = (2 << 3) | VARINT;
const INT_VALUE = (3 << 3) | VARINT;
const DOUBLE_VALUE = (4 << 3) | FIXED64;
const ARRAY_VALUE = (5 << 3) | BYTES;
const KVLIST_VALUE = (6 << 3) | BYTES;
const BYTES_VALUE = (7 << 3) | BYTES;

const TRACE_ID_BYTES = 16;
const NO_TRACE_ID = '0'.repeat(2 * TRACE_ID_BYTES);

/** Adds the records of a body to `records`. @throws Error if the bytes are not such a message */
export function readOtlpProtobuf(bytes: Buffer, records: OtlpRecords): void {
  new RequestReader(bytes, records).read();
}

/** @param unknownTag the tag of a field that was skipped */
function noRecords(what: string, field: string, unknownTag: number): Error {
  return new Error(
    `${what} has no ${field}, it has a field ${unknownTag >>> 3}: is it a message of another kind?`,
  );
}

class RequestReader {
  readonly #bytes: Buffer;
  readonly #reader: BinaryReader;
  readonly #records: OtlpRecords;
  readonly #resource = new AttributeFields('resource');
  readonly #record = new AttributeFields('record');

  constructor(bytes: Buffer, records: OtlpRecords) {
    this.#bytes = bytes;
    this.#reader = new BinaryReader(bytes);
    this.#records = records;
  }

  read(): void {
    const reader = this.#reader;
    const end = reader.len;
    let unknownTag = 0;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === RESOURCE_LOGS) this.#resourceLogs(this.#messageEnd(end));
      else {
        unknownTag = tag;
        this.#skip(tag, end);
      }
    }
    if (unknownTag !== 0 && this.#records.values.length === 0)
      throw noRecords('the body', 'resource_logs', unknownTag);
  }

  /** Reads the message twice: the resource may follow its records. */
  #resourceLogs(end: number): void {
    const reader = this.#reader;
    const start = reader.pos;
    let unknownTag = 0;
    let scopes = 0;
    this.#resource.clear();
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === RESOURCE) this.#resourceMessage(this.#messageEnd(end));
      else {
        if (tag === SCOPE_LOGS || (tag === INSTRUMENTATION_LIBRARY_LOGS && scopes === 0)) scopes = tag;
        else if (tag !== RESOURCE_SCHEMA_URL) unknownTag = tag;
        this.#skip(tag, end);
      }
    }
    if (scopes === 0 && unknownTag !== 0)
      throw noRecords('a message of resource_logs', 'scope_logs', unknownTag);
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === scopes) this.#scopeLogs(this.#messageEnd(end));
      else this.#skip(tag, end);
    }
  }

  #resourceMessage(end: number): void {
    const reader = this.#reader;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === RESOURCE_ATTRIBUTES) this.#attribute(this.#messageEnd(end), this.#resource);
      else this.#skip(tag, end);
    }
  }

  #scopeLogs(end: number): void {
    const reader = this.#reader;
    let unknownTag = 0;
    let records = 0;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === LOG_RECORDS) {
        records += 1;
        this.#logRecord(this.#messageEnd(end));
      } else {
        if (tag !== SCOPE && tag !== SCOPE_SCHEMA_URL) unknownTag = tag;
        this.#skip(tag, end);
      }
    }
    if (records === 0 && unknownTag !== 0)
      throw noRecords('a message of scope_logs', 'log_records', unknownTag);
  }

  #logRecord(end: number): void {
    const reader = this.#reader;
    let time: number | undefined;
    let observed: number | undefined;
    let severity = 0;
    let textStart = 0;
    let textEnd = 0;
    let body: unknown;
    let traceId: string | undefined;
    this.#record.copy(this.#resource);
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === ATTRIBUTES) this.#attribute(this.#messageEnd(end), this.#record);
      else if (tag === TIME_UNIX_NANO) time = this.#time();
      else if (tag === OBSERVED_TIME_UNIX_NANO) observed = this.#time();
      else if (tag === SEVERITY_NUMBER) severity = reader.int32();
      else if (tag === SEVERITY_TEXT) {
        textEnd = this.#messageEnd(end);
        textStart = reader.pos;
        reader.pos = textEnd;
      } else if (tag === BODY) body = this.#value(this.#messageEnd(end));
      else if (tag === TRACE_ID) traceId = this.#traceId(this.#messageEnd(end));
      else if (tag === ANOTHER_SIGNAL) throw new Error('it has spans or metrics instead of log records');
      else this.#skip(tag, end);
    }
    this.#checkEnd(end);
    // The text is used if there is no number, and only a body needs it.
    if (severity === 0 && body !== undefined)
      severity = severityOf(0, internedText(this.#bytes, textStart, textEnd));
    this.#records.add(this.#record.toRecord({ time: time ?? observed, severity, body, traceId }));
  }

  #attribute(end: number, fields: AttributeFields): void {
    const reader = this.#reader;
    let name = '';
    let valueStart = end;
    let valueEnd = end;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === KEY) {
        const keyEnd = this.#messageEnd(end);
        name = this.#text(keyEnd);
      } else if (tag === VALUE) {
        valueEnd = this.#messageEnd(end);
        valueStart = reader.pos;
        reader.pos = valueEnd;
      } else this.#skip(tag, end);
    }
    this.#checkEnd(end);
    const target = targetOf(name);
    if (typeof target === 'string') return this.#records.addUnmapped(target, name, fields);
    reader.pos = valueStart;
    fields.set(target, this.#value(valueEnd));
    reader.pos = end;
  }

  /** An AnyValue. The last of several values is used. Lists and maps are skipped. */
  #value(end: number): unknown {
    const reader = this.#reader;
    let value: unknown;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === STRING_VALUE) value = this.#text(this.#messageEnd(end));
      else if (tag === INT_VALUE) value = Number(reader.int64());
      else if (tag === DOUBLE_VALUE) value = reader.double();
      else if (tag === BOOL_VALUE) value = reader.bool();
      else {
        if (tag === ARRAY_VALUE || tag === KVLIST_VALUE || tag === BYTES_VALUE) value = NOT_A_SCALAR;
        this.#skip(tag, end);
      }
    }
    this.#checkEnd(end);
    return value;
  }

  /** Nanoseconds → milliseconds, exact: 2^32 ns are 4,294.967296 ms. 0 means unknown. */
  #time(): number | undefined {
    const low = this.#reader.fixed32();
    const high = this.#reader.fixed32();
    if (low === 0 && high === 0) return undefined;
    return high * 4_294 + Math.floor((high * 967_296 + low) / 1_000_000);
  }

  #traceId(end: number): string | undefined {
    const start = this.#reader.pos;
    this.#reader.pos = end;
    if (end - start !== TRACE_ID_BYTES) return undefined;
    const hex = this.#bytes.toString('hex', start, end);
    return hex === NO_TRACE_ID ? undefined : hex;
  }

  #text(end: number): string {
    const start = this.#reader.pos;
    this.#reader.pos = end;
    return internedText(this.#bytes, start, end);
  }

  /** Reads the length of a message and returns the position of its end. */
  #messageEnd(parentEnd: number): number {
    const length = this.#reader.uint32();
    const end = this.#reader.pos + length;
    if (end > parentEnd) {
      throw new Error(`a length of ${length} at byte ${this.#reader.pos} reaches beyond its message`);
    }
    return end;
  }

  #skip(tag: number, end: number): void {
    const reader = this.#reader;
    const wireType = WIRE_TYPES[tag & 7];
    if (tag >>> 3 === 0 || wireType === undefined) throw new Error(`no field begins at byte ${reader.pos}`);
    if (wireType === BYTES) reader.pos = this.#messageEnd(end);
    else reader.skip(wireType, tag >>> 3);
    this.#checkEnd(end, false);
  }

  /** Checks that no number reached beyond the message that contains it. @param atEnd the message must end here */
  #checkEnd(end: number, atEnd = true): void {
    const { pos } = this.#reader;
    if (pos > end || (atEnd && pos !== end)) throw new Error(`a message ends within a field, at byte ${end}`);
  }
}
