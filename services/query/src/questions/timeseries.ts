/*
 * `timeseries`: how did an application do over time? One point for each step, zeros where nothing happened.
 */
import type { TimePoint } from '@imscope/schemas/query-api/timeseries.js';
import { Type } from 'typebox';
import { type Ask, defineQuestion } from '../store/ask-store.js';
import type { Filter } from '../figures/filter.js';
import { type Grouping, PERFORMANCE_ROW, performanceOf, performanceQuery } from '../figures/performance.js';
import { stepsOf, timeText, type TimeWindow } from '../figures/time-window.js';

const QUESTION = defineQuestion('timeseries', Type.Object({ step_index: Type.Number(), ...PERFORMANCE_ROW }));

/** By step; `step_ms` is bound. */
const BY_STEP: Grouping = {
  key: 'step_index',
  logs: ['intDiv(toUnixTimestamp64Milli(time), {step_ms:Int64}) AS step_index'],
  metrics: ['intDiv(toUnixTimestamp64Milli(m.window_start), {step_ms:Int64}) AS step_index'],
  outer: ['step_index'],
};

/**
 * Points in order of time; `requests_per_s` of a step that is cut by the window counts the part inside.
 * @param metrics the part of the window to take from the metrics; steps must be whole minutes then
 */
export async function askTimeseries(
  ask: Ask,
  filter: Filter,
  window: TimeWindow,
  stepMs: number,
  metrics: TimeWindow | null,
  signal?: AbortSignal,
): Promise<TimePoint[]> {
  const { sql, params } = performanceQuery(BY_STEP, filter, window, metrics);
  const rows = await ask(QUESTION, sql, { ...params, step_ms: stepMs }, signal);
  const byStart = new Map(rows.map((row) => [row.step_index * stepMs, row]));
  return stepsOf(window, stepMs).map(({ startMs, seconds }) => ({
    time: timeText(startMs),
    ...performanceOf(byStart.get(startMs), seconds),
  }));
}
