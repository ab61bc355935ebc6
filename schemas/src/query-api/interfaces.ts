/*
 * `interfaces`: which interfaces of an application are used, how well does each do, and with which code does it fail?
 */
import { type Static, Type } from 'typebox';
import { Changes } from './changes.js';
import { FilteredQuery } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { CodeCount, NullableNumber, PERFORMANCE, Time } from './values.js';

const Load = Type.Object({
  /** Requests a second at the busiest moment; null: none in that time. */
  peak_per_s: NullableNumber,
  /** The average of a second, or of a minute: seconds of windows of an hour at most whose requests were all logged. */
  peak_over_s: Type.Union([Type.Literal(1), Type.Literal(60)]),
  peak_at: Type.Union([Time, Type.Null()]),
  /** Moments before are not looked at: of a longer window the last day is. */
  peak_since: Time,
  /** Calls a second that an application may make; null: there is no limit. */
  limit_per_s: NullableNumber,
  /** The limit is set for this application; else it is the published one. */
  is_own_limit: Type.Boolean(),
  /** The peak by the limit; null where there is no limit or no peak. */
  share_of_limit: NullableNumber,
  /** 0.8 of the limit or more. */
  is_near_limit: Type.Boolean(),
});

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
  /** It waits on purpose, as a long poll does: its delay says nothing about the service, and is not compared. */
  waits: Type.Boolean(),
  /** Against the span of equal length just before; null where nothing is kept of it. */
  change: Type.Union([Changes, Type.Null()]),
  load: Load,
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
