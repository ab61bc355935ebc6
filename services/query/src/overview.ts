/*
 * `overview`: how does an application do now, against the span just before, and which codes does it get?
 */
import type { CodeCount, Overview } from '@imscope/schemas/query-api/answers.js';
import { Type } from 'typebox';
import { type Ask, defineQuestion } from './ask-store.js';
import { CODE, codeCountOf, OUTCOME } from './codes.js';
import type { Filter } from './filter.js';
import {
  BUCKET_COLUMNS_SQL,
  PERFORMANCE_COLUMNS_SQL,
  PERFORMANCE_ROW,
  performanceOf,
} from './performance.js';
import { LOG_TERM_MS, type TimeWindow, windowSeconds } from './time-window.js';

const PERFORMANCE = defineQuestion(
  'overview',
  Type.Object({ is_current: Type.Number(), interfaces: Type.Number(), ...PERFORMANCE_ROW }),
);

const performanceSql = (filter: string): string => `
SELECT
  is_current,
  uniqExactArray(b_interfaces) AS interfaces,
  ${PERFORMANCE_COLUMNS_SQL}
FROM (
  SELECT
    time >= fromUnixTimestamp64Milli({current_from_ms:Int64}, 'UTC') AS is_current,
    groupUniqArray(interface) AS b_interfaces,
    ${BUCKET_COLUMNS_SQL}
  FROM request_log_kept
  WHERE ${filter}
  GROUP BY is_current, bucket
)
GROUP BY is_current`;

const CODES_MAX = 50;
const CODES = defineQuestion(
  'overview_codes',
  Type.Object({ code: CODE, outcome: OUTCOME, requests: Type.Number() }),
);

const codesSql = (filter: string): string => `
SELECT code, outcome, sum(weight) AS requests
FROM request_log_kept
WHERE (code != 0 OR code IS NULL) AND ${filter}
GROUP BY code, outcome
ORDER BY requests DESC, code, outcome
LIMIT ${CODES_MAX}`;

/** The span of equal length just before, as far as logs are kept that long; may be empty. */
export function previousWindow(window: TimeWindow, nowMs: number): TimeWindow {
  const spanMs = window.toMs - window.fromMs;
  const fromMs = Math.max(window.fromMs - spanMs, nowMs - LOG_TERM_MS);
  return { fromMs: Math.min(fromMs, window.fromMs), toMs: window.fromMs };
}

/** @param filterFor the filter clause of the question over a window */
export async function askOverview(
  ask: Ask,
  filterFor: (window: TimeWindow) => Filter,
  window: TimeWindow,
  nowMs: number,
  signal?: AbortSignal,
): Promise<Overview> {
  const previous = previousWindow(window, nowMs);
  const both = filterFor({ fromMs: previous.fromMs, toMs: window.toMs });
  const current = filterFor(window);
  const [rows, codes] = await Promise.all([
    ask(PERFORMANCE, performanceSql(both.sql), { ...both.params, current_from_ms: window.fromMs }, signal),
    ask(CODES, codesSql(current.sql), current.params, signal),
  ]);
  const now = rows.find((row) => row.is_current === 1);
  const before = rows.find((row) => row.is_current === 0);
  return {
    ...performanceOf(now, windowSeconds(window)),
    interfaces: now?.interfaces ?? 0,
    previous: performanceOf(before, windowSeconds(previous)),
    codes: codes.map((row): CodeCount => codeCountOf(row, now?.requests ?? 0)),
  };
}
