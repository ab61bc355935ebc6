/*
 * Which hours are built in `hour_rollup`, and what the logs and the metrics held of a subject in each of them. The newest
 * complete build of an hour is used; aggregators delete an older one ten minutes later.
 */
import { Type } from 'typebox';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { createMemory } from '../store/memory.js';
import type { RollupHour } from './metric-span.js';
import { type Subject, subjectKey, subjectSql } from './subject.js';

/** What the logs and the metrics hold of a part of a window. */
export type Held = {
  readonly logRows: number;
  readonly logWeight: number;
  /** Of the applications of which the logs hold more than the metrics: how much more. */
  readonly missing: number;
  /** Those applications; all where there are too many. */
  readonly lacking: readonly number[] | 'all';
};

export type HeldHour = RollupHour & Held;

/** In order of time. */
export type HoursOf = (subject: Subject, nowMs: number) => Promise<readonly HeldHour[]>;

/** This time and the longest question fit into the ten minutes after which an older build is deleted. */
const BUILT_REUSE_MS = 5_000;
const HELD_REUSE_MS = 60_000;
/** At the bound the oldest is dropped. */
const REUSED_MAX = 1_000;
/** Beyond so many lacking applications the part is read from the logs for all. */
const LACKING_MAX = 500;

/** Columns of a query that groups by application first: `a_log_rows`, `a_log_weight` and `a_logged_weight` of each. */
export const HELD_SQL = `sum(a_log_rows) AS log_rows,
  sum(a_log_weight) AS log_weight,
  sumIf(a_log_weight - a_logged_weight, a_log_weight > a_logged_weight) AS missing,
  countIf(a_log_weight > a_logged_weight) AS lacking,
  groupArrayIf(${LACKING_MAX})(sdk_app_id, a_log_weight > a_logged_weight) AS lacking_ids`;

export const HELD_COLUMNS = {
  log_rows: Type.Number(),
  log_weight: Type.Number(),
  missing: Type.Number(),
  lacking: Type.Number(),
  lacking_ids: Type.Array(Type.Number()),
};

export const NOTHING_HELD: Held = { logRows: 0, logWeight: 0, missing: 0, lacking: [] };

/** @param row with the columns of `HELD_SQL` */
export function heldOf(row: {
  readonly log_rows: number;
  readonly log_weight: number;
  readonly missing: number;
  readonly lacking: number;
  readonly lacking_ids: readonly number[];
}): Held {
  return {
    logRows: row.log_rows,
    logWeight: row.log_weight,
    missing: row.missing,
    lacking: row.lacking > LACKING_MAX ? 'all' : row.lacking_ids,
  };
}

const BUILT = defineStoreQuery(
  'rollup_builds',
  Type.Object({
    hour_ms: Type.Number(),
    to_ms: Type.Number(),
    metrics_version: Type.Number(),
    logs_version: Type.Number(),
  }),
);

const BUILT_SQL = `
SELECT
  toUnixTimestamp64Milli(window_start) AS hour_ms,
  toUnixTimestamp64Milli(covers_to) AS to_ms,
  maxIf(version, kind = 'metrics_built') AS metrics_version,
  maxIf(version, kind = 'logs_counted') AS logs_version
FROM hour_rollup_build_kept
GROUP BY hour_ms, to_ms
HAVING metrics_version > 0 AND logs_version > 0
ORDER BY hour_ms, to_ms DESC
LIMIT 1 BY hour_ms`;

const HELD = defineStoreQuery('rollup_hours', Type.Object({ hour_ms: Type.Number(), ...HELD_COLUMNS }));

const heldSql = (whose: string): string => `
SELECT
  hour_ms,
  ${HELD_SQL}
FROM (
  SELECT
    toUnixTimestamp64Milli(window_start) AS hour_ms,
    sdk_app_id,
    sum(r.log_rows) AS a_log_rows,
    sum(r.log_weight) AS a_log_weight,
    sum(r.logged_weight) AS a_logged_weight
  FROM hour_rollup_kept AS r
  WHERE ${whose} AND (kind = 'application_hour' AND version IN {versions:Array(UInt64)}
    OR kind = 'logged' AND version IN {logs_versions:Array(UInt64)})
  GROUP BY hour_ms, sdk_app_id
)
GROUP BY hour_ms`;

type BuiltHour = {
  readonly hour_ms: number;
  readonly to_ms: number;
  readonly metrics_version: number;
  readonly logs_version: number;
};

export function createHoursOf(ask: Ask): HoursOf {
  const builtMemory = createMemory<readonly BuiltHour[]>(BUILT_REUSE_MS, 1);
  const heldMemory = createMemory<readonly HeldHour[]>(HELD_REUSE_MS, REUSED_MAX);
  return async (subject, nowMs) => {
    const hours = await builtMemory('', nowMs, () => ask(BUILT, BUILT_SQL, {}));
    if (hours.length === 0) return [];
    const newest = hours.reduce((most, hour) => Math.max(most, hour.metrics_version, hour.logs_version), 0);
    // The first hour expires, and any other is replaced by a newer build.
    const key = `${subjectKey(subject)} ${hours[0]?.hour_ms ?? 0} ${newest}`;
    return heldMemory(key, nowMs, () => readHeld(ask, subject, hours));
  };
}

async function readHeld(
  ask: Ask,
  subject: Subject,
  hours: readonly BuiltHour[],
): Promise<readonly HeldHour[]> {
  const whose = subjectSql(subject);
  const rows = await ask(HELD, heldSql(whose.sql), {
    ...whose.params,
    versions: hours.map((hour) => hour.metrics_version),
    logs_versions: hours.map((hour) => hour.logs_version),
  });
  const byStart = new Map(rows.map((row) => [row.hour_ms, row]));
  return hours.map(({ hour_ms, to_ms, metrics_version, logs_version }) => {
    const row = byStart.get(hour_ms);
    const held = row === undefined ? NOTHING_HELD : heldOf(row);
    return { startMs: hour_ms, toMs: to_ms, version: metrics_version, logsVersion: logs_version, ...held };
  });
}
