/*
 * A record's fields before anything is known of their values, as parsers make them that know the names: those need no
 * look of their own then.
 */
import type { RequestLogJson } from './request-log.js';

/** All but the time, which some forms have elsewhere. */
export const FIELDS = [
  'sdk_app_id',
  'interface',
  'exit_ip',
  'latency_ms',
  'upstream_ms',
  'rtt_ms',
  'code',
  'http_status',
  'exception',
  'cause',
  'node',
  'region',
  'platform',
  'sdk_version',
  'request_id',
] as const satisfies readonly (keyof RequestLogJson)[];

export type Field = (typeof FIELDS)[number];

/** What is absent or null reads as not given. */
export type RawRecord = { readonly [K in keyof RequestLogJson]-?: unknown };

export class RawFields implements RawRecord {
  time: unknown;
  sdk_app_id: unknown;
  interface: unknown;
  exit_ip: unknown;
  latency_ms: unknown;
  upstream_ms: unknown;
  rtt_ms: unknown;
  code: unknown;
  http_status: unknown;
  exception: unknown;
  cause: unknown;
  node: unknown;
  region: unknown;
  platform: unknown;
  sdk_version: unknown;
  request_id: unknown;
}
