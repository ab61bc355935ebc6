/*
 * `timeseries`: how did an application do over time? One point for each step, zeros where nothing happened.
 */
import type { TimePoint } from '@imscope/schemas/query-api/answers.js';
import { Type } from 'typebox';
import { type Ask, defineQuestion } from './ask-store.js';
import type { Filter } from './filter.js';
import {
  BUCKET_COLUMNS_SQL,
  PERFORMANCE_COLUMNS_SQL,
  PERFORMANCE_ROW,
  performanceOf,
} from './performance.js';
import { stepsOf, timeText, type TimeWindow } from './time-window.js';

const QUESTION = defineQuestion('timeseries', Type.Object({ step_index: Type.Number(), ...PERFORMANCE_ROW }));

const sqlOf = (filter: string): string => `
SELECT
  step_index,
  ${PERFORMANCE_COLUMNS_SQL}
FROM (
  SELECT
    intDiv(toUnixTimestamp64Milli(time), {step_ms:Int64}) AS step_index,
    ${BUCKET_COLUMNS_SQL}
  FROM request_log_kept
  WHERE ${filter}
  GROUP BY step_index, bucket
)
GROUP BY step_index`;

/** Points in order of time; `requests_per_s` of a step that is cut by the window counts the part inside. */
export async function askTimeseries(
  ask: Ask,
  filter: Filter,
  window: TimeWindow,
  stepMs: number,
  signal?: AbortSignal,
): Promise<TimePoint[]> {
  const rows = await ask(QUESTION, sqlOf(filter.sql), { ...filter.params, step_ms: stepMs }, signal);
  const byStart = new Map(rows.map((row) => [row.step_index * stepMs, row]));
  return stepsOf(window, stepMs).map(({ startMs, seconds }) => ({
    time: timeText(startMs),
    ...performanceOf(byStart.get(startMs), seconds),
  }));
}
