/*
 * The one filter clause of all questions: which application, which span, which requests. Constant SQL text for
 * each filter in force; every value is bound.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { AnalysisQuery } from '@imscope/schemas/query-api/parameters.js';
import type { QueryParams } from './ask-store.js';
import type { TimeWindow } from './time-window.js';

export type Filter = { readonly sql: string; readonly params: QueryParams };

/** The condition on time, for every question. */
export const SPAN_SQL = `time >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
  AND time < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')`;

export function spanParams(window: TimeWindow): { from_ms: number; to_ms: number } {
  return { from_ms: window.fromMs, to_ms: window.toMs };
}

type ListFilters = Pick<
  AnalysisQuery,
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

const INT32_MAX = 2_147_483_647;

/**
 * @param query the filters that are given; an empty list filters nothing
 * @returns a condition to stand after WHERE, and its values
 * @throws `HttpError` invalid_parameter where a code is beyond 32 bits
 */
export function filterOf(
  sdkAppId: number,
  window: TimeWindow,
  query: ListFilters & Pick<AnalysisQuery, 'code'>,
): Filter {
  const clauses = ['sdk_app_id = {sdk_app_id:UInt64}', SPAN_SQL];
  const params: Record<string, QueryParams[string]> = { sdk_app_id: sdkAppId, ...spanParams(window) };
  for (const [name, clause] of Object.entries(LIST_CLAUSES)) {
    const values = query[name as keyof ListFilters];
    if (values === undefined || values.length === 0) continue;
    clauses.push(clause);
    params[name] = values;
  }
  if (query.code !== undefined && query.code.length > 0) {
    const codes = query.code.filter((code) => code !== 'none').map(codeOf);
    const nulls = codes.length < query.code.length;
    clauses.push(nulls ? '(code IN {code:Array(Int32)} OR code IS NULL)' : 'code IN {code:Array(Int32)}');
    params['code'] = codes;
  }
  return { sql: clauses.join('\n  AND '), params };
}

function codeOf(text: string): number {
  const code = Number(text);
  if (code >= -INT32_MAX - 1 && code <= INT32_MAX) return code;
  throw new HttpError(
    'invalid_parameter',
    `code is "${text}": give codes from ${-INT32_MAX - 1} to ${INT32_MAX}, or none`,
  );
}
