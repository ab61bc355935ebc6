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
  const readTogether = createReadTogether(ask);
  return async (subject, parts, nowMs) => {
    if (parts.length === 0) return [];
    const spans = parts.map(({ fromMs, toMs }) => `${fromMs} ${toMs}`);
    const key = [subjectKey(subject), ...spans].join(' ');
    const remembered = subject.kind === 'fleet' ? fleetMemory : memory;
    return remembered(key, nowMs, () => readTogether(subject, parts));
  };
}

type Waiting = {
  readonly parts: readonly TimeWindow[];
  resolve(held: readonly Held[]): void;
  reject(error: unknown): void;
};

/**
 * A question counts its window and the one it compares with at the same moment. Both are counted by one statement, because
 * planning one costs the store more than reading it.
 */
function createReadTogether(
  ask: Ask,
): (subject: Subject, parts: readonly TimeWindow[]) => Promise<readonly Held[]> {
  const waiting = new Map<string, Waiting[]>();
  const readGroup = async (subject: Subject, group: readonly Waiting[]): Promise<void> => {
    const ordered = group.flatMap(({ parts }) => parts).toSorted((a, b) => a.fromMs - b.fromMs);
    try {
      const held = await readHeld(ask, subject, ordered);
      const heldOfPart = new Map(ordered.map((part, index) => [part, held[index] ?? NOTHING_HELD]));
      for (const { parts, resolve } of group)
        resolve(parts.map((part) => heldOfPart.get(part) ?? NOTHING_HELD));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  };
  const readWaiting = (subject: Subject): void => {
    const calls = waiting.get(subjectKey(subject)) ?? [];
    waiting.delete(subjectKey(subject));
    for (const group of disjointGroups(calls)) void readGroup(subject, group);
  };
  return (subject, parts) =>
    new Promise((resolve, reject) => {
      const calls = waiting.get(subjectKey(subject));
      if (calls !== undefined) {
        calls.push({ parts, resolve, reject });
        return;
      }
      waiting.set(subjectKey(subject), [{ parts, resolve, reject }]);
      setImmediate(() => readWaiting(subject));
    });
}

/** A row is counted in one part of a statement. */
function disjointGroups(calls: readonly Waiting[]): Waiting[][] {
  const groups: Waiting[][] = [];
  for (const call of calls) {
    const group = groups.find((others) =>
      others.every(({ parts }) => parts.every((part) => !call.parts.some((own) => overlap(own, part)))),
    );
    if (group === undefined) groups.push([call]);
    else group.push(call);
  }
  return groups;
}

function overlap(a: TimeWindow, b: TimeWindow): boolean {
  return a.fromMs < b.toMs && b.fromMs < a.toMs;
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
