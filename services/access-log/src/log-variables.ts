/*
 * What the values of nginx's variables look like. Knowing it, a line can be taken apart even where a value
 * holds the separator (a list of upstream times, an IPv6 address before a port), and a value that a caller
 * made up to look like the rest of a line does not fit.
 */

import {
  charactersEnd,
  decimalEnd,
  decimalsEnd,
  type Scan,
  seldomChanging,
  wholeEnd,
} from './value-scanners.js';

/**
 * `exact`: the value ends where the pattern does. `within`: the value is made of these characters only and may
 * end at any separator among them. Patterns are sticky and never backtrack more than linearly.
 * `scan` finds the same end faster.
 */
export type Shape = { readonly kind: 'exact' | 'within'; readonly pattern: RegExp; readonly scan: Scan };

/** A variable and the literal text up to the next one, or to the end of the line. */
export type Segment = { readonly name: string; readonly shape: Shape | undefined; readonly after: string };

// A variable without a value is `-` (escape=default) or nothing (escape=json).
const WHOLE: Shape = { kind: 'exact', pattern: /-|\d*/y, scan: wholeEnd };
const DECIMAL: Shape = { kind: 'exact', pattern: /-|(?:\d+(?:\.\d+)?)?/y, scan: decimalEnd };
/** One value an attempt: `, ` between upstreams, ` : ` between groups after an internal redirect. */
const DECIMALS: Shape = {
  kind: 'exact',
  pattern: /(?:(?:-|\d+(?:\.\d+)?)(?:(?:, ?| : )(?:-|\d+(?:\.\d+)?))*)?/y,
  scan: decimalsEnd,
};
const TIME_LOCAL = time(/\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}/y);
const TIME_ISO = time(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/y);
/** Told from whatever else may stand at the end of a line: forms of a log are told apart by it. */
const PROTOCOL = time(/(?:-|HTTP\/\d\.\d)?/y);
const ADDRESS = within(/[0-9A-Za-z.:-]*/y, /[0-9A-Za-z.:-]/);
const WORD = within(/[^\s"]*/y, /[^\s"]/);

function time(pattern: RegExp): Shape {
  return { kind: 'exact', pattern, scan: seldomChanging(pattern) };
}

function within(pattern: RegExp, character: RegExp): Shape {
  return { kind: 'within', pattern, scan: charactersEnd(character) };
}

const SHAPES: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ...[
    'status',
    'body_bytes_sent',
    'bytes_sent',
    'request_length',
    'content_length',
    'connection',
    'connection_requests',
    'pid',
    'remote_port',
    'server_port',
    'proxy_port',
    'tcpinfo_rtt',
    'tcpinfo_rttvar',
    'tcpinfo_snd_cwnd',
    'tcpinfo_rcv_space',
  ].map((name) => [name, WHOLE] as const),
  ...['msec', 'request_time', 'connection_time', 'gzip_ratio', 'ssl_handshake_time'].map(
    (name) => [name, DECIMAL] as const,
  ),
  ...[
    'upstream_response_time',
    'upstream_connect_time',
    'upstream_header_time',
    'upstream_status',
    'upstream_response_length',
    'upstream_bytes_received',
    'upstream_bytes_sent',
  ].map((name) => [name, DECIMALS] as const),
  ['time_local', TIME_LOCAL],
  ['time_iso8601', TIME_ISO],
  ['server_protocol', PROTOCOL],
  ...['remote_addr', 'server_addr', 'realip_remote_addr'].map((name) => [name, ADDRESS] as const),
  ...['request_method', 'scheme', 'request_id', 'hostname', 'pipe'].map((name) => [name, WORD] as const),
]);

/** The shape of a variable's value; undefined where it may be any text. */
export function shapeOf(variable: string): Shape | undefined {
  return SHAPES.get(variable);
}
