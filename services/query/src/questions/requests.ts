/*
 * `requests`: lists single requests, newest first, page by page: every row that was stored when the first page was read
 * is listed exactly once, also while new rows arrive. Addresses leave the store masked.
 */
import { maskedIpSql } from '@imscope/schemas/ip-address.js';
import type { RequestRow, RequestsQuery } from '@imscope/schemas/query-api/requests.js';
import { type Static, Type } from 'typebox';
import { type AnswerBounds, FLAT_ROWS, KIB, MIB } from '../store/answer-bounds.js';
import { defineStoreQuery } from '../store/ask-store.js';
import { CODE, OUTCOME } from '../figures/code-counts.js';
import { type Filter, filterOf, filterOver } from '../figures/filter.js';
import { inMs } from '../figures/performance.js';
import { subjectKey } from '../figures/subject.js';
import { requestQuestion } from './question.js';
import { decodeCursor, encodeCursor, requirePlaceInWindow, type RowPlace } from './request-cursor.js';
import { clipWindow, resolveWindow, timeText } from '../figures/time-window.js';

/** Requests of a page where the caller does not say. */
const LIMIT_DEFAULT = 100;

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
const QUERY = defineStoreQuery('requests', Row);

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
 * A page is searched in the newest part of the window first, then in longer ones: a busy application fills it from a few
 * partitions, a rare match costs one and a half full passes at most.
 */
const SPAN_DIVISORS = [64, 8, 1];

/** A point is one request: 3,300 characters at most, found in up to three queries. */
const BOUNDS: AnswerBounds = {
  pointsMax: 1_000,
  rowsMax: 1_001,
  bytes: MIB,
  bytesPerPoint: 32 * KIB,
  memoryPerByte: FLAT_ROWS,
};

export const requests = requestQuestion('requests', {
  bounds: BOUNDS,
  source: 'logs',
  plan: ({ subject, query, nowMs }) => {
    const { from: _from, to: _to, limit = LIMIT_DEFAULT, cursor, ...filters } = query;
    const sorted = Object.entries(filters).toSorted(([a], [b]) => (a < b ? -1 : 1));
    /** What distinguishes this question from others, for its cursors. */
    const identity = JSON.stringify([subjectKey(subject), sorted]);
    const begun = cursor === undefined ? undefined : requirePlaceInWindow(decodeCursor(cursor, identity));
    const window = begun === undefined ? resolveWindow(query, nowMs) : clipWindow(begun.window, nowMs);
    // Here, so that a code beyond 32 bits is refused before memory is reserved.
    const filter = withRequestFilters(filterOf(subject, window, query), query);
    return { window, stepMs: null, points: limit, filter, metricsCan: false, identity, begun };
  },
  answer: async ({ ask, window, plan: { points: limit, filter, identity, begun }, signal }) => {
    const after = begun?.after;
    const endMs = after === undefined ? window.toMs : after.timeMs + 1;
    let rows: readonly Static<typeof Row>[] = [];
    for (const divisor of SPAN_DIVISORS) {
      const fromMs = endMs - Math.ceil((endMs - window.fromMs) / divisor);
      const { sql, params } = afterPlace(filterOver(filter, { fromMs, toMs: endMs }), after);
      // One more than the limit shows whether there is another page.
      rows = await ask(QUERY, sqlOf(sql), { ...params, limit: limit + 1 }, signal);
      if (rows.length > limit) break;
    }
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const hasMore = rows.length > limit && last !== undefined;
    const next = hasMore
      ? encodeCursor({ window: begun?.window ?? window, after: placeOf(last) }, identity)
      : null;
    return { data: { requests: page.map(requestRow), next_cursor: next } };
  },
});

/** With the filters that only this question has. */
function withRequestFilters(filter: Filter, query: RequestsQuery): Filter {
  const clauses = [filter.sql];
  const params = { ...filter.params };
  if (query.request_id !== undefined) {
    clauses.push('request_id = {request_id:String}');
    params['request_id'] = query.request_id;
  }
  if (query.latency_ms_min !== undefined) {
    clauses.push('latency_us >= {latency_us_min:UInt64}');
    params['latency_us_min'] = Math.ceil(query.latency_ms_min * 1000);
  }
  return { ...filter, sql: clauses.join('\n  AND '), params };
}

function afterPlace({ sql, params }: Filter, after: RowPlace | undefined): Pick<Filter, 'sql' | 'params'> {
  if (after === undefined) return { sql, params };
  const place = {
    after_ms: after.timeMs,
    after_block_id: after.blockId,
    after_block_row: after.blockRow,
  };
  return { sql: `${sql}\n  AND ${AFTER_SQL}`, params: { ...params, ...place } };
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
