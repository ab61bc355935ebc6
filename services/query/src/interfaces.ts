/*
 * `interfaces`: which interfaces of an application are used, how well does each do, and what ails it most?
 */
import type { InterfaceRow } from '@imscope/schemas/query-api/answers.js';
import { Type } from 'typebox';
import { type Ask, defineQuestion } from './ask-store.js';
import { CODE, codeCountOf, OUTCOME } from './codes.js';
import type { Filter } from './filter.js';
import { type Grouping, PERFORMANCE_ROW, performanceOf, performanceQuery } from './performance.js';
import { timeText, type TimeWindow, windowSeconds } from './time-window.js';

/** The most used are shown; those beyond are left out. */
const INTERFACES_MAX = 1_000;

const PERFORMANCE = defineQuestion(
  'interfaces',
  Type.Object({ interface: Type.String(), last_seen_ms: Type.Number(), ...PERFORMANCE_ROW }),
);

const GROUPING: Grouping = {
  key: 'interface',
  logs: ['interface', 'toUnixTimestamp64Milli(max(time)) AS b_last_seen_ms'],
  metrics: ['m.interface AS interface', 'toUnixTimestamp64Milli(max(m.window_start)) AS b_last_seen_ms'],
  outer: ['interface', 'max(b_last_seen_ms) AS last_seen_ms'],
};

const TOP_CODES = defineQuestion(
  'interfaces_top_codes',
  Type.Object({ interface: Type.String(), code: CODE, outcome: OUTCOME, requests: Type.Number() }),
);

const topCodesSql = (filter: string): string => `
SELECT interface, code, outcome, sum(weight) AS requests
FROM request_log_kept
WHERE outcome != 'success' AND ${filter}
GROUP BY interface, code, outcome
ORDER BY requests DESC, code, outcome
LIMIT 1 BY interface`;

/**
 * Most used first; the share of a row's top code is of the interface's own requests. Top codes come from the logs
 * in any case: metrics do not tell codes by outcome.
 * @param metrics the part of the window to take from the metrics
 */
export async function askInterfaces(
  ask: Ask,
  filter: Filter,
  window: TimeWindow,
  metrics: TimeWindow | null,
  signal?: AbortSignal,
): Promise<InterfaceRow[]> {
  const { sql, params } = performanceQuery(GROUPING, filter, window, metrics);
  const mostUsedSql = `${sql}\nORDER BY requests DESC, interface\nLIMIT ${INTERFACES_MAX}`;
  const [rows, topCodes] = await Promise.all([
    ask(PERFORMANCE, mostUsedSql, params, signal),
    ask(TOP_CODES, topCodesSql(filter.sql), filter.params, signal),
  ]);
  const seconds = windowSeconds(window);
  const topCodeOf = new Map(topCodes.map((row) => [row.interface, row]));
  return rows.map((row) => {
    const topCode = topCodeOf.get(row.interface);
    return {
      interface: row.interface,
      ...performanceOf(row, seconds),
      top_code: topCode === undefined ? null : codeCountOf(topCode, row.requests),
      last_seen: timeText(row.last_seen_ms),
    };
  });
}
