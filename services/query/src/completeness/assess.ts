/*
 * How complete the answer about a window is, by the running balance. Records count for the time in which collectors
 * accepted them: accounts say when that was, and a batch does not tell its event times before it is stored. The
 * accounts of a collector that imports a history say which event times they cover: each of its batches may be of any
 * time of that span. Pure.
 */
import type { IncarnationTrack } from '@imscope/accounting/running/incarnation-track.js';
import { missingRecords } from '@imscope/accounting/running/partition-track.js';
import { EDGE_WAIT_MS_MAX, type RunningBalance } from '@imscope/accounting/running/running-balance.js';
import { shareWithin } from '@imscope/accounting/time-span.js';
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import { DAY_MS, LOG_TERM_MS, timeText, type TimeWindow } from '../figures/time-window.js';
import { type Interval, intervalKey } from './application-share.js';

/** A collector writes an account every minute: this is two missing accounts. */
export const SILENT_AFTER_MS = 120_000;
/** An event's way to its collector, and how far clocks may differ: later records count at their arrival. */
export const ARRIVAL_MS = 10_000;
/** Batches that were sent less than this ago are on their way. */
const SETTLING_MS = 10_000;
/** Listed at most, longest silent first. */
const SILENT_LISTED_MAX = 100;

export const NOT_KNOWN: Completeness = {
  status: 'unknown',
  ratio: null,
  watermark: null,
  silent_collectors: [],
};

/** @param irrelevant keys of intervals in which nothing was accepted of the application in question */
export function assess(
  balance: RunningBalance,
  window: TimeWindow,
  nowMs: number,
  irrelevant: ReadonlySet<string> = new Set(),
): Completeness {
  const span = spanOf(window);
  const incarnations = [...balance.incarnations];
  const reaching = incarnations.filter(
    (incarnation) => !incarnation.final && matters(incarnation, span, nowMs),
  );
  const silent = reaching.filter((incarnation) => isSilent(incarnation, nowMs));
  const { sent, missing, open } = weigh(balance, incarnations, span, nowMs, irrelevant);
  const watermarkMs = watermarkOf(balance, incarnations, nowMs);
  const isStored = watermarkMs !== undefined && watermarkMs >= window.toMs;
  const known = sent !== undefined || reaching.length > silent.length;
  const isComplete = isStored && !open && reaching.length === 0;
  return {
    status: silent.length > 0 || !known ? 'unknown' : isComplete ? 'complete' : 'partial',
    ratio: sent === undefined ? null : sent === 0 ? 1 : Math.max(0, 1 - missing / sent),
    watermark: watermarkMs === undefined ? null : timeText(watermarkMs),
    silent_collectors: silent
      .toSorted((a, b) => a.heardMs - b.heardMs)
      .slice(0, SILENT_LISTED_MAX)
      .map(({ collector, boot, heardMs }) => ({ collector, boot, last_heard: timeText(heardMs) })),
    ...(silent.length > SILENT_LISTED_MAX
      ? { silent_collectors_left_out: silent.length - SILENT_LISTED_MAX }
      : {}),
  };
}

/** The intervals between accounts in which batches of a window are missing, each once. Keyed batches name no incarnation and are left out. */
export function intervalsMissing(balance: RunningBalance, window: TimeWindow): Interval[] {
  const span = spanOf(window);
  const intervals = new Map<string, Interval>();
  for (const incarnation of balance.incarnations) {
    for (const open of incarnation.openIntervals()) {
      const { fromAccount, toAccount } = open;
      const interval = { boot: incarnation.boot, fromAccount, toAccount };
      if (shareWithin(open.covers ?? open, span) > 0) intervals.set(intervalKey(interval), interval);
    }
  }
  return [...intervals.values()];
}

function spanOf({ fromMs, toMs }: TimeWindow): TimeWindow {
  return { fromMs, toMs: toMs + ARRIVAL_MS };
}

/** Whether an incarnation may have accepted records of the span that its accounts do not cover yet. */
function matters(incarnation: IncarnationTrack, { fromMs, toMs }: TimeWindow, nowMs: number): boolean {
  // Records it accepts next may be of any time it covers, until it has stopped.
  if (incarnation.covers !== undefined)
    return incarnation.covers.fromMs < toMs && fromMs < incarnation.covers.toMs;
  // Its accounts may have expired.
  if (!incarnation.accounted && nowMs - incarnation.heardMs > LOG_TERM_MS - DAY_MS) return false;
  const began = incarnation.accounted ? incarnation.startedMs : incarnation.accountedToMs;
  // Batches that waited longer at the edge have expired there and do not arrive.
  return began < toMs && incarnation.accountedToMs < toMs && fromMs < incarnation.heardMs + EDGE_WAIT_MS_MAX;
}

function isSilent(incarnation: IncarnationTrack, nowMs: number): boolean {
  return nowMs - incarnation.heardMs > SILENT_AFTER_MS;
}

/** `sent` is undefined where no account covers the span; `open` is whether any batch of it is missing. */
function weigh(
  balance: RunningBalance,
  incarnations: readonly IncarnationTrack[],
  span: TimeWindow,
  nowMs: number,
  irrelevant: ReadonlySet<string>,
): { sent: number | undefined; missing: number; open: boolean } {
  let sent: number | undefined;
  let missing = 0;
  let open = false;
  const miss = (
    interval: TimeWindow & { readonly covers?: TimeWindow | undefined },
    records: number,
  ): void => {
    const share = shareWithin(interval.covers ?? interval, span);
    if (share === 0) return;
    open = true;
    if (nowMs - interval.toMs >= SETTLING_MS) missing += records * share;
  };
  for (const [, { shortages }] of balance.keyedBalances) {
    for (const shortage of shortages) miss(shortage, shortage.records);
  }
  for (const incarnation of incarnations) {
    const fromMs = incarnation.accountedFromMs;
    if (fromMs === undefined || fromMs >= span.toMs || incarnation.accountedUntilMs <= span.fromMs) continue;
    sent = (sent ?? 0) + incarnation.sentWithin(span.fromMs, span.toMs);
    for (const interval of incarnation.openIntervals()) {
      if (!irrelevant.has(intervalKey({ boot: incarnation.boot, ...interval })))
        miss(interval, missingRecords(interval));
    }
  }
  return { sent, missing, open };
}

/**
 * All that Kafka appended up to here is stored, in every partition. The last block of a partition shows it. A partition
 * without traffic has no block: if all that accounts report is stored, nothing else was sent up to the last account.
 */
function watermarkOf(
  balance: RunningBalance,
  incarnations: readonly IncarnationTrack[],
  nowMs: number,
): number | undefined {
  const live = incarnations.filter(
    (incarnation) => incarnation.accounted && !incarnation.final && !isSilent(incarnation, nowMs),
  );
  const accounted = incarnations.filter((incarnation) => incarnation.accounted);
  const idleMs =
    live.length > 0
      ? Math.min(...live.map(({ accountedToMs }) => accountedToMs))
      : accounted.length > 0
        ? Math.max(...accounted.map(({ accountedToMs }) => accountedToMs))
        : undefined;
  const awaited = awaitedFrom(balance, incarnations, nowMs);
  const marks = Array.from(balance.partitions, ({ partition, newestMs }) => {
    if (idleMs === undefined) return newestMs;
    return Math.max(newestMs ?? 0, Math.min(idleMs, awaited.get(partition) ?? idleMs));
  });
  if (marks.length === 0) return idleMs;
  const known = marks.filter((mark) => mark !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** By partition: the earliest time of records that accounts report as sent and that are not stored. */
function awaitedFrom(
  balance: RunningBalance,
  incarnations: readonly IncarnationTrack[],
  nowMs: number,
): Map<number, number> {
  const earliest = new Map<number, number>();
  const wait = (partition: number, intervals: readonly TimeWindow[]): void => {
    for (const { fromMs, toMs } of intervals) {
      // Batches that waited longer at the edge have expired there.
      if (nowMs - toMs >= EDGE_WAIT_MS_MAX) continue;
      earliest.set(partition, Math.min(earliest.get(partition) ?? Infinity, fromMs));
    }
  };
  for (const incarnation of incarnations) {
    for (const [partition, track] of incarnation.tracks) wait(partition, track.awaited);
  }
  for (const [partition, { shortages }] of balance.keyedBalances) wait(partition, shortages);
  return earliest;
}
