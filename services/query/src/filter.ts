/*
 * The one filter clause of all questions: which application, which span, which requests. Constant SQL text for
 * each filter in force; every value is bound.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { FilteredQuery } from '@imscope/schemas/query-api/parameters.js';
import type { QueryParams } from './ask-store.js';
import type { TimeWindow } from './time-window.js';

export type Filter = {
  /** Over the logs: application, span and filters. */
  readonly sql: string;
  /** Over the metrics: application and those filters that metrics have, without a span. */
  readonly metricSql: string;
  readonly params: QueryParams;
};

export const APPLICATION_SQL = 'sdk_app_id = {sdk_app_id:UInt64}';

/** The condition on time, for every question. */
export const SPAN_SQL = `time >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
  AND time < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')`;

export function spanParams(window: TimeWindow): { from_ms: number; to_ms: number } {
  return { from_ms: window.fromMs, to_ms: window.toMs };
}

/** The part of a window that is taken from the metrics: its metric windows, and all logs but those of the part. */
export const METRIC_SPAN_SQL = `window_start >= fromUnixTimestamp64Milli({metrics_from_ms:Int64}, 'UTC')
  AND window_start < fromUnixTimestamp64Milli({metrics_to_ms:Int64}, 'UTC')`;
export const LOG_ONLY_SPAN_SQL = `(time < fromUnixTimestamp64Milli({metrics_from_ms:Int64}, 'UTC')
    OR time >= fromUnixTimestamp64Milli({metrics_to_ms:Int64}, 'UTC'))`;

export function metricSpanParams(part: TimeWindow): { metrics_from_ms: number; metrics_to_ms: number } {
  return { metrics_from_ms: part.fromMs, metrics_to_ms: part.toMs };
}

type ListFilters = Pick<
  FilteredQuery,
  'interface' | 'outcome' | 'node' | 'region' | 'platform' | 'sdk_version'
> & { readonly exception?: string[] };

const LIST_CLAUSES: Readonly<Record<keyof ListFilters, string>> = {
  interface: 'interface IN {interface:Array(String)}',
  outcome: 'outcome IN {outcome:Array(String)}',
  node: 'node IN {node:Array(String)}',
  region: 'region IN {region:Array(String)}',
  platform: 'platform IN {platform:Array(String)}',
  sdk_version: 'sdk_version IN {sdk_version:Array(String)}',
  exception: 'exception IN {exception:Array(String)}',
};

/** What metrics can be asked by. Their codes are counted apart from outcome and delay, so not by code. */
const METRIC_FILTERS: ReadonlySet<string> = new Set(['interface', 'region']);

/** Whether metrics have every filter that is given. */
export function metricsHave(query: ListFilters & Pick<FilteredQuery, 'code'>): boolean {
  const { code, ...lists } = query;
  const given = Object.keys(LIST_CLAUSES).filter(
    (name) => (lists[name as keyof ListFilters] ?? []).length > 0,
  );
  return (code ?? []).length === 0 && given.every((name) => METRIC_FILTERS.has(name));
}

const INT32_MAX = 2_147_483_647;

/**
 * @param query the filters that are given; an empty list filters nothing
 * @returns conditions to stand after WHERE, and their values
 * @throws `HttpError` invalid_parameter where a code is beyond 32 bits
 */
export function filterOf(
  sdkAppId: number,
  window: TimeWindow,
  query: ListFilters & Pick<FilteredQuery, 'code'>,
): Filter {
  const clauses = [APPLICATION_SQL, SPAN_SQL];
  const metricClauses = [APPLICATION_SQL];
  const params: Record<string, QueryParams[string]> = { sdk_app_id: sdkAppId, ...spanParams(window) };
  for (const [name, clause] of Object.entries(LIST_CLAUSES)) {
    const values = query[name as keyof ListFilters];
    if (values === undefined || values.length === 0) continue;
    clauses.push(clause);
    if (METRIC_FILTERS.has(name)) metricClauses.push(clause);
    params[name] = values;
  }
  if (query.code !== undefined && query.code.length > 0) {
    const codes = query.code.filter((code) => code !== 'none').map(codeOf);
    const nulls = codes.length < query.code.length;
    clauses.push(nulls ? '(code IN {code:Array(Int32)} OR code IS NULL)' : 'code IN {code:Array(Int32)}');
    params['code'] = codes;
  }
  return { sql: clauses.join('\n  AND '), metricSql: metricClauses.join('\n  AND '), params };
}

function codeOf(text: string): number {
  const code = Number(text);
  if (code >= -INT32_MAX - 1 && code <= INT32_MAX) return code;
  throw new HttpError(
    'invalid_parameter',
    `code is "${text}": give codes from ${-INT32_MAX - 1} to ${INT32_MAX}, or none`,
  );
}
