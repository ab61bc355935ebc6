/*
 * `monitor`: how well does an application do, which interface or region does badly, and was it so a day ago? Counted
 * from the metrics alone.
 */
import { type Static, Type } from 'typebox';
import { TERM_HOURS, termText } from '../retention.js';
import { METRIC_FILTER_PARAMETERS } from './filter-parameters.js';
import { WINDOW_PARAMETERS } from './parameters.js';
import type { QuestionContract } from './question-contract.js';
import { Count, LeftOut, NullableNumber, OutcomeCounts, PERFORMANCE, Time } from './values.js';

/** Figures from the metrics, and what they lack. */
const MONITORED = {
  ...PERFORMANCE,
  /** Requests that are in the logs but in no metric: too late, lost, or not there yet. They are not counted here. */
  missing: Count,
};

export const MonitorCode = Type.Object({
  /** null: no code; `other`: codes beyond the first 20 of a window, counted together. */
  code: Type.Union([Type.Integer(), Type.Null(), Type.Literal('other')]),
  count: Count,
  /** Of all requests of the application or the interface it belongs to, 0 to 1. */
  share: Type.Number(),
  name: Type.String(),
  meaning: Type.String(),
  advice: Type.String(),
});
export type MonitorCode = Static<typeof MonitorCode>;

/** The same requests one day before: counts, success rate and delay, without percentiles. */
export const DayBefore = Type.Object({
  requests: Count,
  requests_per_s: Type.Number(),
  outcomes: OutcomeCounts,
  success_rate: NullableNumber,
  latency_ms: Type.Object({ avg: NullableNumber, max: NullableNumber }),
});
export type DayBefore = Static<typeof DayBefore>;
/** null where metrics of that time are no longer kept. */
const MaybeDayBefore = Type.Union([DayBefore, Type.Null()]);

export const MonitorPoint = Type.Object({
  time: Time,
  ...MONITORED,
  /** Its `missing` is of the same step a day before. */
  day_before: Type.Union([Type.Object({ ...DayBefore.properties, missing: Count }), Type.Null()]),
});
export type MonitorPoint = Static<typeof MonitorPoint>;

export const MonitorInterface = Type.Object({
  interface: Type.String(),
  ...PERFORMANCE,
  /** Most frequent codes but 0, 3 at most. */
  codes: Type.Array(MonitorCode),
  codes_left_out: LeftOut,
  day_before: MaybeDayBefore,
});
export type MonitorInterface = Static<typeof MonitorInterface>;

export const MonitorRegion = Type.Object({
  /** Empty where the source does not name it. */
  region: Type.String(),
  ...PERFORMANCE,
  day_before: MaybeDayBefore,
});
export type MonitorRegion = Static<typeof MonitorRegion>;

export const Monitor = Type.Object({
  ...MONITORED,
  /** The window one day earlier, as far as its metrics are kept; null where nothing of it is. */
  day_before: Type.Union([
    Type.Object({ from: Time, to: Time, ...DayBefore.properties, missing: Count }),
    Type.Null(),
  ]),
  /** All codes but 0 of these interfaces, most frequent first, 50 at most. */
  codes: Type.Array(MonitorCode),
  codes_left_out: LeftOut,
  /** One for each step, also for steps without requests. */
  steps: Type.Array(MonitorPoint),
  /** Most used first, 1,000 at most. */
  interfaces: Type.Array(MonitorInterface),
  interfaces_left_out: LeftOut,
  /** Most used first, 100 at most. */
  regions: Type.Array(MonitorRegion),
  regions_left_out: LeftOut,
});
export type Monitor = Static<typeof Monitor>;

export const monitor = {
  path: '/v1/applications/:sdk_app_id/monitor',
  scope: 'application',
  operationId: 'getMonitor',
  summary:
    'Success rate and delay of one application out of the metrics alone, so every request counts, sampled or not: ' +
    'over time, by interface and by region, each against one day before. Whole minutes of the last ' +
    `${termText(TERM_HOURS.interfaceMetric)}; 1,500 ` +
    'steps at most. `missing` is the number of requests that are in the logs but in no metric',
  query: Type.Object(
    {
      ...WINDOW_PARAMETERS,
      step: Type.Optional(
        Type.String({
          pattern: '^[1-9][0-9]{0,4}[mhd]$',
          description: 'whole minutes that divide a day, such as 1m, 5m, 1h; default gives about 60 points',
        }),
      ),
      ...METRIC_FILTER_PARAMETERS,
    },
    { additionalProperties: false },
  ),
  data: Monitor,
  isBoundedList: false,
} as const satisfies QuestionContract;
