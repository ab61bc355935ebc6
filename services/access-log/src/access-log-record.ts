/*
 * Reads one line of a gateway's access log into a record. Fields are found by variable name, in any order. A line without
 * a duration makes no record; a line without a code makes a record with code null. $http_x_forwarded_for is never used,
 * because callers choose its value.
 */
import { isIP } from 'node:net';
import { addressBeforePort } from '@imscope/schemas/ip-address.js';
import type { AccessLogOptions } from './access-log-options.js';
import { FieldReader } from './field-reader.js';
import { VARIABLES } from './line-values.js';
import { compileLogFormat, type LogFormat } from './log-format.js';
import { type LineRecord, LoggedRecord, type ReadRecord } from './line-record.js';
import { rejected, type Rejected } from './reject-reasons.js';
import { LogFormatError } from './log-format-error.js';

/** What nginx writes without a `log_format`. */
export const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

/** Fields of a load balancer's (CLB) layer-7 access log, in brackets, as it writes them now. */
const CLB_FIELDS =
  'stgw_request_id time_local protocol_type server_addr:$server_port server_name remote_addr:$remote_port status upstream_addr upstream_status proxy_host request request_length bytes_sent http_host http_user_agent http_referer request_time upstream_response_time upstream_connect_time upstream_header_time tcpinfo_rtt connection connection_requests ssl_handshake_time ssl_cipher ssl_protocol vip_vpcid uri server_protocol'.split(
    ' ',
  );

/**
 * The formats it has had, the newest first. A line of an older one never fits a newer one, whatever callers put into it:
 * the values after those that callers choose (a protocol, the number of the request on its connection) are the server's.
 */
export const CLB_FORMATS: AccessLogOptions['formats'] = [
  CLB_FIELDS,
  CLB_FIELDS.slice(0, -2),
  [...CLB_FIELDS.slice(0, -3).filter((field) => field !== 'upstream_addr'), 'ssl_session_reused'],
].map((fields) => ({ text: fields.map((field) => `[$${field}]`).join(' '), escape: 'none' }));

/** `combined` followed by durations; plain `combined` last, so that its lines are refused for the missing duration. */
export const DEFAULT_FORMATS: AccessLogOptions['formats'] = [
  `${COMBINED} $request_time $upstream_response_time`,
  `${COMBINED} $request_time`,
  COMBINED,
].map((text) => ({ text, escape: 'default' }));

export type AccessLogReader = {
  /** For the command line: the record as JSON. */
  readonly readRecord: ReadRecord;
  /** The record itself. Its address is not looked at. @param line without its end */
  readonly readFields: (line: string) => LoggedRecord | Rejected;
  /** False where no format tells durations: every line will be refused. */
  readonly hasDuration: boolean;
  /** Variables whose values stay unknown, because their ends cannot be distinguished: one sentence each. */
  readonly unknown: readonly string[];
};

/** @throws LogFormatError where a format cannot be read, or lacks what no record can do without */
export function createAccessLogReader(options: AccessLogOptions): AccessLogReader {
  const wanted = [...VARIABLES, options.codeVariable ?? ''];
  const formats = options.formats.map(({ text, escape }) => compileLogFormat(text, escape, wanted));
  for (const format of formats) checkVariables(format, options.codeVariable);
  const fields = new FieldReader(options);
  const readFields = (line: string): LoggedRecord | Rejected => {
    const values = readLine(line, formats);
    return typeof values === 'string' ? rejected(values) : fields.read(values);
  };
  return {
    hasDuration: formats.some(
      ({ variables, inseparable }) => variables.includes('request_time') && !inseparable.has('request_time'),
    ),
    unknown: formats.flatMap(({ inseparable }) =>
      Array.from(
        inseparable,
        ([name, [first, second]]) =>
          `$${name} is not used: nothing stands between $${first} and $${second} in the log format, so the end of the first is unknown; put a blank or a quote between the two`,
      ),
    ),
    readFields,
    readRecord: (line) => toLineRecord(readFields(line)),
  };
}

function toLineRecord(record: LoggedRecord | Rejected): LineRecord | Rejected {
  if ('ok' in record) return record;
  const { time, sdk_app_id: sdkAppId, exit_ip: exitIp } = record;
  if (isIP(addressBeforePort(exitIp) ?? exitIp) === 0 || exitIp.includes('%')) return rejected('invalid_ip');
  return {
    ok: true,
    timeMs: time,
    sdkAppId,
    toJson: (shiftMs) =>
      JSON.stringify(
        shiftMs === 0 ? record : Object.assign(new LoggedRecord(), record, { time: time + shiftMs }),
      ),
  };
}

function checkVariables({ variables, inseparable }: LogFormat, codeVariable: string | undefined): void {
  const needed = [
    { names: ['msec', 'time_iso8601', 'time_local'], what: 'a time' },
    { names: ['request', 'request_uri', 'uri_with_args', 'uri'], what: 'a request' },
    { names: ['remote_addr', 'proxy_protocol_addr'], what: "the caller's address" },
    ...(codeVariable === undefined ? [] : [{ names: [codeVariable], what: 'the code variable' }]),
  ];
  for (const { names, what } of needed) {
    const present = names.filter((name) => variables.includes(name));
    if (present.some((name) => !inseparable.has(name))) continue;
    const [pair] = present.flatMap((name) => {
      const found = inseparable.get(name);
      return found === undefined ? [] : [found];
    });
    throw new LogFormatError(
      pair === undefined ? lacking(names, what, variables) : runningTogether(pair, what),
    );
  }
}

function lacking(names: readonly string[], what: string, variables: readonly string[]): string {
  const shown = names.filter((name) => name !== 'uri_with_args').map((name) => `$${name}`);
  return `the log format lacks ${what} (${shown.join(' or ')}), it has: ${variables.map((name) => `$${name}`).join(' ')}`;
}

function runningTogether([first, second]: readonly [string, string], what: string): string {
  return `nothing stands between $${first} and $${second} in the log format, so the end of the first is unknown, and nothing else in it gives ${what}: put a blank or a quote between the two`;
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
