/*
 * When each group of failures was seen within the term of the logs, whatever the window and the filters of a question: when first
 * and last, and in which hours. Remembered for minutes; it holds no counts.
 */
import { type Static, Type } from 'typebox';
import { SPAN_SQL, spanParams } from '../figures/filter.js';
import { type Subject, subjectKey, subjectSql } from '../figures/subject.js';
import { HOUR_MS, LOG_TERM_MS, MINUTE_MS } from '../figures/time-window.js';
import { CODE } from '../figures/code-counts.js';
import { groupOf } from '../grouping/group-of.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { createMemory } from '../store/memory.js';
import { historySql } from './failure-sql.js';

export type Seen = {
  readonly exception: string;
  readonly code: number | null;
  readonly cause: string;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Bit n is the hour `firstHour + n`, since 1970. */
  readonly hours: bigint;
};

export type History = {
  readonly fromMs: number;
  readonly firstHour: number;
  readonly groups: ReadonlyMap<string, Seen>;
  /** False: there are more shapes than are read; those seen longest ago are not in it. */
  readonly isComplete: boolean;
};

/** `refresh` looks up again what is remembered. */
export type HistoryOf = (subject: Subject, nowMs: number, refresh?: 'refresh') => Promise<History>;

const REUSE_MS = 10 * MINUTE_MS;
/** Of a look-up for a group that is not remembered: ids at random do not each cause one. */
const FRESH_MS = 5_000;
/** Subjects remembered; of each 5,000 groups at most. */
const SUBJECTS_MAX = 50;

const Row = Type.Object({
  exception: Type.String(),
  code: CODE,
  shape: Type.String(),
  first_ms: Type.Number(),
  last_ms: Type.Number(),
  hours: Type.String({ pattern: '^[0-9A-F]+$' }),
  shapes_total: Type.Number(),
});
const HISTORY = defineStoreQuery('exceptions_history', Row);

export function createHistories(ask: Ask): HistoryOf {
  const remembered = createMemory<History>(REUSE_MS, SUBJECTS_MAX);
  const fresh = createMemory<History>(FRESH_MS, SUBJECTS_MAX);
  return (subject, nowMs, refresh) => {
    const memory = refresh === undefined ? remembered : fresh;
    return memory(subjectKey(subject), nowMs, () => readHistory(ask, subject, nowMs));
  };
}

async function readHistory(ask: Ask, subject: Subject, nowMs: number): Promise<History> {
  const fromMs = nowMs - LOG_TERM_MS;
  const firstHour = Math.floor(fromMs / HOUR_MS);
  const { sql, params } = subjectSql(subject);
  const span = spanParams({ fromMs, toMs: nowMs + HOUR_MS });
  const rows = await ask(HISTORY, historySql(`${sql} AND ${SPAN_SQL}`), {
    ...params,
    ...span,
    first_hour: firstHour,
  });
  const isComplete = (rows[0]?.shapes_total ?? 0) === rows.length;
  return { fromMs, firstHour, groups: merged(rows), isComplete };
}

function merged(rows: readonly Static<typeof Row>[]): Map<string, Seen> {
  const groups = new Map<string, Seen>();
  for (const { exception, code, shape, first_ms: firstMs, last_ms: lastMs, hours } of rows) {
    const { id, cause } = groupOf({ exception, code, shape });
    const known = groups.get(id) ?? { firstMs, lastMs, hours: 0n };
    groups.set(id, {
      exception,
      code,
      cause,
      firstMs: Math.min(known.firstMs, firstMs),
      lastMs: Math.max(known.lastMs, lastMs),
      hours: known.hours | BigInt(`0x${hours}`),
    });
  }
  return groups;
}

/**
 * Whole hours without the group before it was seen again in the window: the longest such silence that ended in it.
 * @param seenMs times at which it was seen in the window
 * @returns 0 where it was seen in every hour, or for the first time
 */
export function silentHours(
  history: Pick<History, 'firstHour'>,
  seen: Pick<Seen, 'hours'> | undefined,
  windowFromMs: number,
  seenMs: readonly number[],
): number {
  const hours = new Set(seenMs.map((timeMs) => Math.floor(timeMs / HOUR_MS)));
  for (let bits = seen?.hours ?? 0n, hour = history.firstHour; bits > 0n; bits >>= 1n, hour++) {
    if ((bits & 1n) === 1n) hours.add(hour);
  }
  const sorted = [...hours].toSorted((a, b) => a - b);
  const windowHour = Math.floor(windowFromMs / HOUR_MS);
  return sorted.reduce((longest, hour, at) => {
    const before = sorted[at - 1];
    if (before === undefined || hour < windowHour) return longest;
    return Math.max(longest, hour - before - 1);
  }, 0);
}
