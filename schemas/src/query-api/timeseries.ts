/*
 * `timeseries`: how did an application do over time? One point for each step, zeros where nothing happened.
 */
import { type Static, Type } from 'typebox';
import { DETAIL_FILTER_PARAMETERS, FILTER_PARAMETERS } from './filter-parameters.js';
import { STEP_PARAMETER, WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { PERFORMANCE, Time } from './values.js';

export const TimePoint = Type.Object({ time: Time, ...PERFORMANCE });
export type TimePoint = Static<typeof TimePoint>;

export const timeseries = {
  path: '/v1/applications/:sdk_app_id/timeseries',
  scope: 'application',
  operationId: 'getTimeseries',
  summary:
    'An application over time: one point for each step, 1,500 at most. Steps begin at multiples of the step; ' +
    'the first and the last hold only what lies in the window',
  query: Type.Object(
    { ...WINDOW_PARAMETERS, step: STEP_PARAMETER, ...FILTER_PARAMETERS, ...DETAIL_FILTER_PARAMETERS },
    { additionalProperties: false },
  ),
  data: Type.Array(TimePoint),
  isBoundedList: false,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;
