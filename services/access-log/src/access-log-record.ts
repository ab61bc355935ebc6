/*
 * One line of a gateway's access log → one record. Fields are found by variable name, whatever their order.
 * What is not known stays unknown: no duration means no record, no code means null.
 * $http_x_forwarded_for is never used, for callers write what they like into it.
 */
import { isIP } from 'node:net';
import { REQUEST_LOG_BOUNDS, type RequestLogJson } from '@imscope/schemas/request-log.js';
import { compileLogFormat, type Escape, type LogFormat } from './log-format.js';
import { parseMsec, parseRfc3339, parseTimeLocal } from './log-time.js';
import type { LineRecord, ReadRecord } from './line-record.js';
import { rejected, type Rejected, type RejectReason } from './reject-reasons.js';
import * as target from './request-target.js';
import { LogFormatError } from './log-format-error.js';

export type AccessLogOptions = {
  /** Tried in this order; the first that fits a line reads it. */
  readonly formats: readonly { readonly text: string; readonly escape: Escape }[];
  /** Whose requests these are; undefined takes each request's own `sdkappid`. */
  readonly sdkAppId: number | undefined;
  /** The variable that holds the IM code, without the dollar. */
  readonly codeVariable: string | undefined;
  readonly node: string | undefined;
  readonly region: string | undefined;
};

/** What nginx writes without a `log_format` of its own. */
export const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

/** `combined` with durations behind it; plain `combined` last, so that its lines are told what they lack. */
export const DEFAULT_FORMATS: AccessLogOptions['formats'] = [
  `${COMBINED} $request_time $upstream_response_time`,
  `${COMBINED} $request_time`,
  COMBINED,
].map((text) => ({ text, escape: 'default' }));

const VARIABLES = [
  'msec',
  'time_iso8601',
  'time_local',
  'request',
  'request_uri',
  'uri',
  'args',
  'query_string',
  'arg_sdkappid',
  'remote_addr',
  'status',
  'request_time',
  'upstream_response_time',
  'tcpinfo_rtt',
  'request_id',
  'stgw_request_id',
  'hostname',
] as const;
type Variable = (typeof VARIABLES)[number] | 'code';

/** A variable's value; undefined where the format lacks it, nginx had none, or it is empty. */
type ValueOf = (name: Variable) => string | undefined;

/** @throws LogFormatError where a format cannot be read, or lacks what no record can do without */
export function createAccessLogReader(options: AccessLogOptions): {
  readonly readRecord: ReadRecord;
  /** False where no format tells durations: every line will be refused. */
  readonly hasDuration: boolean;
} {
  const wanted = [...VARIABLES, options.codeVariable ?? ''];
  const formats = options.formats.map(({ text, escape }) => compileLogFormat(text, escape, wanted));
  for (const format of formats) checkVariables(format, options.codeVariable);
  const places = new Map<Variable, number>(
    [...VARIABLES, 'code' as const].map((name, place) => [name, place]),
  );
  return {
    hasDuration: formats.some(({ variables }) => variables.includes('request_time')),
    readRecord: (line) => {
      const values = readLine(line, formats);
      if (typeof values === 'string') return rejected(values);
      return toRecord((name) => known(values[places.get(name) ?? -1]), options);
    },
  };
}

function checkVariables({ variables }: LogFormat, codeVariable: string | undefined): void {
  const lacks = (names: readonly string[]): boolean => !names.some((name) => variables.includes(name));
  const needed = [
    { names: ['msec', 'time_iso8601', 'time_local'], what: 'a time' },
    { names: ['request', 'request_uri', 'uri'], what: 'a request' },
    { names: ['remote_addr'], what: "the caller's address" },
    ...(codeVariable === undefined ? [] : [{ names: [codeVariable], what: 'the code variable' }]),
  ];
  for (const { names, what } of needed) {
    if (lacks(names)) {
      throw new LogFormatError(
        `the log format lacks ${what} (${names.map((name) => `$${name}`).join(' or ')}), it has: ${variables.map((name) => `$${name}`).join(' ')}`,
      );
    }
  }
}

function readLine(
  line: string,
  formats: readonly LogFormat[],
): readonly (string | undefined)[] | 'malformed_line' | 'ambiguous_line' {
  for (const format of formats) {
    const values = format.read(line);
    if (values !== 'malformed_line') return values;
  }
  return 'malformed_line';
}

function known(value: string | undefined): string | undefined {
  return value === '' || value === '-' ? undefined : value;
}

function toRecord(valueOf: ValueOf, options: AccessLogOptions): LineRecord | Rejected {
  const request = readRequest(valueOf, options.sdkAppId);
  if (!request.ok) return request;
  const time = readTime(valueOf);
  if (!time.ok) return time;
  const duration = valueOf('request_time');
  if (duration === undefined) return rejected('missing_duration');
  const exitIp = valueOf('remote_addr');
  if (exitIp === undefined) return rejected('missing_address');
  if (isIP(exitIp) === 0 || exitIp.includes('%')) return rejected('invalid_ip');
  const status = readWhole(valueOf('status'), 'invalid_status', 0, 599);
  if (!status.ok) return status;
  const code = readWhole(
    valueOf('code'),
    'invalid_code',
    REQUEST_LOG_BOUNDS.codeMin,
    REQUEST_LOG_BOUNDS.codeMax,
  );
  if (!code.ok) return code;
  const rttUs = valueOf('tcpinfo_rtt');
  const requestId = valueOf('request_id') ?? valueOf('stgw_request_id');
  const node = options.node ?? valueOf('hostname');
  const record: RequestLogJson = {
    time: time.ms,
    sdk_app_id: request.sdkAppId,
    interface: request.name,
    exit_ip: exitIp,
    latency_ms: milliseconds(duration),
    upstream_ms: sumOfAttempts(valueOf('upstream_response_time')),
    rtt_ms: rttUs === undefined ? null : Number(rttUs) / 1000,
    code: code.value,
    // 000 and 0 to 99 are no status: nginx writes them where it answered nothing.
    http_status: status.value === null || status.value < 100 ? 0 : status.value,
    ...(node === undefined ? {} : { node: node.slice(0, REQUEST_LOG_BOUNDS.labelLengthMax) }),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(requestId === undefined
      ? {}
      : { request_id: requestId.slice(0, REQUEST_LOG_BOUNDS.requestIdLengthMax) }),
  };
  return {
    ok: true,
    timeMs: time.ms,
    sdkAppId: request.sdkAppId,
    toJson: (shiftMs) => JSON.stringify(shiftMs === 0 ? record : { ...record, time: time.ms + shiftMs }),
  };
}

function readRequest(
  valueOf: ValueOf,
  sdkAppId: number | undefined,
): { ok: true; name: string; sdkAppId: number } | Rejected {
  const split = readTarget(valueOf);
  if ('ok' in split) return split;
  const name = target.interfaceOfPath(split.path, sdkAppId !== undefined);
  if (!name.ok) return name;
  const application =
    sdkAppId === undefined ? readApplication(valueOf, split.query) : { ok: true as const, sdkAppId };
  return application.ok ? { ok: true, name: name.name, sdkAppId: application.sdkAppId } : application;
}

function readTarget(valueOf: ValueOf): target.RequestTarget | Rejected {
  const line = valueOf('request');
  if (line !== undefined) return target.targetOfRequestLine(line);
  const whole = valueOf('request_uri') ?? valueOf('uri');
  return whole === undefined ? rejected('malformed_request') : target.splitTarget(whole);
}

function readApplication(valueOf: ValueOf, query: string): { ok: true; sdkAppId: number } | Rejected {
  const own = valueOf('arg_sdkappid');
  if (own !== undefined) return target.parseApplication(own);
  return target.applicationOfQuery(query === '' ? (valueOf('args') ?? valueOf('query_string') ?? '') : query);
}

function readTime(valueOf: ValueOf): { ok: true; ms: number } | Rejected {
  const msec = valueOf('msec');
  const iso = valueOf('time_iso8601');
  const local = valueOf('time_local');
  if (msec === undefined && iso === undefined && local === undefined) return rejected('missing_time');
  const ms =
    msec !== undefined
      ? parseMsec(msec)
      : iso !== undefined
        ? parseRfc3339(iso)
        : parseTimeLocal(local ?? '');
  return ms === undefined ? rejected('invalid_time') : { ok: true, ms };
}

function readWhole(
  text: string | undefined,
  reason: RejectReason,
  least: number,
  most: number,
): { ok: true; value: number | null } | Rejected {
  if (text === undefined) return { ok: true, value: null };
  const value = Number(text);
  if (!/^-?\d{1,10}$/.test(text) || value < least || value > most) return rejected(reason);
  return { ok: true, value };
}

/** Seconds as text → milliseconds, to the microsecond. The log format made sure that these are digits. */
function milliseconds(seconds: string): number {
  return Math.round(Number(seconds) * 1_000_000) / 1000;
}

/** All attempts together: it is the time spent behind the gateway. Null where no upstream was asked. */
function sumOfAttempts(list: string | undefined): number | null {
  const attempts = (list ?? '').split(/, ?| : /).filter((attempt) => attempt !== '' && attempt !== '-');
  if (attempts.length === 0) return null;
  const sum = attempts.reduce((total, attempt) => total + milliseconds(attempt), 0);
  return Math.round(sum * 1000) / 1000;
}
