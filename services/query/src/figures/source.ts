/*
 * Where the figures of an answer come from. Metrics count every request, sampled or not, and are quick to sum, but
 * hold whole minutes only and may lack what the logs have: events more than an hour late, what a killed collector
 * had in memory, the last minutes. So metrics are checked against the logs: they are used where the logged weight they
 * state is no less than the weight in the logs; the rest of a window comes from the logs. It is checked piece by piece:
 * hours that are built in `hour_rollup` say what the logs held, and only the rest is counted.
 */
import { ROLLUP_SLICE_MS } from '@imscope/schemas/hour-rollup.js';
import { METRIC_LATE_HOURS_MAX } from '@imscope/schemas/retention.js';
import type { HeldOf } from './held-parts.js';
import { builtSpan, isWithin, type MetricSpan, type RollupHour, uncovered } from './metric-span.js';
import { type Held, type HeldHour, type HoursOf, NOTHING_HELD } from './rollup-hours.js';
import type { Subject } from './subject.js';
import { floorMinute, HOUR_MS, METRIC_TERM_MS, MINUTE_MS, type TimeWindow } from './time-window.js';

export type Source = {
  /** The part of the window to read from the metrics, whole minutes; null: all comes from the logs. */
  readonly metrics: MetricSpan | null;
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
  const within = (timeMs: number): number => Math.min(Math.max(timeMs, fromMs), toMs);
  return {
    fromMs,
    // Pieces that are decided apart end with slices, which are read from the metrics as a whole or not at all.
    settledToMs: within(Math.floor((nowMs - SETTLED_AFTER_MS) / ROLLUP_SLICE_MS) * ROLLUP_SLICE_MS),
    writtenToMs: within(floorMinute(nowMs - WRITTEN_AFTER_MS)),
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
  /** Requests that the logs hold and the metrics lack. */
  readonly settledMissing: number;
  readonly writtenMissing: number;
  readonly freshMissing: number;
};

export type Sources = {
  /** @param metricsCan whether metrics have the filters and the steps of the question */
  choose(subject: Subject, window: TimeWindow, nowMs: number, metricsCan: boolean): Promise<Source>;
  coverage(subject: Subject, parts: Parts, nowMs: number): Promise<Coverage>;
  /** The hours that are built, whatever the logs hold more. */
  builtHours(subject: Subject, nowMs: number): Promise<readonly RollupHour[]>;
};

/** A part of a window: an hour that is built in `hour_rollup`, or another whose tables were counted. */
type Piece = TimeWindow & Held & { readonly hour?: RollupHour };

export type SourceOptions = {
  readonly hoursOf: HoursOf;
  readonly heldOf: HeldOf;
  /**
   * Up to this many rows, an application that is not sampled is summed from the logs: the result is the same, and few rows of
   * logs cost less than their metrics. A fifth of them where hours are built.
   */
  readonly logRowsMax: number;
};

/** How much fewer rows of logs are read where hours are built: metrics are then read by three statements, logs by one. */
const BUILT_FACTOR = 5;
/** So many hours of one application are read from the metrics though they are built. */
const HOURS_OF_METRICS = 2;
/** Hours about to expire are not built, and the last minutes not yet: so much of a window may be unknown. */
const UNBUILT_MS_MAX = 90 * MINUTE_MS;

export function createSources({ hoursOf, heldOf, logRowsMax }: SourceOptions): Sources {
  const piecesOf = async (
    subject: Subject,
    parts: Parts,
    { all, nowMs }: { readonly all: readonly HeldHour[]; readonly nowMs: number },
  ): Promise<Piece[]> => {
    const span = { fromMs: parts.fromMs, toMs: parts.writtenToMs };
    const hours = all.filter((hour) => isWithin(hour, span));
    const rest = restOf(parts, hours);
    const held = await heldOf(subject, rest, nowMs);
    const counted = rest.map((part, index): Piece => ({ ...part, ...(held[index] ?? NOTHING_HELD) }));
    const built = hours.map((hour): Piece => ({ ...hourSpan(hour), ...hour, hour }));
    return [...built, ...counted].toSorted((a, b) => a.fromMs - b.fromMs);
  };
  return {
    builtHours: hoursOf,
    coverage: async (subject, parts, nowMs) => {
      const pieces = await piecesOf(subject, parts, { all: await hoursOf(subject, nowMs), nowMs });
      const missing = (fromMs: number, toMs: number): number =>
        sumOf(pieces, (piece) => (piece.fromMs >= fromMs && piece.fromMs < toMs ? piece.missing : 0));
      return {
        rows: sumOf(pieces, ({ logRows }) => logRows),
        weight: sumOf(pieces, ({ logWeight }) => logWeight),
        settledMissing: missing(parts.fromMs, parts.settledToMs),
        writtenMissing: missing(parts.settledToMs, parts.writtenToMs),
        freshMissing: missing(parts.writtenToMs, parts.toMs),
      };
    },
    async choose(subject, window, nowMs, metricsCan) {
      const parts = partsOf(window, nowMs);
      if (subject.kind === 'fleet' && (parts === null || !metricsCan)) {
        return { metrics: null, loggedShare: null };
      }
      const all = await hoursOf(subject, nowMs);
      const isOne = subject.kind === 'application';
      if (isOne && parts !== null && isFewLogs(all, parts, logRowsMax / BUILT_FACTOR)) {
        return { metrics: null, loggedShare: 1 };
      }
      // The share is that of the time that metrics are kept, where the window reaches back further.
      const pieces = await piecesOf(subject, parts ?? asOnePart(window), { all, nowMs });
      const rows = sumOf(pieces, ({ logRows }) => logRows);
      const weight = sumOf(pieces, ({ logWeight }) => logWeight);
      const loggedShare = shareOf(rows, weight);
      // Hours that are built cost less to read than any logs.
      const isBuilt = pieces.some(({ hour }) => hour !== undefined);
      const isFew = isOne && !isBuilt && weight === rows && rows <= logRowsMax;
      if (parts === null || !metricsCan || isFew) return { metrics: null, loggedShare };
      const inMetrics = pieces.filter(({ fromMs }) => fromMs < parts.writtenToMs);
      const metrics = metricSpanOf(inMetrics, subject);
      if (metrics === null) return { metrics, loggedShare };
      if (isOne) return { metrics: withoutFewHours(metrics), loggedShare };
      return { metrics: { ...metrics, slices: builtSpan(metrics, all).slices }, loggedShare };
    },
  };
}

/** Of one application, the metrics of an hour or two cost less to read than the rollup costs to plan. */
function withoutFewHours(metrics: MetricSpan): MetricSpan {
  const hours = metrics.rollup ?? [];
  return hours.length > HOURS_OF_METRICS ? metrics : { ...metrics, rollup: [] };
}

/** Whether the hours that are built tell that the logs of a window are all there, and few. */
function isFewLogs(hours: readonly HeldHour[], { fromMs, toMs }: TimeWindow, rowsMax: number): boolean {
  const around = hours.filter((hour) => hour.toMs > fromMs && hour.startMs < toMs);
  const [first, last] = [around[0], around.at(-1)];
  if (first === undefined || last === undefined) return false;
  const unbuiltMs = Math.max(0, first.startMs - fromMs) + Math.max(0, toMs - last.toMs);
  const rows = sumOf(around, ({ logRows }) => logRows);
  const weight = sumOf(around, ({ logWeight }) => logWeight);
  return unbuiltMs <= UNBUILT_MS_MAX && rows > 0 && rows === weight && rows <= rowsMax;
}

function asOnePart({ fromMs, toMs }: TimeWindow): Parts {
  return { fromMs, settledToMs: fromMs, writtenToMs: fromMs, toMs };
}

function hourSpan({ startMs, toMs }: RollupHour): TimeWindow {
  return { fromMs: startMs, toMs };
}

/** What is not built, cut where the parts end, so that an event on its way sends only what follows to the logs. */
function restOf(
  { fromMs, settledToMs, writtenToMs, toMs }: Parts,
  hours: readonly RollupHour[],
): TimeWindow[] {
  const within = uncovered({ fromMs, toMs: writtenToMs }, hours).flatMap((part) =>
    part.fromMs < settledToMs && settledToMs < part.toMs
      ? [
          { fromMs: part.fromMs, toMs: settledToMs },
          { fromMs: settledToMs, toMs: part.toMs },
        ]
      : [part],
  );
  return writtenToMs < toMs ? [...within, { fromMs: writtenToMs, toMs }] : within;
}

/**
 * The span that is read from the metrics: without the pieces at both ends in which they lack requests of all that is
 * asked about. Where they lack some in between, gaps say so.
 * @param pieces without gaps between them, in order of time
 * @returns null where nothing is left
 */
export function metricSpanOf(
  pieces: readonly (TimeWindow & Pick<Held, 'lacking'> & { readonly hour?: RollupHour })[],
  subject: Subject,
): MetricSpan | null {
  const lacksAll = ({ lacking }: Pick<Held, 'lacking'>): boolean =>
    lacking === 'all' || (subject.kind === 'application' && lacking.length > 0);
  const first = pieces.findIndex((piece) => !lacksAll(piece));
  const last = pieces.findLastIndex((piece) => !lacksAll(piece));
  const used = first < 0 ? [] : pieces.slice(first, last + 1);
  const [from, to] = [used[0], used.at(-1)];
  if (from === undefined || to === undefined) return null;
  return {
    fromMs: from.fromMs,
    toMs: to.toMs,
    rollup: used.flatMap(({ hour }) => (hour === undefined ? [] : [hour])),
    gaps: used.flatMap((piece) => {
      const { fromMs, toMs, lacking } = piece;
      if (lacking !== 'all' && lacking.length === 0) return [];
      return [{ fromMs, toMs, sdkAppIds: lacksAll(piece) ? ('all' as const) : lacking }];
    }),
  };
}

function sumOf<T>(items: readonly T[], each: (item: T) => number): number {
  return items.reduce((total, item) => total + each(item), 0);
}

/** null without requests. */
export function shareOf(rows: number, weight: number): number | null {
  return weight === 0 ? null : rows / weight;
}

function ceilMinute(timeMs: number): number {
  return Math.ceil(timeMs / MINUTE_MS) * MINUTE_MS;
}
