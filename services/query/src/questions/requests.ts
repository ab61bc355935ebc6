/*
 * `requests`, `fleetRequests`, `requestById`: list single requests, newest first, page by page: every row that was stored when
 * the first page was read is listed exactly once, also while new rows arrive. Addresses leave the store masked.
 */
import type { RequestSearchParameters } from '@imscope/schemas/query-api/request-search-parameters.js';
import type { FleetRequestRow } from '@imscope/schemas/query-api/requests.js';
import { type FillLinks, linkFiller } from '@imscope/schemas/link-template.js';
import { Type } from 'typebox';
import { type AnswerBounds, FLAT_ROWS, KIB, MIB } from '../store/answer-bounds.js';
import type { DescriptionsOf } from '../store/application-names.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { prefixKeySql } from '../figures/network-sql.js';
import type { PersonalQuery } from '../figures/personal-filter.js';
import type { PlanInput, RequestPlan } from '../figures/plan.js';
import {
  linkedRow,
  placeOf,
  REQUEST_COLUMNS,
  REQUEST_COLUMNS_SQL,
  type StoredRequest,
} from '../figures/request-row.js';
import { type RequestSearch, searchOf, searchOver } from '../figures/request-search.js';
import type { RowPlace } from '../figures/row-place.js';
import type { Networks } from '../network/networks.js';
import { requestQuestion } from './question.js';
import { decodeCursor, encodeCursor, type RequestCursor, requirePlaceInWindow } from './request-cursor.js';
import { clipWindow, resolveWindow, type TimeWindow } from '../figures/time-window.js';

/** Requests of a page where the caller does not say. */
const LIMIT_DEFAULT = 100;

const QUERY = defineStoreQuery('requests', Type.Object(REQUEST_COLUMNS));

/** One application is read backward from its end, as the table is sorted, and ends at the limit. */
const ORDER_SQL = {
  application: 'toStartOfMinute(time) DESC, time DESC, block_id DESC, block_row DESC',
  fleet: 'time DESC, block_id DESC, block_row DESC',
};

const AFTER_SQL = `time <= fromUnixTimestamp64Milli({after_ms:Int64}, 'UTC')
  AND (time, block_id, block_row) <
    (fromUnixTimestamp64Milli({after_ms:Int64}, 'UTC'), {after_block_id:UInt64}, {after_block_row:UInt32})`;

/**
 * A page is searched in the newest part of the window first, then in the older ones: a frequent match fills it from a
 * few partitions, a rare match costs one pass over the window.
 */
const SPAN_DIVISORS = [64, 8, 1];

/** A point is one request: 3,300 characters at most, of up to six bytes, and eight links of 2,600 bytes with their titles. */
const BOUNDS: AnswerBounds = {
  pointsMax: 1_000,
  rowsMax: 1_001,
  bytes: MIB,
  bytesPerPoint: 44 * KIB,
  memoryPerByte: FLAT_ROWS,
};

type PageQuery = RequestSearchParameters &
  PersonalQuery & {
    readonly from?: string;
    readonly to?: string;
    readonly limit?: number;
    readonly cursor?: string;
    readonly times?: string;
    readonly network?: string;
  };

type PagePlan = RequestPlan & {
  readonly search: RequestSearch;
  readonly identity: string;
  readonly begun: RequestCursor | undefined;
  readonly order: keyof typeof ORDER_SQL;
};

/** Throws `HttpError` invalid_parameter, so that what cannot be asked is refused before memory is reserved. */
function planPage({
  subject,
  query,
  nowMs,
  networks,
}: PlanInput<PageQuery> & { readonly networks: Networks }): PagePlan {
  const identity = identityOf(subject.kind === 'application' ? subject.sdkAppId : 'fleet', query);
  const { limit = LIMIT_DEFAULT, cursor } = query;
  const begun = cursor === undefined ? undefined : requirePlaceInWindow(decodeCursor(cursor, identity));
  const window = begun === undefined ? resolveWindow(query, nowMs) : clipWindow(begun.window, nowMs);
  const all = searchOf(subject, window, query);
  const search = query.network === undefined ? all : ofNetwork(all, networks.ids.open(query.network, nowMs));
  const { filter } = search;
  const plan = { window, stepMs: null, points: limit, filter, metricsCan: false };
  return { ...plan, search, identity, begun, order: subject.kind };
}

/**
 * What distinguishes a question from others, for its cursors. Of addresses it holds only that some were given: anybody
 * could find them out of the digest by trying all.
 */
function identityOf(subject: number | 'fleet', query: PageQuery): string {
  const { from: _from, to: _to, limit: _limit, cursor: _cursor, times: _times, ...own } = query;
  const { exit_ip, prefix, ...filters } = own;
  const personal = [exit_ip !== undefined, prefix !== undefined];
  return JSON.stringify([
    subject,
    personal,
    Object.entries(filters).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}

/** @param prefixKey of `prefixKeySql` */
function ofNetwork(search: RequestSearch, prefixKey: number): RequestSearch {
  return {
    ...search,
    sql: `${search.sql}\n  AND ${prefixKeySql('exit_ip')} = {network_key:UInt64}`,
    params: { ...search.params, network_key: prefixKey },
  };
}

type Page = { readonly rows: readonly StoredRequest[]; readonly next: string | null };

async function readPage(plan: PagePlan, window: TimeWindow, ask: Ask, signal: AbortSignal): Promise<Page> {
  const { points: limit, search, identity, begun, order } = plan;
  const after = begun?.after;
  const endMs = after === undefined ? window.toMs : after.timeMs + 1;
  const rows: StoredRequest[] = [];
  for (const span of spansBackward(window.fromMs, endMs)) {
    const { sql, params } = afterPlace(searchOver(search, span), after);
    // One more than the limit shows whether there is another page.
    const left = limit + 1 - rows.length;
    rows.push(...(await ask(QUERY, pageSql(sql, order), { ...params, limit: left }, signal)));
    if (rows.length > limit) break;
  }
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  const next = hasMore
    ? encodeCursor({ window: begun?.window ?? window, after: placeOf(last) }, identity)
    : null;
  return { rows: page, next };
}

const pageSql = (search: string, order: keyof typeof ORDER_SQL): string => `
SELECT
  ${REQUEST_COLUMNS_SQL}
${search}
ORDER BY ${ORDER_SQL[order]}
LIMIT {limit:UInt32}`;

/** Neighbouring spans that are the window together, newest first. */
function spansBackward(fromMs: number, toMs: number): TimeWindow[] {
  const begins = SPAN_DIVISORS.map((divisor) => toMs - Math.ceil((toMs - fromMs) / divisor));
  return begins.map((begin, index) => ({ fromMs: begin, toMs: begins[index - 1] ?? toMs }));
}

function afterPlace(
  { sql, params }: RequestSearch,
  after: RowPlace | undefined,
): Pick<RequestSearch, 'sql' | 'params'> {
  if (after === undefined) return { sql, params };
  const place = {
    after_ms: after.timeMs,
    after_block_id: after.blockId,
    after_block_row: after.blockRow,
  };
  return { sql: `${sql}\n  AND ${AFTER_SQL}`, params: { ...params, ...place } };
}

type Described = { readonly name: string; readonly fill: FillLinks };

/** Names and links of the applications of these requests, by SDKAppID. */
async function describedOf(
  rows: readonly StoredRequest[],
  descriptionsOf: DescriptionsOf,
  signal: AbortSignal,
): Promise<(row: StoredRequest) => Described> {
  const ids = [...new Set(rows.map((row) => row.sdk_app_id))];
  const describe = await descriptionsOf(ids, signal);
  const described = (id: number): Described => {
    const { name, link_templates: templates } = describe(id);
    return { name, fill: linkFiller(templates) };
  };
  const known = new Map(ids.map((id) => [id, described(id)]));
  return ({ sdk_app_id: id }) => known.get(id) ?? described(id);
}

async function fleetRows(
  rows: readonly StoredRequest[],
  descriptionsOf: DescriptionsOf,
  signal: AbortSignal,
): Promise<FleetRequestRow[]> {
  const describedBy = await describedOf(rows, descriptionsOf, signal);
  return rows.map((row) => {
    const { name, fill } = describedBy(row);
    return { sdk_app_id: row.sdk_app_id, name, ...linkedRow(row, fill) };
  });
}

export const requests = requestQuestion('requests', {
  bounds: BOUNDS,
  source: 'logs',
  plan: planPage,
  answer: async ({ ask, window, plan, descriptionsOf, signal }) => {
    const { rows, next } = await readPage(plan, window, ask, signal);
    const describedBy = await describedOf(rows, descriptionsOf, signal);
    const shown = rows.map((row) => linkedRow(row, describedBy(row).fill));
    return { data: { requests: shown, next_cursor: next } };
  },
});

export const fleetRequests = requestQuestion('fleetRequests', {
  bounds: BOUNDS,
  source: 'logs',
  plan: planPage,
  answer: async ({ ask, window, plan, descriptionsOf, signal }) => {
    const { rows, next } = await readPage(plan, window, ask, signal);
    return { data: { requests: await fleetRows(rows, descriptionsOf, signal), next_cursor: next } };
  },
});

export const requestById = requestQuestion('requestById', {
  bounds: BOUNDS,
  source: 'logs',
  plan: (input) => planPage({ ...input, query: { from: 'now-24h', ...input.query } }),
  answer: async ({ ask, window, plan, descriptionsOf, signal }) => {
    const { rows, next } = await readPage(plan, window, ask, signal);
    return { data: { requests: await fleetRows(rows, descriptionsOf, signal), next_cursor: next } };
  },
});
