/*
 * What the logs and the metrics hold of a subject in parts of a window, counted in the tables themselves: for the parts
 * that are not built in `hour_rollup`, such as the last hour.
 */
import { Type } from 'typebox';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { createMemory } from '../store/memory.js';
import { type Held, HELD_COLUMNS, HELD_SQL, heldOf, NOTHING_HELD } from './rollup-hours.js';
import { type Subject, subjectKey, subjectSql } from './subject.js';
import type { TimeWindow } from './time-window.js';

/** Of each part, in order. The parts are disjoint and in order of time. */
export type HeldOf = (
  subject: Subject,
  parts: readonly TimeWindow[],
  nowMs: number,
) => Promise<readonly Held[]>;

/** A page asks its questions together, and the whole minutes of a live window stay the same for a minute. */
const REUSE_MS = 5_000;
/** Counting all applications costs about as much as their answer, and the parts are others a minute later anyway. */
const FLEET_REUSE_MS = 60_000;
/** At the bound the oldest is dropped. */
const REUSED_MAX = 1_000;

const QUERY = defineStoreQuery('logged_and_recorded', Type.Object({ part: Type.Number(), ...HELD_COLUMNS }));

export function createHeldOf(ask: Ask): HeldOf {
  const memory = createMemory<readonly Held[]>(REUSE_MS, REUSED_MAX);
  const fleetMemory = createMemory<readonly Held[]>(FLEET_REUSE_MS, REUSED_MAX);
  return async (subject, parts, nowMs) => {
    if (parts.length === 0) return [];
    const spans = parts.map(({ fromMs, toMs }) => `${fromMs} ${toMs}`);
    const key = [subjectKey(subject), ...spans].join(' ');
    const remembered = subject.kind === 'fleet' ? fleetMemory : memory;
    return remembered(key, nowMs, () => readHeld(ask, subject, parts));
  };
}

async function readHeld(ask: Ask, subject: Subject, parts: readonly TimeWindow[]): Promise<readonly Held[]> {
  const whose = subjectSql(subject);
  const rows = await ask(QUERY, heldSql(whose.sql, parts.length), {
    ...whose.params,
    part_ends_ms: parts.map(({ toMs }) => toMs),
    ...Object.fromEntries(
      parts.flatMap(({ fromMs, toMs }, part) => [
        [`part_${part}_from_ms`, fromMs],
        [`part_${part}_to_ms`, toMs],
      ]),
    ),
  });
  const byPart = new Map(rows.map((row) => [row.part, heldOf(row)]));
  // Parts are numbered from 1.
  return parts.map((_, index) => byPart.get(index + 1) ?? NOTHING_HELD);
}

const heldSql = (whose: string, parts: number): string => `
SELECT
  part,
  ${HELD_SQL}
FROM (
  SELECT
    part,
    sdk_app_id,
    sum(b_log_rows) AS a_log_rows,
    sum(b_log_weight) AS a_log_weight,
    sum(b_logged_weight) AS a_logged_weight
  FROM (
    SELECT ${partSql('time')} AS part, sdk_app_id, count() AS b_log_rows, sum(weight) AS b_log_weight, toUInt64(0) AS b_logged_weight
    FROM request_log_kept
    WHERE ${whose} AND (${withinSql('time', parts)})
    GROUP BY part, sdk_app_id
    UNION ALL
    SELECT ${partSql('window_start')} AS part, sdk_app_id, 0, 0, sum(logged_weight)
    FROM interface_metric_kept
    WHERE ${whose} AND (${withinSql('window_start', parts)})
    GROUP BY part, sdk_app_id
  )
  GROUP BY part, sdk_app_id
)
GROUP BY part`;

function withinSql(column: string, parts: number): string {
  const ranges = Array.from(
    { length: parts },
    (_, part) => `(${column} >= fromUnixTimestamp64Milli({part_${part}_from_ms:Int64}, 'UTC')
      AND ${column} < fromUnixTimestamp64Milli({part_${part}_to_ms:Int64}, 'UTC'))`,
  );
  return ranges.join('\n      OR ');
}

function partSql(column: string): string {
  return `arrayFirstIndex(end_ms -> toUnixTimestamp64Milli(${column}) < end_ms, {part_ends_ms:Array(Int64)})`;
}
