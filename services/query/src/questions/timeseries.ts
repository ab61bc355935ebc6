/*
 * `timeseries`: how did an application do over time? One point for each step, zeros where nothing happened.
 */
import { Type } from 'typebox';
import { ratedTogether } from '../completeness/verdict.js';
import { type AnswerBounds, HISTOGRAM_ROWS, KIB, MIB } from '../store/answer-bounds.js';
import { defineStoreQuery } from '../store/ask-store.js';
import { type Grouping, PERFORMANCE_ROW, performanceOf, performanceQuery } from '../figures/performance.js';
import { stepsOf, timeText } from '../figures/time-window.js';
import { planSteps } from '../figures/plan.js';
import { requestQuestion } from './question.js';

const QUERY = defineStoreQuery('timeseries', Type.Object({ step_index: Type.Number(), ...PERFORMANCE_ROW }));

/** By step; `step_ms` is bound. */
const BY_STEP: Grouping = {
  key: 'step_index',
  logs: ['intDiv(toUnixTimestamp64Milli(time), {step_ms:Int64}) AS step_index'],
  metrics: ['intDiv(toUnixTimestamp64Milli(m.window_start), {step_ms:Int64}) AS step_index'],
  outer: ['step_index'],
};

export const TIMESERIES_BOUNDS: AnswerBounds = {
  pointsMax: 1_500,
  // The last step may be read from both sources.
  rowsMax: 2_000,
  bytes: MIB,
  bytesPerPoint: 16 * KIB,
  memoryPerByte: HISTOGRAM_ROWS,
};

/** Points in order of time; `requests_per_s` of a step that is cut by the window counts the part inside. */
export const timeseries = requestQuestion('timeseries', {
  bounds: TIMESERIES_BOUNDS,
  source: 'logs_or_metrics',
  rated: ratedTogether,
  plan: planSteps,
  answer: async ({ ask, window, plan: { stepMs }, spanOf, signal }) => {
    const { filter, metrics } = await spanOf(window);
    const { sql, params } = performanceQuery(BY_STEP, filter, window, metrics);
    const rows = await ask(QUERY, sql, { ...params, step_ms: stepMs }, signal);
    const byStart = new Map(rows.map((row) => [row.step_index * stepMs, row]));
    const data = stepsOf(window, stepMs).map(({ startMs, seconds }) => ({
      time: timeText(startMs),
      ...performanceOf(byStart.get(startMs), seconds),
    }));
    return { data };
  },
});
