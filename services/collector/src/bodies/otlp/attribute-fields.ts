/*
 * Collects the attributes of an OTLP log record, or of a resource, as fields of a record in the form that JSON has them, so
 * that one set of checks validates both. A value is converted only where OTLP has no other way to express the field's type;
 * `validateRecord` decides about everything else. Memory is bounded: one value a field, and one unknown name.
 */
import { splitTarget } from '@imscope/access-log/request-target.js';
import { decimalOfText } from '@imscope/schemas/decimal-text.js';
import { FIELDS, RawFields, type RawRecord } from '@imscope/schemas/raw-fields.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { isValidFieldValue } from '../../intake/valid-field-value.js';
import { type AttributeTarget, RECORD_RANK, VAGUE_RANK } from './attributes.js';
import { memoizeText } from './memoize-text.js';
import { routePath } from './route-path.js';
import { SEVERITY_WARN } from './severity.js';

/** What a log record holds beside its attributes. */
export type LogRecordHead = {
  /** Epoch milliseconds, or the malformed value that was sent; undefined if there is none. */
  readonly time: unknown;
  readonly severity: number;
  readonly body: unknown;
  /** 32 hex digits, or undefined. */
  readonly traceId: string | undefined;
};

/** Replaces arrays, maps and bytes, which are valid for no field. `validateRecord` reports it as an object. */
export const NOT_A_SCALAR: Readonly<Record<string, never>> = {};

export class AttributeFields {
  readonly #values: unknown[] = FIELDS.map(() => undefined);
  readonly #ranks: Uint8Array = new Uint8Array(FIELDS.length);
  readonly #level: number;
  #unknownName: string | undefined;

  /** @param level attributes of a `record` rank above those of its `resource` */
  constructor(level: 'resource' | 'record') {
    this.#level = level === 'record' ? RECORD_RANK : 0;
  }

  clear(): void {
    this.#values.fill(undefined);
    this.#ranks.fill(0);
    this.#unknownName = undefined;
  }

  /** Replaces all fields by those of the resource. */
  copy(resource: AttributeFields): void {
    for (let index = 0; index < FIELDS.length; index++) {
      this.#values[index] = resource.#values[index];
      this.#ranks[index] = resource.#ranks[index] ?? 0;
    }
    this.#unknownName = resource.#unknownName;
  }

  set({ fieldIndex, rank, form }: AttributeTarget, value: unknown): void {
    if (value === undefined || value === null) return;
    if (form === 'text') this.#set(fieldIndex, rank, value);
    else if (form === 'route' && typeof value === 'string') {
      const { path, isSpecific } = routePath(value);
      this.#set(fieldIndex, isSpecific ? rank : VAGUE_RANK, path);
    } else this.#set(fieldIndex, rank, converted(form, value));
  }

  /** A valid value precedes an invalid one; of two valid values the higher rank precedes; of one rank the later value. */
  #set(fieldIndex: number, rankInLevel: number, value: unknown): void {
    const rank = rankInLevel + this.#level;
    const rankBefore = this.#ranks[fieldIndex] ?? 0;
    if (rankBefore !== 0) {
      const before = this.#values[fieldIndex];
      const precedes =
        rank < rankBefore
          ? isValidFieldValue(fieldIndex, value) && !isValidFieldValue(fieldIndex, before)
          : isValidFieldValue(fieldIndex, value) || !isValidFieldValue(fieldIndex, before);
      if (!precedes) return;
    }
    this.#ranks[fieldIndex] = rank;
    this.#values[fieldIndex] = value;
  }

  /** Adds an unknown name under `im.`, for which the record will be refused. The first name is reported. */
  addUnknownName(name: string): void {
    this.#unknownName ??= name;
  }

  toRecord({ time, severity, body, traceId }: LogRecordHead): RawRecord {
    const v = this.#values;
    // Below WARN a body says that there was a request, not why it failed.
    const bodyCause = severity >= SEVERITY_WARN && typeof body === 'string' ? truncated(body) : undefined;
    const record = new RawFields();
    record.time = time;
    record.sdk_app_id = v[0];
    record.interface = v[1];
    record.exit_ip = v[2];
    record.latency_ms = v[3];
    record.upstream_ms = v[4];
    record.rtt_ms = v[5];
    record.code = v[6];
    record.http_status = v[7];
    record.exception = v[8];
    record.cause = validOr(CAUSE, v[CAUSE], bodyCause);
    record.node = v[10];
    record.region = v[11];
    record.platform = v[12];
    record.sdk_version = v[13];
    record.request_id = validOr(REQUEST_ID, v[REQUEST_ID], traceId);
    // A plain object instead of RawFields: `validateRecord` checks its names and finds the unknown one.
    if (this.#unknownName === undefined) return record;
    return Object.fromEntries([...Object.entries(record), [this.#unknownName, true]]) as RawRecord;
  }
}

const CAUSE = FIELDS.indexOf('cause');
const REQUEST_ID = FIELDS.indexOf('request_id');

function validOr(fieldIndex: number, value: unknown, otherwise: string | undefined): unknown {
  return otherwise === undefined || isValidFieldValue(fieldIndex, value) ? value : otherwise;
}

function converted(form: Exclude<AttributeTarget['form'], 'text'>, value: unknown): unknown {
  if (typeof value !== 'string') return form === 'seconds' ? milliseconds(value) : value;
  if (form === 'path' || form === 'route') return pathOf(value);
  if (form === 'message') return truncated(value);
  const number = decimalOfText(value) ?? value;
  return form === 'seconds' ? milliseconds(number) : number;
}

function milliseconds(seconds: unknown): unknown {
  return typeof seconds === 'number' ? seconds * 1_000 : seconds;
}

/** @param text a path with or without a query, a URL, or a path without its first slash */
function pathOf(text: string): string {
  return text === '' || text.startsWith('/') ? text : pathAfterHost(text);
}

const pathAfterHost = memoizeText((text) => {
  const target = splitTarget(text);
  return 'path' in target ? target.path : `/${text}`;
});

/** The length of an exception's message is not the sender's choice, so it is truncated; a long `im.cause` is refused. */
function truncated(text: string): string {
  return text.length <= REQUEST_LOG_BOUNDS.causeLengthMax
    ? text
    : text.slice(0, REQUEST_LOG_BOUNDS.causeLengthMax);
}
