/*
 * How complete an answer is. The books are brought up to date at most once a second, by whoever asks, and every
 * window is judged by them without the store. Ask before the data: then no answer is said to hold what came later.
 */
import type { Completeness } from '@imscope/schemas/query-api/answers.js';
import type { Ask } from '../ask-store.js';
import type { TimeWindow } from '../time-window.js';
import { Books } from './books.js';
import { judge, NOT_KNOWN } from './judge.js';
import { readBooks } from './read-books.js';

export type CompletenessOf = (window: TimeWindow, nowMs: number) => Promise<Completeness>;

/** Answers within this time share one reading. */
const REUSE_MS = 1_000;
/** A long ledger is read piece by piece, and answers go out meanwhile. */
const READING_MS = 1_000;

/** Never throws: where ledger or accounts cannot be read, nothing is known. */
export function createCompleteness(ask: Ask): CompletenessOf {
  const books = new Books();
  let reading: Promise<boolean> | undefined;
  let readMs = Number.NEGATIVE_INFINITY;
  // One at a time, for each goes on where the last one ended.
  const read = (nowMs: number): Promise<boolean> => {
    if (reading === undefined && nowMs >= readMs && nowMs - readMs < REUSE_MS) return Promise.resolve(true);
    return (reading ??= readBooks(ask, books, nowMs, READING_MS)
      .then((isRead) => {
        if (isRead) readMs = nowMs;
        return isRead;
      })
      .finally(() => (reading = undefined)));
  };
  return async (window, nowMs) => {
    try {
      return (await read(nowMs)) ? judge(books, window, nowMs) : NOT_KNOWN;
    } catch {
      // `ask` has logged and counted it.
      return NOT_KNOWN;
    }
  };
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
