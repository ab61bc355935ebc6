/*
 * `interfaces`: which interfaces of an application are used, how well does each do, and with which code does it fail?
 */
import { type Static, Type } from 'typebox';
import { FilteredQuery } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { CodeCount, PERFORMANCE, Time } from './values.js';

export const InterfaceRow = Type.Object({
  interface: Type.String(),
  ...PERFORMANCE,
  /**
   * The most frequent code of the service errors where the row is failing or degraded, elsewhere of all requests that
   * are no success; null where there is none.
   */
  top_code: Type.Union([CodeCount, Type.Null()]),
  /** Where only the metrics have it, the start of the ten seconds or the minute of the last request. */
  last_seen: Time,
});
export type InterfaceRow = Static<typeof InterfaceRow>;

export const interfaces = {
  path: '/v1/applications/:sdk_app_id/interfaces',
  scope: 'application',
  operationId: 'listInterfaces',
  summary: 'The interfaces of an application, most used first; of more than 1,000 the worst are listed',
  query: FilteredQuery,
  data: Type.Array(InterfaceRow),
  isBoundedList: true,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;
