/*
 * How complete an answer is. The books are brought up to date at most every two seconds, by whoever asks, and every
 * window is judged by them without the store. Ask before the data: then no answer is said to hold what came later.
 */
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import type { Ask } from '../ask-store.js';
import { createMemory } from '../memory.js';
import { HOUR_MS, type TimeWindow } from '../time-window.js';
import { intervalKey, intervalsWithout } from './application-share.js';
import { Books } from './books.js';
import { intervalsMissing, judge, NOT_KNOWN } from './judge.js';
import { readBooks } from './read-books.js';

/** @param sdkAppId the application that is asked about; undefined: all */
export type CompletenessOf = (window: TimeWindow, nowMs: number, sdkAppId?: number) => Promise<Completeness>;

/** Answers within this time share one reading. */
const REUSE_MS = 2_000;
/** What applications took in where something is missing; at the bound the oldest is forgotten. */
const REUSED_MAX = 1_000;
/** Where more is missing an application is told what all are told. */
const INTERVALS_MAX = 100;
/** Longest an answer waits for a reading: the first of a long ledger takes some seconds. */
const WAIT_MS = 3_000;
/** Where nobody asked for so long, reading anew in short is quicker than block by block. */
const ANEW_AFTER_MS = HOUR_MS;

/** Never throws and never waits long: where ledger or accounts cannot be read, nothing is known. */
export function createCompleteness(ask: Ask): CompletenessOf {
  let books = new Books();
  let reading: Promise<boolean> | undefined;
  let readMs = Number.NEGATIVE_INFINITY;
  /** Whether these books were read to the end once. */
  let wereRead = false;
  // One at a time, for each goes on where the last one ended.
  const read = (nowMs: number): Promise<boolean> => {
    if (reading !== undefined) return reading;
    if (nowMs >= readMs && nowMs - readMs < REUSE_MS) return Promise.resolve(true);
    if (nowMs - readMs > ANEW_AFTER_MS) {
      books = new Books();
      wereRead = false;
    }
    reading = readBooks(ask, books, nowMs)
      .then(
        () => {
          readMs = nowMs;
          wereRead = true;
          return true;
        },
        // `ask` has logged and counted it.
        () => false,
      )
      .finally(() => (reading = undefined));
    return reading;
  };
  const memory = createMemory<ReadonlySet<string>>(REUSE_MS, REUSED_MAX);
  return async (window, nowMs, sdkAppId) => {
    const outcome = await settledWithin(read(nowMs), WAIT_MS);
    // While a busy store takes longer the books are those of the last reading: they know of less, never of more.
    if (outcome === false || (outcome === undefined && !wereRead)) return NOT_KNOWN;
    const ofAll = judge(books, window, nowMs);
    // Only where something is missing for longer than it is on its way does it matter whose it is.
    if (sdkAppId === undefined || ofAll.status !== 'partial' || ofAll.ratio === 1) return ofAll;
    const missing = intervalsMissing(books, window);
    if (missing.length === 0 || missing.length > INTERVALS_MAX) return ofAll;
    const judged = books;
    const key = [sdkAppId, ...missing.map(intervalKey)].join(' ');
    try {
      const left = await memory(key, nowMs, () => intervalsWithout(ask, sdkAppId, missing));
      return judge(judged, window, nowMs, left);
    } catch {
      return ofAll;
    }
  };
}

/** What a promise comes to, or undefined where that takes longer. */
async function settledWithin<T>(promise: Promise<T>, waitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, waitMs, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** For figures out of the metrics alone: what stands in the logs and not in them is missing as well. */
export function withMissing(
  { status, ratio, ...rest }: Completeness,
  { requests, missing }: { readonly requests: number; readonly missing: number },
): Completeness {
  if (missing === 0) return { status, ratio, ...rest };
  const share = requests / (requests + missing);
  return { status: status === 'complete' ? 'partial' : status, ratio: ratio && ratio * share, ...rest };
}
