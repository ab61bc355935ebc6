/*
 * The filters that list the requests of a row of a panel. A row is a group of requests; its filters name all that
 * identifies the group, so that the list holds exactly its requests and the counts agree.
 */
import type { ExceptionGroup } from '@imscope/schemas/query-api/exceptions.js';
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import type { CodeCount } from '@imscope/schemas/query-api/values.js';
import { formatRequestFilters, NO_REQUEST_FILTERS, type RequestFilters } from '../../state/page-state.js';
import { texts } from '../../words/texts.js';

/** How the API's filter names a code. */
export function codeFilterOf(code: number | null): string {
  return code === null ? 'none' : code.toString();
}

/** Groups of `overview.codes`: code and outcome. */
export function codeFilters({ code, outcome }: Pick<CodeCount, 'code' | 'outcome'>): RequestFilters {
  return { ...NO_REQUEST_FILTERS, code: [codeFilterOf(code)], outcome: [outcome] };
}

/** Groups of `exceptions`: exception (empty: none), code and outcomes. The list may hold other causes of these. */
export function exceptionFilters({
  exception,
  code,
  outcomes,
}: Pick<ExceptionGroup, 'exception' | 'code' | 'outcomes'>): RequestFilters {
  const outcome = OUTCOMES.filter((each) => outcomes[each] > 0);
  return { ...NO_REQUEST_FILTERS, exception: [exception], code: [codeFilterOf(code)], outcome };
}

export function sameFilters(a: RequestFilters, b: RequestFilters): boolean {
  return formatRequestFilters(a) === formatRequestFilters(b);
}

/** @param requests in the window and scope */
export function noCodesText(requests: number): string {
  const words = texts.application.codes;
  return requests === 0 ? words.noRequests : words.none;
}

/** @param requests in the window and scope; null where not known */
export function noExceptionsText(requests: number | null): string {
  const words = texts.application.exceptions;
  return requests === 0 ? words.noRequests : words.none;
}
