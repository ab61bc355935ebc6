/*
 * `timeseries` and `fleetTimeseries`: how did requests go over time? One point for each step, zeros where nothing
 * happened; split by a dimension, one for each step and series; beside the same time some days before.
 */
import { type Static, Type } from 'typebox';
import { NamedApplication } from './application-name.js';
import { DIMENSIONS, FLEET_DIMENSIONS, GroupValues } from './dimensions.js';
import { DETAIL_FILTER_PARAMETERS, FILTER_PARAMETERS } from './filter-parameters.js';
import { STEP_PARAMETER, WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { Count, PERFORMANCE, Time } from './values.js';

export const SPLIT_LIMIT_DEFAULT = 5;
export const SPLIT_LIMIT_MAX = 10;

export const TimePoint = Type.Object({
  time: Time,
  ...PERFORMANCE,
  /** Only of a split series: the value that its requests have in common; null: those of all values without a series. */
  group: Type.Optional(Type.Union([GroupValues, Type.Null()])),
  /** Of the series of the others: values that have none because they are about too few requests or addresses. */
  withheld: Type.Optional(Count),
  /** Of series by application. */
  application: Type.Optional(NamedApplication),
  /** Only where it was asked for: the same step earlier; null where logs are no longer kept. */
  compared: Type.Optional(Type.Union([Type.Object({ time: Time, ...PERFORMANCE }), Type.Null()])),
});
export type TimePoint = Static<typeof TimePoint>;

const SPLIT_DESCRIPTION =
  'one series for each of the most frequent values, and one for all others; points come series by series';

const PARAMETERS = {
  ...WINDOW_PARAMETERS,
  step: STEP_PARAMETER,
  split_limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: SPLIT_LIMIT_MAX,
      description: `series beside that of the others, default ${SPLIT_LIMIT_DEFAULT}`,
    }),
  ),
  split_sort: Type.Optional(
    Type.Enum(['requests', 'lost'], {
      description:
        'whose series are shown: requests, the most frequent (default); lost, those with most service errors',
    }),
  ),
  compare: Type.Optional(
    Type.Enum(['1d', '6d'], {
      description:
        'beside each point the same step one day or six days earlier; six days are kept for windows of the last day',
    }),
  ),
  ...FILTER_PARAMETERS,
  ...DETAIL_FILTER_PARAMETERS,
};

export const timeseries = {
  path: '/v1/applications/:sdk_app_id/timeseries',
  scope: 'application',
  operationId: 'getTimeseries',
  summary:
    'An application over time: one point for each step and series, 1,500 at most. Steps begin at multiples of the step; ' +
    'the first and the last hold only what lies in the window',
  query: Type.Object(
    { split_by: Type.Optional(Type.Enum(DIMENSIONS, { description: SPLIT_DESCRIPTION })), ...PARAMETERS },
    { additionalProperties: false },
  ),
  data: Type.Array(TimePoint),
  isBoundedList: false,
  hasPersonalFilters: true,
} as const satisfies QuestionContract;

export const fleetTimeseries = {
  ...timeseries,
  path: '/v1/fleet/timeseries',
  scope: 'fleet',
  operationId: 'getFleetTimeseries',
  summary:
    'All applications the caller may see over time, as the time series of one application; also split by application',
  query: Type.Object(
    {
      split_by: Type.Optional(Type.Enum(FLEET_DIMENSIONS, { description: SPLIT_DESCRIPTION })),
      ...PARAMETERS,
    },
    { additionalProperties: false },
  ),
} as const satisfies QuestionContract;
