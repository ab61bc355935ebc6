/*
 * A single request as the store gives it and as answers show it. Addresses leave the store masked.
 */
import { maskedIpSql } from '@imscope/schemas/ip-address.js';
import type { FillLinks, Link } from '@imscope/schemas/link-template.js';
import type { RequestRow } from '@imscope/schemas/query-api/requests.js';
import { type Static, Type } from 'typebox';
import { CODE, OUTCOME } from './code-counts.js';
import { inMs } from './sums.js';
import { encodePlace, type RowPlace } from './row-place.js';
import { MINUTE_MS, timeText } from './time-window.js';

const NullableNumber = Type.Union([Type.Number(), Type.Null()]);

export const REQUEST_COLUMNS = {
  time_ms: Type.Number(),
  sdk_app_id: Type.Number(),
  interface: Type.String(),
  masked_ip: Type.String(),
  latency_us: Type.Number(),
  upstream_us: NullableNumber,
  rtt_us: NullableNumber,
  code: CODE,
  http_status: Type.Number(),
  outcome: OUTCOME,
  exception: Type.String(),
  cause: Type.String(),
  node: Type.String(),
  region: Type.String(),
  platform: Type.String(),
  sdk_version: Type.String(),
  request_id: Type.String(),
  weight: Type.Number(),
  block_id_text: Type.String(),
  block_row: Type.Number(),
};
const Columns = Type.Object(REQUEST_COLUMNS);
export type StoredRequest = Static<typeof Columns>;

export const REQUEST_COLUMNS_SQL = `toUnixTimestamp64Milli(time) AS time_ms,
  sdk_app_id, interface,
  ${maskedIpSql('exit_ip')} AS masked_ip,
  latency_us, upstream_us, rtt_us, code, http_status, outcome, exception, cause,
  node, region, platform, sdk_version, request_id, weight,
  toString(block_id) AS block_id_text,
  block_row`;

export function placeOf(row: StoredRequest): RowPlace {
  return { timeMs: row.time_ms, blockId: row.block_id_text, blockRow: row.block_row };
}

export function requestRow(row: StoredRequest): Omit<RequestRow, 'links'> {
  return {
    time: timeText(row.time_ms),
    interface: row.interface,
    exit_ip: row.masked_ip,
    latency_ms: row.latency_us / 1000,
    upstream_ms: inMs(row.upstream_us),
    rtt_ms: inMs(row.rtt_us),
    code: row.code,
    http_status: row.http_status,
    outcome: row.outcome,
    exception: row.exception,
    cause: row.cause,
    node: row.node,
    region: row.region,
    platform: row.platform,
    sdk_version: row.sdk_version,
    request_id: row.request_id,
    weight: row.weight,
    place: encodePlace(placeOf(row)),
  };
}

/** Clocks of a gateway and of the logs that a link leads to differ, and what caused a failure came before it. */
const LINK_MARGIN_MS = 5 * MINUTE_MS;

/** @param fill of the application of the request */
export function linkedRow(row: StoredRequest, fill: FillLinks): RequestRow {
  return { ...requestRow(row), links: linksOf(row, fill) };
}

/** `time` is where a request begins or ends, as its source has it: the span holds all of it either way. */
function linksOf(row: StoredRequest, fill: FillLinks): Link[] {
  const marginMs = LINK_MARGIN_MS + Math.ceil(row.latency_us / 1_000);
  return fill({
    sdkAppId: row.sdk_app_id,
    interface: row.interface,
    node: row.node,
    requestId: row.request_id,
    fromMs: row.time_ms - marginMs,
    toMs: row.time_ms + marginMs,
  });
}
