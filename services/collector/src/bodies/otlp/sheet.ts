/*
 * A log record of OTLP becoming the plain object that JSON would have given, attribute by attribute, so that one
 * set of checks judges both. Values are turned into a field's type only where the protocol leaves no other way to
 * write it; everything else is `validateRecord`'s to judge. Bounded by its fifteen places and one stray name.
 */
import { splitTarget } from '@imscope/access-log/request-target.js';
import { decimalOfText } from '@imscope/schemas/decimal-text.js';
import { FIELDS, RawFields, type RawRecord } from '@imscope/schemas/raw-fields.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { isUsable } from '../../intake/usable-value.js';
import { RECORD_RANK, type Target, VAGUE_RANK } from './attributes.js';
import { remembered } from './remembered.js';
import { routePath } from './route-path.js';
import { SEVERITY_WARN } from './severity.js';

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

export class Sheet {
  readonly #values: unknown[] = FIELDS.map(() => undefined);
  readonly #ranks: Uint8Array = new Uint8Array(FIELDS.length);
  readonly #level: number;
  #misnamed: string | undefined;

  /** @param level `record`, whose attributes rank above those of a `resource` */
  constructor(level: 'resource' | 'record') {
    this.#level = level === 'record' ? RECORD_RANK : 0;
  }

  /** Empties it. */
  clear(): void {
    this.#values.fill(undefined);
    this.#ranks.fill(0);
    this.#misnamed = undefined;
  }

  /** Replaces all with what the resource said. */
  copy(resource: Sheet): void {
    for (let place = 0; place < FIELDS.length; place++) {
      this.#values[place] = resource.#values[place];
      this.#ranks[place] = resource.#ranks[place] ?? 0;
    }
    this.#misnamed = resource.#misnamed;
  }

  put({ place, rank, form }: Target, value: unknown): void {
    if (value === undefined || value === null) return;
    if (form === 'text') this.#set(place, rank, value);
    else if (form === 'route' && typeof value === 'string') {
      const { path, isSpecific } = routePath(value);
      this.#set(place, isSpecific ? rank : VAGUE_RANK, path);
    } else this.#set(place, rank, formed(form, value));
  }

  /** Of two values the usable one counts, of two usable ones that of the higher rank, of one rank the later one. */
  #set(place: number, rankInLevel: number, value: unknown): void {
    const rank = rankInLevel + this.#level;
    const rankBefore = this.#ranks[place] ?? 0;
    if (rankBefore !== 0) {
      const before = this.#values[place];
      const counts =
        rank < rankBefore
          ? isUsable(place, value) && !isUsable(place, before)
          : isUsable(place, value) || !isUsable(place, before);
      if (!counts) return;
    }
    this.#ranks[place] = rank;
    this.#values[place] = value;
  }

  /** The record is refused for an attribute under `im.` that there is not. The first one is named. */
  refuse(name: string): void {
    this.#misnamed ??= name;
  }

  record({ time, severity, body, traceId }: LogHead): RawRecord {
    const v = this.#values;
    // From WARN on a body tells why a request failed; below, it tells that there was one.
    const why = severity >= SEVERITY_WARN && typeof body === 'string' ? cut(body) : undefined;
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
    record.cause = usableOr(CAUSE, v[CAUSE], why);
    record.node = v[10];
    record.region = v[11];
    record.platform = v[12];
    record.sdk_version = v[13];
    record.request_id = usableOr(REQUEST_ID, v[REQUEST_ID], traceId);
    // No longer of the class whose names are known, so that the stray one is seen.
    if (this.#misnamed === undefined) return record;
    return Object.fromEntries([...Object.entries(record), [this.#misnamed, true]]) as RawRecord;
  }
}

const CAUSE = FIELDS.indexOf('cause');
const REQUEST_ID = FIELDS.indexOf('request_id');

function usableOr(place: number, value: unknown, otherwise: string | undefined): unknown {
  return otherwise === undefined || isUsable(place, value) ? value : otherwise;
}

function formed(form: Exclude<Target['form'], 'text'>, value: unknown): unknown {
  if (typeof value !== 'string') return form === 'seconds' ? milliseconds(value) : value;
  if (form === 'path' || form === 'route') return pathOf(value);
  if (form === 'message') return cut(value);
  const number = decimalOfText(value) ?? value;
  return form === 'seconds' ? milliseconds(number) : number;
}

function milliseconds(seconds: unknown): unknown {
  return typeof seconds === 'number' ? seconds * 1_000 : seconds;
}

/** A path, with a query or not; a URL; or a path without its first slash. */
function pathOf(text: string): string {
  return text === '' || text.startsWith('/') ? text : pathBehindHost(text);
}

const pathBehindHost = remembered((text) => {
  const target = splitTarget(text);
  return 'path' in target ? target.path : `/${text}`;
});

/** Messages are as long as they are, not as a sender would choose, so they are cut where a `cause` is refused. */
function cut(text: string): string {
  return text.length <= REQUEST_LOG_BOUNDS.causeLengthMax
    ? text
    : text.slice(0, REQUEST_LOG_BOUNDS.causeLengthMax);
}
