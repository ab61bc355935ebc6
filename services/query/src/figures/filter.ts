/*
 * The filter clause that all questions share: subject, span and requests. Each filter in force has constant SQL
 * text; every value is bound.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { RequestFilters } from '@imscope/schemas/query-api/filter-parameters.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { STORED_FIELDS } from '@imscope/schemas/request-log-fields.js';
import type { QueryParams } from '../store/ask-store.js';
import { ISP_FILTER_SQL } from './network-sql.js';
import { personalCondition, type PersonalQuery } from './personal-filter.js';
import { type Subject, subjectSql } from './subject.js';
import type { TimeWindow } from './time-window.js';

export type Filter = {
  /** Over the logs: subject, span and filters. */
  readonly sql: string;
  /** Over the metrics: subject and those filters that metrics have, without a span. */
  readonly metricSql: string;
  /** The subject alone; equal to `metricSql` where no filter that metrics have is in force. */
  readonly subjectSql: string;
  /** Over the logs: the filters alone, in the order in which a row is tested. */
  readonly conditions: readonly { readonly name: string; readonly sql: string }[];
  readonly params: QueryParams;
};

/** The condition on time, for every question. */
export const SPAN_SQL = `time >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
  AND time < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')`;

export function spanParams(window: TimeWindow): { from_ms: number; to_ms: number } {
  return { from_ms: window.fromMs, to_ms: window.toMs };
}

type Clause = { readonly name: keyof RequestFilters; readonly sql: string; readonly inMetrics: boolean };

const FIELD_CLAUSES = STORED_FIELDS.flatMap(({ name, type, filter }): Clause[] =>
  filter === null
    ? []
    : [
        {
          name: name as keyof RequestFilters,
          sql: `${name} IN {${name}:Array(${type === 'int' ? 'Int32' : 'String'})}`,
          inMetrics: filter.inMetrics,
        },
      ],
);

/** Constant SQL for each parameter that filters. */
const CLAUSES: readonly Clause[] = [...FIELD_CLAUSES, { name: 'isp', sql: ISP_FILTER_SQL, inMetrics: false }];

function givenClauses(query: RequestFilters) {
  return CLAUSES.filter(({ name }) => (query[name] ?? []).length > 0);
}

/** Whether metrics have every field that is filtered by. */
export function metricsHave(query: RequestFilters & PersonalQuery): boolean {
  return personalCondition(query) === null && givenClauses(query).every(({ inMetrics }) => inMetrics);
}

/**
 * @param query the filters that are given; an empty list filters nothing
 * @returns conditions for WHERE, and their values
 * @throws `HttpError` invalid_parameter where a code is beyond 32 bits
 */
export function filterOf(
  subject: Subject,
  window: TimeWindow,
  query: RequestFilters & PersonalQuery,
): Filter {
  const whose = subjectSql(subject);
  const conditions: { name: string; sql: string }[] = [];
  const metricClauses = [whose.sql];
  const params: Record<string, QueryParams[string]> = { ...whose.params, ...spanParams(window) };
  for (const { name, sql, inMetrics } of givenClauses(query)) {
    const values = query[name] ?? [];
    if (name === 'code') {
      const codes = values.filter((code) => code !== NO_CODE).map(codeOf);
      conditions.push({ name, sql: codes.length < values.length ? `(${sql} OR code IS NULL)` : sql });
      params[name] = codes;
      continue;
    }
    conditions.push({ name, sql });
    if (inMetrics) metricClauses.push(sql);
    params[name] = values;
  }
  const personal = personalCondition(query);
  if (personal !== null) {
    conditions.push({ name: 'exit_ip', sql: personal.sql });
    Object.assign(params, personal.params);
  }
  return {
    sql: logsSql(whose.sql, conditions),
    metricSql: metricClauses.join('\n  AND '),
    subjectSql: whose.sql,
    conditions,
    params,
  };
}

/** The same filter over another window. */
export function filterOver(filter: Filter, window: TimeWindow): Filter {
  return { ...filter, params: { ...filter.params, ...spanParams(window) } };
}

/** The same filter without one of its conditions; its values stay bound. */
export function filterWithout(filter: Filter, name: string): Filter {
  const conditions = filter.conditions.filter((one) => one.name !== name);
  return { ...filter, sql: logsSql(filter.subjectSql, conditions), conditions };
}

function logsSql(subject: string, conditions: Filter['conditions']): string {
  return [subject, SPAN_SQL, ...conditions.map(({ sql }) => sql)].join('\n  AND ');
}

/** As a value of the filter by code: requests without a code. */
const NO_CODE = 'none';

const { codeMin, codeMax } = REQUEST_LOG_BOUNDS;

function codeOf(text: string): number {
  const code = Number(text);
  if (code >= codeMin && code <= codeMax) return code;
  throw new HttpError(
    'invalid_parameter',
    `code is "${text}": give codes from ${codeMin} to ${codeMax}, or ${NO_CODE}`,
  );
}
