/*
 * `refusals`: how many records of an application did collectors refuse, and why? Counted from the collectors' accounts.
 */
import { type Static, Type } from 'typebox';
import { WindowQuery } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { Count } from './values.js';

export const RefusalReason = Type.Object({
  /** One of the collector's reasons, such as `unknown_field`. */
  reason: Type.String(),
  records: Count,
  meaning: Type.String(),
  advice: Type.String(),
});
export type RefusalReason = Static<typeof RefusalReason>;

export const Refusals = Type.Object({
  /** Records refused in the window, for any reason. */
  records: Count,
  /** Most frequent first. */
  reasons: Type.Array(RefusalReason),
});
export type Refusals = Static<typeof Refusals>;

export const refusals = {
  path: '/v1/applications/:sdk_app_id/refusals',
  scope: 'application',
  operationId: 'listRefusals',
  summary:
    'Records that collectors refused of one application, by reason, most frequent first, with what to do. Counted ' +
    'from the accounts that collectors write every minute, so the last minute is not in it yet',
  query: WindowQuery,
  data: Refusals,
  isBoundedList: false,
} as const satisfies QuestionContract;
