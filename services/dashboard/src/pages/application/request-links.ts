/*
 * What a row of a panel means as filters of the list of requests. A row is a group of requests; its filters name all
 * that identifies the group, so that the list holds exactly its requests and the counts agree.
 */
import type { CodeCount, ExceptionRow } from '@imscope/schemas/query-api/answers.js';
import { formatRequestFilters, NO_REQUEST_FILTERS, type RequestFilters } from '../../state/page-state.js';

/** How the API's filter names a code. */
export function codeFilterOf(code: number | null): string {
  return code === null ? 'none' : code.toString();
}

/** Groups of `overview.codes`: code and outcome. */
export function codeFilters({ code, outcome }: Pick<CodeCount, 'code' | 'outcome'>): RequestFilters {
  return { ...NO_REQUEST_FILTERS, code: [codeFilterOf(code)], outcome: [outcome] };
}

type ExceptionGroup = Pick<ExceptionRow, 'exception' | 'interface' | 'code' | 'outcome'>;

/** Groups of `exceptions`: exception (empty: none), interface, code and outcome. */
export function exceptionFilters({
  exception,
  interface: name,
  code,
  outcome,
}: ExceptionGroup): RequestFilters {
  return {
    ...NO_REQUEST_FILTERS,
    exception: [exception],
    interface: [name],
    code: [codeFilterOf(code)],
    outcome: [outcome],
  };
}

export function sameFilters(a: RequestFilters, b: RequestFilters): boolean {
  return formatRequestFilters(a) === formatRequestFilters(b);
}

const NO_REQUESTS = 'No requests in this window.';

/** @param requests in the window and scope */
export function noCodesWords(requests: number): string {
  return requests === 0 ? NO_REQUESTS : 'No request was logged with a code other than 0.';
}

/** @param requests in the window and scope; null where not known */
export function noExceptionsWords(requests: number | null): string {
  return requests === 0 ? NO_REQUESTS : 'No service error and no exception was logged in this window.';
}
