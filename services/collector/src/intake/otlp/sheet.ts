/*
 * A log record of OTLP becoming the plain object that JSON would have given, attribute by attribute, so that one
 * set of checks judges both. Values are turned into a field's type only where the protocol leaves no other way to
 * write it; everything else is `validateRecord`'s to judge. Bounded by its fifteen places and one stray name.
 */
import { FIELDS, RawFields, type RawRecord } from '@imscope/schemas/raw-fields.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { RECORD_RANK, type Target } from './attributes.js';

/** What a log record says beside its attributes. */
export type LogHead = {
  /** Epoch milliseconds, or what was sent instead of a time; undefined where there is none. */
  readonly time: unknown;
  readonly severity: number;
  readonly body: unknown;
  /** 32 hex digits, or undefined. */
  readonly traceId: string | undefined;
};

/** A value that no field takes, as `validateRecord` names it. */
export const NO_SCALAR: Readonly<Record<string, never>> = {};

/** From WARN on a body tells why a request failed; below, it tells that there was one. */
const SEVERITY_WARN = 13;

export class Sheet {
  readonly #values: unknown[] = FIELDS.map(() => undefined);
  readonly #ranks: Uint8Array = new Uint8Array(FIELDS.length);
  readonly #level: number;
  #misnamed: string | undefined;

  /** @param level `record`, whose attributes stand above those of a `resource` */
  constructor(level: 'resource' | 'record') {
    this.#level = level === 'record' ? RECORD_RANK : 0;
  }

  /** Begins anew, with nothing. */
  clear(): void {
    this.#values.fill(undefined);
    this.#ranks.fill(0);
    this.#misnamed = undefined;
  }

  /** Begins anew, with what the resource said. */
  copy(resource: Sheet): void {
    for (let place = 0; place < FIELDS.length; place++) {
      this.#values[place] = resource.#values[place];
      this.#ranks[place] = resource.#ranks[place] ?? 0;
    }
    this.#misnamed = resource.#misnamed;
  }

  put({ place, rank, form }: Target, value: unknown): void {
    if (value === undefined || value === null || rank + this.#level < (this.#ranks[place] ?? 0)) return;
    this.#ranks[place] = rank + this.#level;
    this.#values[place] = form === 'text' ? value : formed(form, value);
  }

  /** The record is refused for an attribute under `im.` that there is not. The first one is named. */
  refuse(name: string): void {
    this.#misnamed ??= name;
  }

  record({ time, severity, body, traceId }: LogHead): RawRecord {
    const v = this.#values;
    const cause = v[CAUSE] ?? (severity >= SEVERITY_WARN && typeof body === 'string' ? cut(body) : undefined);
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
    record.cause = cause;
    record.node = v[10];
    record.region = v[11];
    record.platform = v[12];
    record.sdk_version = v[13];
    record.request_id = v[14] ?? traceId;
    // No longer of the class whose names are known, so that the stray one is seen.
    if (this.#misnamed === undefined) return record;
    return Object.fromEntries([...Object.entries(record), [this.#misnamed, true]]) as RawRecord;
  }
}

const CAUSE = FIELDS.indexOf('cause');

function formed(form: Exclude<Target['form'], 'text'>, value: unknown): unknown {
  if (typeof value !== 'string') return form === 'seconds' ? milliseconds(value) : value;
  if (form === 'route') return value.replaceAll(ROUTE_PARAMETER, '{id}');
  if (form === 'message') return cut(value);
  return form === 'seconds' ? milliseconds(numberOf(value)) : numberOf(value);
}

function milliseconds(seconds: unknown): unknown {
  return typeof seconds === 'number' ? seconds * 1_000 : seconds;
}

/** Attributes that come from `OTEL_RESOURCE_ATTRIBUTES` are text, whatever they say. */
const DECIMAL = /^-?\d{1,16}(?:\.\d{1,16})?$/;

function numberOf(text: string): unknown {
  return DECIMAL.test(text) ? Number(text) : text;
}

/** What frameworks call a segment of a route that is a parameter: `{group_id}`, `:id`, `<int:id>`, `*`. */
const ROUTE_PARAMETER = /(?<=^|\/)(?:\{[^/{}]*\}|:[^/]+|<[^/<>]*>|\*+)(?=\/|$)/g;

/** Messages are as long as they are, not as a sender would choose, so they are cut where a `cause` is refused. */
function cut(text: string): string {
  return text.length <= REQUEST_LOG_BOUNDS.causeLengthMax
    ? text
    : text.slice(0, REQUEST_LOG_BOUNDS.causeLengthMax);
}
