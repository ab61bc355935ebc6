/*
 * `versions`: which client platforms and SDK versions use an application, and does one do worse than the others?
 */
import { type Static, Type } from 'typebox';
import { FilteredQuery } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { PERFORMANCE } from './values.js';

export const VersionRow = Type.Object({
  /** Empty where the source does not name it. */
  platform: Type.String(),
  /** Empty where the source does not name it. */
  sdk_version: Type.String(),
  ...PERFORMANCE,
  /** Of all requests in the window that the filters keep, 0 to 1. */
  share: Type.Number(),
});
export type VersionRow = Static<typeof VersionRow>;

export const versions = {
  path: '/v1/applications/:sdk_app_id/versions',
  scope: 'application',
  operationId: 'listVersions',
  summary:
    'The client platforms and SDK versions of an application, each with its success rate, delay and share of the ' +
    'requests, most used first, 200 at most. Counted from the logs: metrics do not hold platform and version',
  query: FilteredQuery,
  data: Type.Array(VersionRow),
  isBoundedList: true,
} as const satisfies QuestionContract;
