/*
 * `overview`: how does an application do now, against the span just before, and which codes does it get?
 */
import { type Static, Type } from 'typebox';
import { FilteredQuery } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { CodeCount, Count, LeftOut, PERFORMANCE } from './values.js';

export const Overview = Type.Object({
  ...PERFORMANCE,
  interfaces: Count,
  /** The same figures over the span of equal length just before, for comparison. */
  previous: Type.Object(PERFORMANCE),
  /** All codes but 0, most frequent first, 50 at most. */
  codes: Type.Array(CodeCount),
  codes_left_out: LeftOut,
});
export type Overview = Static<typeof Overview>;

export const overview = {
  path: '/v1/applications/:sdk_app_id/overview',
  scope: 'application',
  operationId: 'getOverview',
  summary: 'One application over a window, the span before it for comparison, and its codes',
  query: FilteredQuery,
  data: Overview,
  isBoundedList: false,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;
