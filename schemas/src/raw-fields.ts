/*
 * A record's fields before their values are checked. Parsers that know the field names build it, so the names are not
 * checked again.
 */
import type { RequestLogJson } from './request-log.js';
import { REQUEST_LOG_FIELDS, STORED_FIELDS } from './request-log-fields.js';

/** All fields that gateways send except the time, which some forms have elsewhere; in the order of the table. */
export const FIELDS = Object.values(REQUEST_LOG_FIELDS)
  .map(({ sentAs }) => sentAs)
  .filter((name) => name !== null && name !== 'time');

/** The table's row of each of `FIELDS`, by the same index. */
export const FIELD_ROWS = STORED_FIELDS.filter(({ sentAs }) => FIELDS.some((name) => name === sentAs));

export type Field = (typeof FIELDS)[number];

/** An absent field and null are the same. */
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
