/*
 * `requestContext`: what else happened around one request, on its node, its interface and its network prefix, beside the hour
 * before: is it this request, or everything there? Spans end at multiples of five minutes.
 */
import { linkFiller } from '@imscope/schemas/link-template.js';
import type { Neighbour, NEIGHBOURS } from '@imscope/schemas/query-api/request-context.js';
import type { RequestSearchParameters } from '@imscope/schemas/query-api/request-search-parameters.js';
import { type Static, Type } from 'typebox';
import { CODE, codeCountOf, OUTCOME } from '../figures/code-counts.js';
import type { PersonalQuery } from '../figures/personal-filter.js';
import { LATENCY_BUCKET_SQL, LOG_SUMS_SQL, PERFORMANCE_COLUMNS_SQL } from '../figures/performance.js';
import { PERFORMANCE_ROW, performanceOf } from '../figures/sums.js';
import type { PlanInput, RequestPlan } from '../figures/plan.js';
import {
  linkedRow,
  REQUEST_COLUMNS,
  REQUEST_COLUMNS_SQL,
  type StoredRequest,
} from '../figures/request-row.js';
import { type RequestSearch, searchOf } from '../figures/request-search.js';
import { decodePlace } from '../figures/row-place.js';
import type { Subject } from '../figures/subject.js';
import {
  clipWindow,
  HOUR_MS,
  MINUTE_MS,
  resolveWindow,
  timeText,
  type TimeWindow,
  windowSeconds,
} from '../figures/time-window.js';
import { type AnswerBounds, HISTOGRAM_ROWS, MIB } from '../store/answer-bounds.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { requestQuestion } from './question.js';

const MINUTES_DEFAULT = 5;
const ALIGNED_MS = 5 * MINUTE_MS;
const CODES_MAX = 5;
/** A row about a prefix has at least so many requests and addresses: fewer could be one person. */
const PREFIX_REQUESTS_MIN = 20;
const PREFIX_ADDRESSES_MIN = 5;

/** Six rows with histograms of 16 KiB, and the request. */
const BOUNDS: AnswerBounds = {
  pointsMax: 0,
  rowsMax: 2 * CODES_MAX,
  bytes: MIB,
  bytesPerPoint: 0,
  memoryPerByte: HISTOGRAM_ROWS,
};

type ContextPlan = RequestPlan & { readonly find: RequestSearch; readonly aroundMs: number };

type ContextQuery = {
  readonly from?: string;
  readonly to?: string;
  readonly request: string;
  readonly minutes?: number;
};

/** Throws `HttpError` invalid_parameter. */
function planContext({ subject, query, nowMs }: PlanInput<ContextQuery>): ContextPlan {
  const place = decodePlace(query.request);
  const aroundMs = (query.minutes ?? MINUTES_DEFAULT) * MINUTE_MS;
  if (place === undefined) {
    const window = resolveWindow({ from: 'now-24h', ...query }, nowMs);
    const find = searchOf(subject, window, { request_id: query.request });
    return { window, stepMs: null, points: 0, filter: find.filter, metricsCan: false, find, aroundMs };
  }
  const { timeMs, blockId, blockRow } = place;
  const window = clipWindow({ fromMs: timeMs, toMs: timeMs + 1 }, nowMs);
  const named = searchOf(subject, window, {}, [
    'block_id = {place_block:UInt64}',
    'block_row = {place_row:UInt32}',
  ]);
  const find = { ...named, params: { ...named.params, place_block: blockId, place_row: blockRow } };
  return { window, stepMs: null, points: 0, filter: find.filter, metricsCan: false, find, aroundMs };
}

const REQUEST = defineStoreQuery('context_request', Type.Object(REQUEST_COLUMNS));

const requestSql = (search: string): string => `
SELECT
  ${REQUEST_COLUMNS_SQL}
${search}
ORDER BY time DESC, block_id DESC, block_row DESC
LIMIT 1`;

/** 1: around the request, 0: before. */
const PART_SQL = "toUInt8(time >= fromUnixTimestamp64Milli({around_from_ms:Int64}, 'UTC')) AS part";

const FIGURES = defineStoreQuery(
  'context_figures',
  Type.Object({ part: Type.Number(), ...PERFORMANCE_ROW, addresses: Type.Number() }),
);

const figuresSql = (search: string): string => `
SELECT
  part, ${PERFORMANCE_COLUMNS_SQL},
  length(groupUniqArrayArray(${PREFIX_ADDRESSES_MIN})(b_addresses)) AS addresses
FROM (
  SELECT ${PART_SQL}, ${LOG_SUMS_SQL}, groupUniqArray(${PREFIX_ADDRESSES_MIN})(exit_ip) AS b_addresses
  ${search}
  GROUP BY part, ${LATENCY_BUCKET_SQL}
)
GROUP BY part`;

const CODES = defineStoreQuery(
  'context_codes',
  Type.Object({ part: Type.Number(), code: CODE, outcome: OUTCOME, requests: Type.Number() }),
);

const codesSql = (search: string): string => `
SELECT ${PART_SQL}, code, outcome, sum(weight) AS requests
${search}
  AND outcome != 'success'
GROUP BY part, code, outcome
ORDER BY requests DESC, code, outcome
LIMIT ${CODES_MAX} BY part`;

type Spans = { readonly around: TimeWindow; readonly before: TimeWindow };

function spansOf(timeMs: number, aroundMs: number): Spans {
  const fromMs = Math.floor((timeMs - aroundMs) / ALIGNED_MS) * ALIGNED_MS;
  const toMs = Math.ceil((timeMs + aroundMs) / ALIGNED_MS) * ALIGNED_MS;
  return { around: { fromMs, toMs }, before: { fromMs: fromMs - HOUR_MS, toMs: fromMs } };
}

type Place = {
  readonly of: (typeof NEIGHBOURS)[number];
  readonly value: string;
  readonly subject: Subject;
  readonly query: RequestSearchParameters & PersonalQuery;
};

async function readNeighbour(
  { of, value, subject, query }: Place,
  { around, before }: Spans,
  ask: Ask,
  signal: AbortSignal,
): Promise<Neighbour> {
  const { sql, params } = searchOf(subject, { fromMs: before.fromMs, toMs: around.toMs }, query);
  const bound = { ...params, around_from_ms: around.fromMs };
  const isPrefix = of === 'prefix';
  const [figures, codes] = await Promise.all([
    ask(FIGURES, figuresSql(sql), bound, signal),
    isPrefix ? [] : ask(CODES, codesSql(sql), bound, signal),
  ]);
  const partOf = (part: number, window: TimeWindow): Neighbour['around'] => {
    const row = figures.find((one) => one.part === part);
    if (isPrefix && isTooFew(row)) return null;
    const performance = performanceOf(row, windowSeconds(window));
    const own = codes.filter((one) => one.part === part);
    return { ...performance, codes: own.map((code) => codeCountOf(code, performance.requests)) };
  };
  return { of, value, around: partOf(1, around), before: partOf(0, before) };
}

function isTooFew(row: Static<typeof Counted> | undefined): boolean {
  return row === undefined || row.requests < PREFIX_REQUESTS_MIN || row.addresses < PREFIX_ADDRESSES_MIN;
}

const Counted = Type.Object({ requests: Type.Number(), addresses: Type.Number() });

function placesOf(row: StoredRequest, subject: Subject, fleet: Subject): Place[] {
  const places: Place[] = [
    { of: 'node', value: row.node, subject: fleet, query: { node: [row.node] } },
    { of: 'interface', value: row.interface, subject, query: { interface: [row.interface] } },
    { of: 'prefix', value: row.masked_ip, subject, query: { prefix: [row.masked_ip] } },
  ];
  return places.filter(({ value }) => value !== '');
}

const spanText = ({ fromMs, toMs }: TimeWindow) => ({ from: timeText(fromMs), to: timeText(toMs) });

export const requestContext = requestQuestion('requestContext', {
  bounds: BOUNDS,
  source: 'logs',
  plan: planContext,
  answer: async ({ ask, plan: { find, aroundMs }, subject, scope, descriptionsOf, signal }) => {
    const [row] = await ask(REQUEST, requestSql(find.sql), find.params, signal);
    if (row === undefined) return { data: { request: null, around: null, before: null, neighbours: [] } };
    const spans = spansOf(row.time_ms, aroundMs);
    const places = placesOf(row, subject, { kind: 'fleet', scope });
    const [describe, ...neighbours] = await Promise.all([
      descriptionsOf([row.sdk_app_id], signal),
      ...places.map((place) => readNeighbour(place, spans, ask, signal)),
    ]);
    const { around, before } = spans;
    return {
      data: {
        request: linkedRow(row, linkFiller(describe(row.sdk_app_id).link_templates)),
        around: spanText(around),
        before: spanText(before),
        neighbours,
      },
    };
  },
});
