/*
 * Where the figures of an answer come from. Metrics count every request, sampled or not, and are quick to sum, but
 * hold whole minutes only and may lack what the logs have: events more than an hour late, what a killed collector
 * had in memory, the last minutes. So metrics are checked against the logs: they are used where the logged weight they
 * state is no less than the weight in the logs; the rest of a window comes from the logs.
 */
import { METRIC_LATE_HOURS_MAX } from '@imscope/schemas/retention.js';
import { Type } from 'typebox';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { createMemory } from '../store/memory.js';
import { type Subject, subjectKey, subjectSql } from './subject.js';
import { floorMinute, HOUR_MS, METRIC_TERM_MS, MINUTE_MS, type TimeWindow } from './time-window.js';

export type Source = {
  /** The part of the window to read from the metrics, whole minutes; null: all comes from the logs. */
  readonly metrics: TimeWindow | null;
  /** The share of the subject's requests that was logged one by one; null without requests. */
  readonly loggedShare: number | null;
};

/**
 * The oldest minutes are not read from the metrics, because they could expire while the query runs: at most 60 s of
 * waiting, 120 s of a question, 60 s of waiting again, and a minute between the clocks.
 */
const CLIP_MARGIN_MS = 5 * MINUTE_MS;
/** Events up to the latest allowed still open windows. Add 10 s until these are written, and the time to the store. */
const SETTLED_AFTER_MS = METRIC_LATE_HOURS_MAX * HOUR_MS + 10 * MINUTE_MS;
/** A window of a minute, its grace (2 s), and the time to the store. Logs reach the store within seconds. */
const WRITTEN_AFTER_MS = 3 * MINUTE_MS;

/**
 * The whole minutes of a window whose metrics are kept, in three parts: `from` to `settledTo` to `writtenTo` to `to`.
 * Each part is decided separately, so that metrics not yet in the store do not rule out the older ones.
 */
export type Parts = {
  readonly fromMs: number;
  readonly settledToMs: number;
  readonly writtenToMs: number;
  readonly toMs: number;
};

/** null where metrics are kept for no whole minute of the window. */
export function partsOf(window: TimeWindow, nowMs: number): Parts | null {
  const fromMs = ceilMinute(Math.max(window.fromMs, firstKeptMs(nowMs)));
  const toMs = floorMinute(window.toMs);
  if (fromMs >= toMs) return null;
  const within = (timeMs: number): number => Math.min(Math.max(floorMinute(timeMs), fromMs), toMs);
  return {
    fromMs,
    settledToMs: within(nowMs - SETTLED_AFTER_MS),
    writtenToMs: within(nowMs - WRITTEN_AFTER_MS),
    toMs,
  };
}

/** The first minute whose metrics do not expire while a question is answered. */
export function firstKeptMs(nowMs: number): number {
  return ceilMinute(nowMs - METRIC_TERM_MS + CLIP_MARGIN_MS);
}

/** What the logs hold of a subject, and for each part how much of it the metrics lack. */
export type Coverage = {
  readonly rows: number;
  readonly weight: number;
  /** Requests that the logs hold and the metrics lack; below 0 where the metrics hold more. */
  readonly settledMissing: number;
  readonly writtenMissing: number;
  readonly freshMissing: number;
};

const ByPart = Type.Tuple([Type.Number(), Type.Number(), Type.Number()]);
const LOGGED = defineStoreQuery('logged', Type.Object({ part_rows: ByPart, part_surplus: ByPart }));
const RECORDED = defineStoreQuery('booked', Type.Object({ part_weight: ByPart }));

const byPartSql = (column: string, each: (span: string) => string): string =>
  [
    ['part_from_ms', 'settled_to_ms'],
    ['settled_to_ms', 'written_to_ms'],
    ['written_to_ms', 'part_to_ms'],
  ]
    .map(([from, to]) => each(spanSql(column, from ?? '', to ?? '')))
    .join(',\n    ');
const spanSql = (column: string, from: string, to: string): string =>
  `${column} >= fromUnixTimestamp64Milli({${from}:Int64}, 'UTC') AND ${column} < fromUnixTimestamp64Milli({${to}:Int64}, 'UTC')`;

// Summing the weights of all rows would cost nearly as much as the answer itself. Counting the rows of a range of the
// primary key reads only the granules at its two ends, and the surplus reads only rows with a weight other than 1.
const loggedSql = (whose: string): string => `
SELECT
  (${byPartSql('time', (span) => `(SELECT count() FROM request_log_kept WHERE ${whose} AND ${span})`)}) AS part_rows,
  (SELECT (${byPartSql('time', (span) => `sumIf(weight - 1, ${span})`)})
  FROM request_log_kept
  WHERE weight != 1 AND ${whose} AND ${spanSql('time', 'part_from_ms', 'part_to_ms')}) AS part_surplus`;

const recordedSql = (whose: string): string => `
SELECT (${byPartSql('window_start', (span) => `sumIf(logged_weight, ${span})`)}) AS part_weight
FROM interface_metric_kept
WHERE ${whose} AND ${spanSql('window_start', 'part_from_ms', 'part_to_ms')}`;

/** A page asks its questions together, and the whole minutes of a live window stay the same for a minute. */
const REUSE_MS = 5_000;
/** At the bound the oldest is dropped. */
const REUSED_MAX = 1_000;

type Logged = { readonly parts: readonly number[]; readonly rows: number; readonly weight: number };

export type Sources = {
  /** @param metricsCan whether metrics have the filters and the steps of the question */
  choose(subject: Subject, window: TimeWindow, nowMs: number, metricsCan: boolean): Promise<Source>;
  coverage(subject: Subject, parts: Parts, nowMs: number): Promise<Coverage>;
};

/**
 * @param logRowsMax up to this many rows, an application that is not sampled is summed from the logs: the result is
 * the same, and few rows of logs cost less than their metrics
 */
export function createSources(ask: Ask, logRowsMax: number): Sources {
  const loggedMemory = createMemory<Logged>(REUSE_MS, REUSED_MAX);
  const recordedMemory = createMemory<readonly number[]>(REUSE_MS, REUSED_MAX);
  const logged = (subject: Subject, parts: Parts, nowMs: number): Promise<Logged> =>
    loggedMemory(keyOf(subject, parts), nowMs, async () => {
      const [row] = await ask(LOGGED, loggedSql(subjectSql(subject).sql), paramsOf(subject, parts));
      if (row === undefined) throw new Error('the store counted nothing, not even zero');
      const weights = row.part_rows.map((rows, part) => rows + (row.part_surplus[part] ?? 0));
      return { parts: weights, rows: sum(row.part_rows), weight: sum(weights) };
    });
  const recorded = (subject: Subject, parts: Parts, nowMs: number): Promise<readonly number[]> =>
    recordedMemory(keyOf(subject, parts), nowMs, async () => {
      const [row] = await ask(RECORDED, recordedSql(subjectSql(subject).sql), paramsOf(subject, parts));
      return row?.part_weight ?? [];
    });
  const coverage = async (subject: Subject, parts: Parts, nowMs: number): Promise<Coverage> => {
    const [{ parts: weights, rows, weight }, inMetrics] = await Promise.all([
      logged(subject, parts, nowMs),
      recorded(subject, parts, nowMs),
    ]);
    const missing = (part: number): number => (weights[part] ?? 0) - (inMetrics[part] ?? 0);
    return {
      rows,
      weight,
      settledMissing: missing(0),
      writtenMissing: missing(1),
      freshMissing: missing(2),
    };
  };
  return {
    coverage,
    async choose(subject, window, nowMs, metricsCan) {
      const parts = metricsCan ? partsOf(window, nowMs) : null;
      const inLogs = await logged(subject, parts ?? asOnePart(window), nowMs);
      const loggedShare = shareOf(inLogs.rows, inLogs.weight);
      const isSampled = inLogs.weight > inLogs.rows;
      if (parts === null || (!isSampled && inLogs.rows <= logRowsMax)) return { metrics: null, loggedShare };
      return { metrics: coveredSpan(parts, await coverage(subject, parts, nowMs)), loggedShare };
    },
  };
}

function asOnePart({ fromMs, toMs }: TimeWindow): Parts {
  return { fromMs, settledToMs: toMs, writtenToMs: toMs, toMs };
}

function keyOf(subject: Subject, { fromMs, settledToMs, writtenToMs, toMs }: Parts): string {
  return [subjectKey(subject), fromMs, settledToMs, writtenToMs, toMs].join(' ');
}

function paramsOf(subject: Subject, parts: Parts) {
  return {
    ...subjectSql(subject).params,
    part_from_ms: parts.fromMs,
    settled_to_ms: parts.settledToMs,
    written_to_ms: parts.writtenToMs,
    part_to_ms: parts.toMs,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The span for which the metrics are complete; null where there is none. */
export function coveredSpan(
  parts: Parts,
  { settledMissing, writtenMissing }: Pick<Coverage, 'settledMissing' | 'writtenMissing'>,
): TimeWindow | null {
  const fromMs = settledMissing <= 0 ? parts.fromMs : parts.settledToMs;
  const toMs = writtenMissing <= 0 ? parts.writtenToMs : parts.settledToMs;
  return fromMs < toMs ? { fromMs, toMs } : null;
}

/** null without requests. */
export function shareOf(rows: number, weight: number): number | null {
  return weight === 0 ? null : rows / weight;
}

function ceilMinute(timeMs: number): number {
  return Math.ceil(timeMs / MINUTE_MS) * MINUTE_MS;
}
