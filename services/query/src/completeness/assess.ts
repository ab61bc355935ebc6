/*
 * How complete the answer about a window is, by the running balance. Records count for the time in which collectors
 * accepted them: accounts say when that was, and a batch does not tell its event times before it is stored. The
 * accounts of a collector that imports a history say which event times they cover: each of its batches may be of any
 * time of that span. What a retired collector may have accepted after its last account counts as lost. Pure.
 */
import type { IncarnationTrack } from '@imscope/accounting/running/incarnation-track.js';
import { type AccountInterval, missingRecords } from '@imscope/accounting/running/partition-track.js';
import { EDGE_WAIT_MS_MAX, type RunningBalance } from '@imscope/accounting/running/running-balance.js';
import { shareWithin } from '@imscope/accounting/time-span.js';
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import { DAY_MS, HOUR_MS, LOG_TERM_MS, timeText, type TimeWindow } from '../figures/time-window.js';
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
  missing_max: null,
  silent_collectors: [],
};

/** @param accepted records accepted of the application in question, by the key of an interval; undefined: all applications */
export function assess(
  balance: RunningBalance,
  window: TimeWindow,
  nowMs: number,
  accepted?: ReadonlyMap<string, number>,
): Completeness {
  const span = spanOf(window);
  const incarnations = [...balance.incarnations];
  const reaching = incarnations.filter(
    (incarnation) => !incarnation.final && !incarnation.retired && matters(incarnation, span, nowMs),
  );
  const silent = reaching.filter((incarnation) => isSilent(incarnation, nowMs));
  const weighed = weigh(balance, incarnations, { span, nowMs, accepted });
  const { sent, missing, open } = weighed;
  const watermarkMs = watermarkOf(balance, incarnations, nowMs);
  const isStored = watermarkMs !== undefined && watermarkMs >= window.toMs;
  const known = sent !== undefined || reaching.length > silent.length;
  const isComplete = isStored && !open && reaching.length === 0;
  return {
    status: silent.length > 0 || !known ? 'unknown' : isComplete ? 'complete' : 'partial',
    ratio: sent === undefined ? null : sent === 0 ? 1 : Math.max(0, 1 - missing / sent),
    watermark: watermarkMs === undefined ? null : timeText(watermarkMs),
    missing_max: silent.length > 0 || !known ? null : Math.ceil(weighed.missingMax),
    ...(weighed.retired > 0
      ? { retired: { collectors: weighed.retired, lost_max: Math.ceil(weighed.retiredLoss) } }
      : {}),
    silent_collectors: silent
      .toSorted((a, b) => a.heardMs - b.heardMs)
      .slice(0, SILENT_LISTED_MAX)
      .map(({ collector, boot, heardMs }) => ({ collector, boot, last_heard: timeText(heardMs) })),
    ...(silent.length > SILENT_LISTED_MAX
      ? { silent_collectors_left_out: silent.length - SILENT_LISTED_MAX }
      : {}),
    ...(silent.length > 0 ? { silent_estimate: silentEstimate(silent, span, nowMs) } : {}),
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

/** Not heard for two minutes. */
export function isSilent(incarnation: IncarnationTrack, nowMs: number): boolean {
  return nowMs - incarnation.heardMs > SILENT_AFTER_MS;
}

/** What silent collectors may have accepted of a span since their last account, at their greatest rate of the hour before. */
function silentEstimate(silent: readonly IncarnationTrack[], span: TimeWindow, nowMs: number): number {
  const records = silent.map((incarnation) => {
    const fromMs = Math.max(span.fromMs, incarnation.accountedToMs);
    const toMs = Math.min(span.toMs, nowMs);
    const rate = incarnation.greatestRate(incarnation.accountedToMs - HOUR_MS);
    return (rate * Math.max(0, toMs - fromMs)) / 1_000;
  });
  return Math.ceil(records.reduce((sum, one) => sum + one, 0));
}

type Weighed = {
  /** Undefined where no account covers the span. */
  readonly sent: number | undefined;
  /** Records that did not arrive in time. */
  readonly missing: number;
  /** Records that are not stored, those that are on their way too; of the application in question, at most. */
  readonly missingMax: number;
  /** Retired collectors that lost some of the span, and how many records at most. */
  readonly retired: number;
  readonly retiredLoss: number;
  /** Whether any batch of the span is missing. */
  readonly open: boolean;
};

type Weighing = {
  readonly span: TimeWindow;
  readonly nowMs: number;
  readonly accepted: ReadonlyMap<string, number> | undefined;
};

function weigh(
  balance: RunningBalance,
  incarnations: readonly IncarnationTrack[],
  { span, nowMs, accepted }: Weighing,
): Weighed {
  const weighed = { missing: 0, missingMax: 0, retired: 0, retiredLoss: 0, open: false };
  let sent: number | undefined;
  const miss = (interval: Missed, records: number, ofApplication = records): number => {
    const share = shareWithin(interval.covers ?? interval, span);
    if (share === 0) return 0;
    weighed.open = true;
    if (nowMs - interval.toMs >= SETTLING_MS) weighed.missing += records * share;
    weighed.missingMax += Math.min(records, ofApplication) * share;
    return records * share;
  };
  for (const [, { shortages }] of balance.keyedBalances) {
    for (const shortage of shortages) miss(shortage, shortage.records);
  }
  for (const incarnation of incarnations) {
    let lost = 0;
    const fromMs = incarnation.accountedFromMs;
    if (fromMs !== undefined && fromMs < span.toMs && incarnation.accountedUntilMs > span.fromMs) {
      sent = (sent ?? 0) + incarnation.sentWithin(span.fromMs, span.toMs);
      // Of all partitions together an application has no more than was accepted of it.
      for (const [interval, records] of missingIntervals(incarnation)) {
        const ofApplication = accepted?.get(intervalKey({ ...interval, boot: incarnation.boot }));
        if (ofApplication !== 0) lost += miss(interval, records, ofApplication);
      }
    }
    const unaccounted = unaccountedOf(incarnation);
    const share = unaccounted === undefined ? 0 : shareWithin(unaccounted, span);
    if (unaccounted !== undefined && share > 0) {
      sent = (sent ?? 0) + unaccounted.acceptedMax * share;
      if (unaccounted.lost > 0) lost += miss(unaccounted, unaccounted.lost);
    }
    if (!incarnation.retired || lost === 0) continue;
    weighed.retired += 1;
    weighed.retiredLoss += lost;
  }
  return { ...weighed, sent };
}

/** The intervals between accounts in which batches are missing, each once, and how many records are missing. */
function missingIntervals(incarnation: IncarnationTrack): [AccountInterval, number][] {
  const byAccount = Map.groupBy(incarnation.openIntervals(), ({ toAccount }) => toAccount);
  return [...byAccount.values()].flatMap((intervals): [AccountInterval, number][] => {
    const [first] = intervals;
    const records = intervals.reduce((sum, interval) => sum + missingRecords(interval), 0);
    return first === undefined ? [] : [[first, records]];
  });
}

type Missed = TimeWindow & { readonly covers?: TimeWindow | undefined };

/** What a retired incarnation may have accepted after its last account, and when; undefined where it is not retired. */
function unaccountedOf(
  incarnation: IncarnationTrack,
): (TimeWindow & { readonly acceptedMax: number; readonly lost: number }) | undefined {
  const { retirement, retired, covers } = incarnation;
  if (retirement === undefined || !retired) return undefined;
  const { acceptedFromMs, acceptedToMs, acceptedMax } = retirement;
  const span = covers ?? { fromMs: acceptedFromMs, toMs: acceptedToMs };
  return { ...span, acceptedMax, lost: incarnation.unaccountedLoss };
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
  const retired = new Set(incarnations.filter((one) => one.retired).map(({ boot }) => boot));
  for (const incarnation of incarnations) {
    if (incarnation.retired) continue;
    for (const [partition, track] of incarnation.tracks) wait(partition, track.awaited);
  }
  for (const [partition, { shortages }] of balance.keyedBalances) {
    wait(
      partition,
      shortages.filter(({ boot }) => !retired.has(boot)),
    );
  }
  return earliest;
}
