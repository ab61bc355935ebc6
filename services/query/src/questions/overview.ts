/*
 * `overview`: how does an application do now, against the span just before, and which codes does it get?
 */
import type { Overview } from '@imscope/schemas/query-api/overview.js';
import type { CodeCount } from '@imscope/schemas/query-api/values.js';
import { Type } from 'typebox';
import { type Ask, defineQuestion } from '../store/ask-store.js';
import { CODE, codeCountOf, OUTCOME } from '../figures/code-counts.js';
import type { Filter } from '../figures/filter.js';
import { leftOut } from '../figures/left-out.js';
import { type Grouping, PERFORMANCE_ROW, performanceOf, performanceQuery } from '../figures/performance.js';
import { LOG_TERM_MS, type TimeWindow, windowSeconds } from '../figures/time-window.js';

const PERFORMANCE = defineQuestion(
  'overview',
  Type.Object({ interfaces: Type.Number(), ...PERFORMANCE_ROW }),
);

const GROUPING: Grouping = {
  key: undefined,
  logs: ['groupUniqArray(interface) AS b_interfaces'],
  metrics: ['groupUniqArray(m.interface) AS b_interfaces'],
  outer: ['uniqExactArray(b_interfaces) AS interfaces'],
};

/** The most frequent are listed; the answer says how many are left out. */
const CODES_MAX = 50;
const CODES = defineQuestion(
  'overview_codes',
  Type.Object({ code: CODE, outcome: OUTCOME, requests: Type.Number(), total: Type.Number() }),
);

const codesSql = (filter: string): string => `
SELECT code, outcome, sum(weight) AS requests, count() OVER () AS total
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

/** A window with its filter and the part of it to take from the metrics. */
export type Span = {
  readonly window: TimeWindow;
  readonly filter: Filter;
  readonly metrics: TimeWindow | null;
};

/** Codes come from the logs in any case: metrics do not tell them by outcome. */
export async function askOverview(
  ask: Ask,
  current: Span,
  previous: Span,
  signal?: AbortSignal,
): Promise<Overview> {
  const performance = ({ filter, window, metrics }: Span) => {
    const { sql, params } = performanceQuery(GROUPING, filter, window, metrics);
    return ask(PERFORMANCE, sql, params, signal);
  };
  const [[now], [before], codes] = await Promise.all([
    performance(current),
    performance(previous),
    ask(CODES, codesSql(current.filter.sql), current.filter.params, signal),
  ]);
  return {
    ...performanceOf(now, windowSeconds(current.window)),
    interfaces: now?.interfaces ?? 0,
    previous: performanceOf(before, windowSeconds(previous.window)),
    codes: codes.map((row): CodeCount => codeCountOf(row, now?.requests ?? 0)),
    codes_left_out: leftOut(codes),
  };
}
