/*
 * `requests`: which single requests were those? Newest first, page by page: every row that was there when the
 * first page was read comes exactly once, whatever arrives meanwhile. Addresses leave the store masked.
 */
import { maskedIpSql } from '@imscope/schemas/ip-address.js';
import type { RequestRow } from '@imscope/schemas/query-api/requests.js';
import type { RequestsQuery } from '@imscope/schemas/query-api/requests.js';
import { type Static, Type } from 'typebox';
import { type Ask, defineQuestion } from '../store/ask-store.js';
import { CODE, OUTCOME } from '../figures/code-counts.js';
import { type Filter, filterOf } from '../figures/filter.js';
import { inMs } from '../figures/performance.js';
import type { RowPlace } from './request-cursor.js';
import { timeText, type TimeWindow } from '../figures/time-window.js';

/** Requests of a page where the caller does not say. */
export const LIMIT_DEFAULT = 100;

const NullableNumber = Type.Union([Type.Number(), Type.Null()]);
const Row = Type.Object({
  time_ms: Type.Number(),
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
});
const QUESTION = defineQuestion('requests', Row);

// By minutes first, as the table is sorted, so that the store reads backward from the end and stops at the limit.
const sqlOf = (filter: string): string => `
SELECT
  toUnixTimestamp64Milli(time) AS time_ms,
  interface,
  ${maskedIpSql('exit_ip')} AS masked_ip,
  latency_us, upstream_us, rtt_us, code, http_status, outcome, exception, cause,
  node, region, platform, sdk_version, request_id, weight,
  toString(block_id) AS block_id_text,
  block_row
FROM request_log_kept
WHERE ${filter}
ORDER BY toStartOfMinute(time) DESC, time DESC, block_id DESC, block_row DESC
LIMIT {limit:UInt32}`;

const AFTER_SQL = `time <= fromUnixTimestamp64Milli({after_ms:Int64}, 'UTC')
  AND (time, block_id, block_row) <
    (fromUnixTimestamp64Milli({after_ms:Int64}, 'UTC'), {after_block_id:UInt64}, {after_block_row:UInt32})`;

/**
 * A page is looked for in the newest part of the window first, then in longer ones: a busy application fills
 * it out of a few partitions, a rare hit costs one and a half full passes at most.
 */
const SPAN_DIVISORS = [64, 8, 1];

export type RequestsPage = {
  readonly rows: RequestRow[];
  /** Where the page ends; null where nothing comes after it. */
  readonly end: RowPlace | null;
};

/** @param after where the page before ended */
export async function askRequests(
  ask: Ask,
  sdkAppId: number,
  window: TimeWindow,
  query: RequestsQuery,
  after: RowPlace | undefined,
  signal?: AbortSignal,
): Promise<RequestsPage> {
  const limit = query.limit ?? LIMIT_DEFAULT;
  const endMs = after === undefined ? window.toMs : after.timeMs + 1;
  let rows: readonly Static<typeof Row>[] = [];
  for (const divisor of SPAN_DIVISORS) {
    const fromMs = endMs - Math.ceil((endMs - window.fromMs) / divisor);
    const { sql, params } = requestFilter(sdkAppId, { fromMs, toMs: endMs }, query, after);
    // One more than asked for tells whether there is another page.
    rows = await ask(QUESTION, sqlOf(sql), { ...params, limit: limit + 1 }, signal);
    if (rows.length > limit) break;
  }
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { rows: page.map(requestRow), end: more ? placeOf(last) : null };
}

function requestFilter(
  sdkAppId: number,
  window: TimeWindow,
  query: RequestsQuery,
  after: RowPlace | undefined,
): Pick<Filter, 'sql' | 'params'> {
  const base = filterOf(sdkAppId, window, query);
  const clauses = [base.sql];
  const params = { ...base.params };
  if (query.request_id !== undefined) {
    clauses.push('request_id = {request_id:String}');
    params['request_id'] = query.request_id;
  }
  if (query.latency_ms_min !== undefined) {
    clauses.push('latency_us >= {latency_us_min:UInt64}');
    params['latency_us_min'] = Math.ceil(query.latency_ms_min * 1000);
  }
  if (after !== undefined) {
    clauses.push(AFTER_SQL);
    params['after_ms'] = after.timeMs;
    params['after_block_id'] = after.blockId;
    params['after_block_row'] = after.blockRow;
  }
  return { sql: clauses.join('\n  AND '), params };
}

function placeOf(row: Static<typeof Row>): RowPlace {
  return { timeMs: row.time_ms, blockId: row.block_id_text, blockRow: row.block_row };
}

function requestRow(row: Static<typeof Row>): RequestRow {
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
  };
}
