/*
 * The values of one line → the fields of a record. What seldom changes between lines (the second, the path) is
 * remembered instead of parsed again. Of a request nothing but interface and application is kept.
 */
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import type { AccessLogOptions } from './access-log-options.js';
import { LoggedRecord } from './line-record.js';
import { CODE_INDEX, knownValue, VALUE_INDEX, type Values } from './line-values.js';
import { parseMsec, parseRfc3339, parseTimeLocal, threeDecimals } from './log-time.js';
import { rejected, type Rejected, type RejectReason } from './reject-reasons.js';
import { RequestReader } from './request-reader.js';

export class FieldReader {
  readonly #options: Pick<AccessLogOptions, 'sdkAppId' | 'node' | 'region'>;
  readonly #requests: RequestReader;
  readonly #isoTime = rememberLast(parseRfc3339);
  readonly #localTime = rememberLast(parseTimeLocal);

  constructor(options: Pick<AccessLogOptions, 'sdkAppId' | 'node' | 'region'>) {
    this.#options = options;
    this.#requests = new RequestReader(options.sdkAppId);
  }

  read(values: Values): LoggedRecord | Rejected {
    if (switchesProtocol(values)) return rejected('protocol_switch');
    const request = this.#requests.read(values);
    if ('ok' in request) return request;
    const time = this.#readTime(values);
    if (typeof time !== 'number') return time;
    const duration = knownValue(values, VALUE_INDEX.request_time);
    if (duration === undefined) return rejected('missing_duration');
    const latencyMs = milliseconds(duration);
    const upstreamMs = sumOfAttempts(knownValue(values, VALUE_INDEX.upstream_response_time));
    if (latencyMs === undefined || upstreamMs === undefined) return rejected('invalid_duration');
    const exitIp = addressOf(values);
    if (exitIp === undefined) return rejected('missing_address');
    const status = readWhole(knownValue(values, VALUE_INDEX.status), 0, 599, 'invalid_status');
    if (typeof status === 'object' && status !== null) return status;
    const { codeMin, codeMax } = REQUEST_LOG_BOUNDS;
    const code = readWhole(knownValue(values, CODE_INDEX), codeMin, codeMax, 'invalid_code');
    if (typeof code === 'object' && code !== null) return code;
    const rttUs = knownValue(values, VALUE_INDEX.tcpinfo_rtt);
    const requestId =
      knownValue(values, VALUE_INDEX.request_id) ?? knownValue(values, VALUE_INDEX.stgw_request_id);
    const record = new LoggedRecord();
    record.time = time;
    record.sdk_app_id = request.sdkAppId;
    record.interface = request.name;
    record.exit_ip = exitIp;
    record.latency_ms = latencyMs;
    record.upstream_ms = upstreamMs;
    record.rtt_ms = rttUs === undefined ? null : Number(rttUs) / 1000;
    record.code = code;
    // 000 and 0 to 99 are no status: nginx writes them where it answered nothing.
    record.http_status = status === null || status < 100 ? 0 : status;
    const node = this.#options.node ?? knownValue(values, VALUE_INDEX.hostname);
    record.node = cut(node, REQUEST_LOG_BOUNDS.labelLengthMax);
    record.region = this.#options.region;
    record.request_id = cut(requestId, REQUEST_LOG_BOUNDS.requestIdLengthMax);
    return record;
  }

  /** The most exact of the times that can be read. */
  #readTime(values: Values): number | Rejected {
    const msec = knownValue(values, VALUE_INDEX.msec);
    const ofMsec = msec === undefined ? undefined : parseMsec(msec);
    if (ofMsec !== undefined) return ofMsec;
    const iso = knownValue(values, VALUE_INDEX.time_iso8601);
    const ofIso = iso === undefined ? undefined : this.#isoTime(iso);
    if (ofIso !== undefined) return ofIso;
    const local = knownValue(values, VALUE_INDEX.time_local);
    const ofLocal = local === undefined ? undefined : this.#localTime(local);
    if (ofLocal !== undefined) return ofLocal;
    const none = msec === undefined && iso === undefined && local === undefined;
    return rejected(none ? 'missing_time' : 'invalid_time');
  }
}

const SWITCHING_PROTOCOLS = '101';
const CONNECT = 'CONNECT ';

/**
 * A WebSocket, or a tunnel: `$request_time` is how long it was open. Where `$status` is not logged, the last
 * upstream's status decides.
 */
function switchesProtocol(values: Values): boolean {
  const status = knownValue(values, VALUE_INDEX.status);
  if (status === SWITCHING_PROTOCOLS) return true;
  if (
    status === undefined &&
    knownValue(values, VALUE_INDEX.upstream_status)?.endsWith(SWITCHING_PROTOCOLS) === true
  )
    return true;
  if (values[VALUE_INDEX.request]?.startsWith(CONNECT) === true) return true;
  return values[VALUE_INDEX.request_method] === 'CONNECT';
}

/** A connection through a Unix socket has no caller's address: the balancer sends it by PROXY protocol. */
function addressOf(values: Values): string | undefined {
  const remote = knownValue(values, VALUE_INDEX.remote_addr);
  if (remote !== undefined && !remote.startsWith('unix:')) return remote;
  return knownValue(values, VALUE_INDEX.proxy_protocol_addr) ?? remote;
}

function rememberLast(parse: (text: string) => number | undefined): typeof parse {
  let text = '';
  let value: number | undefined;
  return (given) => {
    if (given === text && value !== undefined) return value;
    value = parse(given);
    text = given;
    return value;
  };
}

function cut(text: string | undefined, lengthMax: number): string | undefined {
  return text === undefined || text.length <= lengthMax ? text : text.slice(0, lengthMax);
}

/** Null where there is none. */
function readWhole(
  text: string | undefined,
  least: number,
  most: number,
  reason: RejectReason,
): number | null | Rejected {
  if (text === undefined) return null;
  const value = smallWhole(text) ?? (/^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN);
  return value >= least && value <= most ? value : rejected(reason);
}

/** One to six digits, as statuses and codes are. */
function smallWhole(text: string): number | undefined {
  if (text.length > 6) return undefined;
  let value = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** Seconds with a fraction, as nginx writes them. */
const SECONDS = /^\d{1,12}\.\d{1,12}$/;

/** Seconds as text → milliseconds, to the microsecond; undefined where the text is no duration of nginx. */
function milliseconds(seconds: string): number | undefined {
  const ordinary = threeDecimals(seconds);
  if (ordinary !== undefined) return ordinary;
  return SECONDS.test(seconds) ? Math.round(Number(seconds) * 1_000_000) / 1000 : undefined;
}

/**
 * The sum of all attempts: the time spent in upstreams. Null where no upstream was asked, undefined where an
 * attempt's time is no duration of nginx.
 */
function sumOfAttempts(list: string | undefined): number | null | undefined {
  if (list === undefined) return null;
  const only = threeDecimals(list);
  if (only !== undefined) return only;
  let sum: number | null = null;
  for (const attempt of list.split(/, ?| : /)) {
    if (attempt === '' || attempt === '-') continue;
    const ms = milliseconds(attempt);
    if (ms === undefined) return undefined;
    sum = (sum ?? 0) + ms;
  }
  return sum === null ? null : Math.round(sum * 1000) / 1000;
}
