/*
 * `interfaces`: which interfaces of an application are used, how well does each do, and what ails it most?
 */
import type { InterfaceRow } from '@imscope/schemas/query-api/answers.js';
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
import { timeText } from './time-window.js';

/** The most used are shown; those beyond are left out. */
const INTERFACES_MAX = 1_000;

const PERFORMANCE = defineQuestion(
  'interfaces',
  Type.Object({ interface: Type.String(), last_seen_ms: Type.Number(), ...PERFORMANCE_ROW }),
);

const performanceSql = (filter: string): string => `
SELECT
  interface,
  max(b_last_seen_ms) AS last_seen_ms,
  ${PERFORMANCE_COLUMNS_SQL}
FROM (
  SELECT
    interface,
    toUnixTimestamp64Milli(max(time)) AS b_last_seen_ms,
    ${BUCKET_COLUMNS_SQL}
  FROM request_log_kept
  WHERE ${filter}
  GROUP BY interface, bucket
)
GROUP BY interface
ORDER BY requests DESC, interface
LIMIT ${INTERFACES_MAX}`;

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

/** Most used first; the share of a row's top code is of the interface's own requests. */
export async function askInterfaces(
  ask: Ask,
  filter: Filter,
  seconds: number,
  signal?: AbortSignal,
): Promise<InterfaceRow[]> {
  const [rows, topCodes] = await Promise.all([
    ask(PERFORMANCE, performanceSql(filter.sql), filter.params, signal),
    ask(TOP_CODES, topCodesSql(filter.sql), filter.params, signal),
  ]);
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
