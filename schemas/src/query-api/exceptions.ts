/*
 * `exceptions`: why do requests of an application fail? Groups of failures with their causes and a request to look at.
 */
import { type Static, Type } from 'typebox';
import { FilteredQuery } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { OutcomeName } from '../shown-record.js';
import { Count, Time } from './values.js';

export const ExceptionRow = Type.Object({
  exception: Type.String(),
  interface: Type.String(),
  code: Type.Union([Type.Integer(), Type.Null()]),
  outcome: OutcomeName,
  count: Count,
  first_seen: Time,
  last_seen: Time,
  nodes: Count,
  regions: Count,
  /** Most frequent causes, 3 at most. */
  causes: Type.Array(Type.Object({ cause: Type.String(), count: Count })),
  name: Type.String(),
  advice: Type.String(),
  sample_request_id: Type.String(),
});
export type ExceptionRow = Static<typeof ExceptionRow>;

export const exceptions = {
  path: '/v1/applications/:sdk_app_id/exceptions',
  scope: 'application',
  operationId: 'listExceptions',
  summary:
    'Failures with their causes: every service error, and all else that carries an exception, grouped by ' +
    'exception, interface, code and outcome, most frequent first; of more than 200 groups service errors are ' +
    'listed before others',
  query: FilteredQuery,
  data: Type.Array(ExceptionRow),
  isBoundedList: true,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;
