/*
 * `applications`: which applications lose requests right now? Worst first, each with its worst interface and a
 * sparkline.
 */
import { type Static, Type } from 'typebox';
import { APPLICATION_NAME } from './application-name.js';
import { STEP_PARAMETER, WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { Count, NullableNumber, PERFORMANCE, Time } from './values.js';

export const SparkPoint = Type.Object({ time: Time, requests: Count, success_rate: NullableNumber });
export type SparkPoint = Static<typeof SparkPoint>;

export const ApplicationRow = Type.Object({
  sdk_app_id: Type.Integer(),
  ...APPLICATION_NAME,
  ...PERFORMANCE,
  interfaces: Count,
  /** Of the interfaces with service errors the first in the order of the list; null where there are none. */
  worst_interface: Type.Union([
    Type.Object({ interface: Type.String(), service_errors: Count, success_rate: NullableNumber }),
    Type.Null(),
  ]),
  last_seen: Time,
  sparkline: Type.Array(SparkPoint),
});
export type ApplicationRow = Static<typeof ApplicationRow>;

export const applications = {
  path: '/v1/applications',
  scope: 'fleet',
  operationId: 'listApplications',
  summary: 'All applications the caller may see, worst first, 1,000 at most; 120 steps at most',
  query: Type.Object({ ...WINDOW_PARAMETERS, step: STEP_PARAMETER }, { additionalProperties: false }),
  data: Type.Array(ApplicationRow),
  isBoundedList: true,
} as const satisfies QuestionContract;
