/*
 * How complete the answer about a window is, judged by the books. Records count for the time in which collectors took
 * them in: accounts say when that was, and no batch says of itself which event times it held before it is stored. The
 * accounts of a collector that takes in a history say which event times they cover: each of its batches may be of any
 * time of that span. Pure.
 */
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import { DAY_MS, LOG_TERM_MS, shareWithin, timeText, type TimeWindow } from '../time-window.js';
import { type Books, EDGE_WAIT_MS_MAX } from './books.js';
import type { BootBooks } from './boot-books.js';
import { type Interval, intervalKey } from './application-share.js';
import { missingRecords } from './partition-track.js';

/** A collector writes an account every minute: two that did not come. */
export const SILENT_AFTER_MS = 120_000;
/** An event's way to its collector, and how far clocks may be apart: what comes later counts for when it came. */
export const ARRIVAL_MS = 10_000;
/** Batches that were sent a moment ago are on their way. */
const SETTLING_MS = 10_000;
/** Listed at most, longest silent first. */
const SILENT_LISTED_MAX = 100;

export const NOT_KNOWN: Completeness = {
  status: 'unknown',
  ratio: null,
  watermark: null,
  silent_collectors: [],
};

/** @param left keys of intervals in which nothing was taken in that matters to who asks */
export function judge(
  books: Books,
  window: TimeWindow,
  nowMs: number,
  left: ReadonlySet<string> = new Set(),
): Completeness {
  const span = spanOf(window);
  const boots = [...books.boots];
  const reaching = boots.filter((boot) => !boot.final && matters(boot, span, nowMs));
  const silent = reaching.filter((boot) => isSilent(boot, nowMs));
  const { sent, missing, open } = weigh(books, boots, span, nowMs, left);
  const watermarkMs = watermarkOf(books, boots, nowMs);
  const isStored = watermarkMs !== undefined && watermarkMs >= window.toMs;
  const known = sent !== undefined || reaching.length > silent.length;
  const whole = isStored && !open && reaching.length === 0;
  return {
    status: silent.length > 0 || !known ? 'unknown' : whole ? 'complete' : 'partial',
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

/** Between which accounts batches are missing that matter to a window, each once; keyed ones are not told. */
export function intervalsMissing(books: Books, window: TimeWindow): Interval[] {
  const span = spanOf(window);
  const intervals = new Map<string, Interval>();
  for (const boot of books.boots) {
    for (const stretch of boot.openStretches()) {
      const { fromAccount, toAccount } = stretch;
      const interval = { boot: boot.boot, fromAccount, toAccount };
      if (shareWithin(stretch.covers ?? stretch, span) > 0) intervals.set(intervalKey(interval), interval);
    }
  }
  return [...intervals.values()];
}

function spanOf({ fromMs, toMs }: TimeWindow): TimeWindow {
  return { fromMs, toMs: toMs + ARRIVAL_MS };
}

/** Whether a boot may have taken in records of the span that its accounts do not tell of yet. */
function matters(boot: BootBooks, { fromMs, toMs }: TimeWindow, nowMs: number): boolean {
  // What it takes in next may be of any time it covers, until it has stopped.
  if (boot.covers !== undefined) return boot.covers.fromMs < toMs && fromMs < boot.covers.toMs;
  // Its accounts may have been there and reached their term.
  if (!boot.accounted && nowMs - boot.heardMs > LOG_TERM_MS - DAY_MS) return false;
  const began = boot.accounted ? boot.startedMs : boot.accountedToMs;
  // What waited at the edge for longer has expired there: nothing of it comes any more.
  return began < toMs && boot.accountedToMs < toMs && fromMs < boot.heardMs + EDGE_WAIT_MS_MAX;
}

function isSilent(boot: BootBooks, nowMs: number): boolean {
  return nowMs - boot.heardMs > SILENT_AFTER_MS;
}

/** `sent` is undefined where no account tells of the span; `open` is whether any batch of it is missing. */
function weigh(
  books: Books,
  boots: readonly BootBooks[],
  span: TimeWindow,
  nowMs: number,
  left: ReadonlySet<string>,
): { sent: number | undefined; missing: number; open: boolean } {
  let sent: number | undefined;
  let missing = 0;
  let open = false;
  const miss = (
    stretch: TimeWindow & { readonly covers?: TimeWindow | undefined },
    records: number,
  ): void => {
    const share = shareWithin(stretch.covers ?? stretch, span);
    if (share === 0) return;
    open = true;
    if (nowMs - stretch.toMs >= SETTLING_MS) missing += records * share;
  };
  for (const [, { shortages }] of books.keyedBalances) {
    for (const shortage of shortages) miss(shortage, shortage.records);
  }
  for (const boot of boots) {
    const fromMs = boot.accountedFromMs;
    if (fromMs === undefined || fromMs >= span.toMs || boot.accountedUntilMs <= span.fromMs) continue;
    sent = (sent ?? 0) + boot.sentWithin(span.fromMs, span.toMs);
    for (const stretch of boot.openStretches()) {
      if (!left.has(intervalKey({ boot: boot.boot, ...stretch }))) miss(stretch, missingRecords(stretch));
    }
  }
  return { sent, missing, open };
}

/**
 * What Kafka took up to here is stored, in every partition. A partition's own last block says so; where nothing is
 * sent to it there is none, but all that accounts tell of is stored: then nothing else was sent up to the last of them.
 */
function watermarkOf(books: Books, boots: readonly BootBooks[], nowMs: number): number | undefined {
  const live = boots.filter((boot) => boot.accounted && !boot.final && !isSilent(boot, nowMs));
  const accounted = boots.filter((boot) => boot.accounted);
  const idleMs =
    live.length > 0
      ? Math.min(...live.map(({ accountedToMs }) => accountedToMs))
      : accounted.length > 0
        ? Math.max(...accounted.map(({ accountedToMs }) => accountedToMs))
        : undefined;
  const awaited = awaitedFrom(books, boots, nowMs);
  const marks = Array.from(books.partitions, ({ partition, newestMs }) => {
    if (idleMs === undefined) return newestMs;
    return Math.max(newestMs ?? 0, Math.min(idleMs, awaited.get(partition) ?? idleMs));
  });
  if (marks.length === 0) return idleMs;
  const known = marks.filter((mark) => mark !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** By partition: since when something was sent that is not stored, as accounts say. */
function awaitedFrom(books: Books, boots: readonly BootBooks[], nowMs: number): Map<number, number> {
  const earliest = new Map<number, number>();
  const wait = (partition: number, stretches: readonly TimeWindow[]): void => {
    for (const { fromMs, toMs } of stretches) {
      // What waited longer at the edge has expired there.
      if (nowMs - toMs >= EDGE_WAIT_MS_MAX) continue;
      earliest.set(partition, Math.min(earliest.get(partition) ?? Infinity, fromMs));
    }
  };
  for (const boot of boots) {
    for (const [partition, track] of boot.tracks) wait(partition, track.awaited);
  }
  for (const [partition, balance] of books.keyedBalances) wait(partition, balance.shortages);
  return earliest;
}
