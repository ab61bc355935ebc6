/*
 * Which single requests are searched for, as SQL. The table is read instead of its view, because a view takes no PREWHERE;
 * the clip to the term is the view's own.
 *
 * The filters are tested before the time is read. The time is the dearest column: of 10 million rows it takes 4 to 7 times as
 * long as a filter that matches few rows (measured: a part of the cause 90 instead of 620 ms, least latency 180 instead
 * of 800 ms, a prefix 380 instead of 900 ms). `outcome` is the exception: nearly every row matches `success`, and then the
 * store would read the columns of all of them.
 */
import type { RequestSearchParameters } from '@imscope/schemas/query-api/request-search-parameters.js';
import { TERM_HOURS } from '@imscope/schemas/retention.js';
import type { QueryParams } from '../store/ask-store.js';
import { type Filter, filterOf, SPAN_SQL, spanParams } from './filter.js';
import type { PersonalQuery } from './personal-filter.js';
import type { Subject } from './subject.js';
import type { TimeWindow } from './time-window.js';

export type RequestSearch = {
  readonly filter: Filter;
  /** FROM, PREWHERE and WHERE. Further conditions are appended with AND. */
  readonly sql: string;
  readonly params: QueryParams;
};

const KEPT_SQL = `time > now64(3, 'UTC') - INTERVAL ${TERM_HOURS.requestLog} HOUR`;

const isLate = ({ name }: { readonly name: string }): boolean => name === 'outcome';

/**
 * @param first conditions that are tested before all others; their values are added by the caller
 * @throws `HttpError` invalid_parameter
 */
export function searchOf(
  subject: Subject,
  window: TimeWindow,
  query: RequestSearchParameters & PersonalQuery,
  first: readonly string[] = [],
): RequestSearch {
  const filter = filterOf(subject, window, query);
  const own = ownConditions(query);
  const early = [
    ...first,
    ...own.sql,
    ...filter.conditions.filter((one) => !isLate(one)).map(({ sql }) => sql),
  ];
  const late = [
    filter.subjectSql,
    SPAN_SQL,
    KEPT_SQL,
    ...filter.conditions.filter(isLate).map(({ sql }) => sql),
  ];
  const prewhere = early.length === 0 ? '' : `PREWHERE ${early.join('\n  AND ')}\n`;
  return {
    filter,
    sql: `FROM request_log\n${prewhere}WHERE ${late.join('\n  AND ')}`,
    params: { ...filter.params, ...own.params },
  };
}

/** The same search over another window. */
export function searchOver(search: RequestSearch, window: TimeWindow): RequestSearch {
  return { ...search, params: { ...search.params, ...spanParams(window) } };
}

type Condition = { readonly name: string; readonly sql: string; readonly value: QueryParams[string] };

/** The filters that only single requests have. */
function ownConditions(query: RequestSearchParameters): { sql: string[]; params: QueryParams } {
  const { request_id: id, http_status: statuses = [], cause } = query;
  const given: Condition[] = [];
  if (id !== undefined)
    given.push({ name: 'request_id', sql: 'request_id = {request_id:String}', value: id });
  if (statuses.length > 0) {
    const sql = 'http_status IN {http_status:Array(UInt16)}';
    given.push({ name: 'http_status', sql, value: statuses.map(Number) });
  }
  if (cause !== undefined) {
    given.push({ name: 'cause', sql: 'positionCaseInsensitive(cause, {cause:String}) > 0', value: cause });
  }
  const durations = [
    ['latency_us_min', 'latency_us >= {latency_us_min:UInt64}', query.latency_ms_min, Math.ceil],
    ['latency_us_max', 'latency_us <= {latency_us_max:UInt64}', query.latency_ms_max, Math.floor],
    ['upstream_us_min', 'upstream_us >= {upstream_us_min:UInt64}', query.upstream_ms_min, Math.ceil],
    ['rtt_us_min', 'rtt_us >= {rtt_us_min:UInt64}', query.rtt_ms_min, Math.ceil],
  ] as const;
  for (const [name, sql, ms, round] of durations) {
    if (ms !== undefined) given.push({ name, sql, value: round(ms * 1_000) });
  }
  return {
    sql: given.map(({ sql }) => sql),
    params: Object.fromEntries(given.map(({ name, value }) => [name, value])),
  };
}
