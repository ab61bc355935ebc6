/*
 * How complete an answer is. A request updates the running balance from the store, at most every two seconds; windows are
 * assessed from the balance alone. Assess before reading the data: then no answer claims to hold what arrived later.
 */
import { readRunningBalance } from '@imscope/accounting/running/read-running-balance.js';
import { RunningBalance } from '@imscope/accounting/running/running-balance.js';
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import type { Ask } from '../store/ask-store.js';
import { createMemory } from '../store/memory.js';
import { HOUR_MS, type TimeWindow } from '../figures/time-window.js';
import { acceptedWithin, intervalKey } from './application-share.js';
import { accountingAsk } from './accounting-ask.js';
import { assess, intervalsMissing, NOT_KNOWN } from './assess.js';

/** @param sdkAppId the application in question; undefined: all */
export type CompletenessOf = (window: TimeWindow, nowMs: number, sdkAppId?: number) => Promise<Completeness>;

/** Answers within this time share one reading. */
const REUSE_MS = 2_000;
/** Remembered records accepted of an application, read where something is missing; at the bound the oldest is dropped. */
const REUSED_MAX = 1_000;
/** Beyond this many missing intervals an application gets the completeness of all applications. */
const INTERVALS_MAX = 100;
/** Longest an answer waits for a reading: the first one of a long ledger lasts some seconds. */
const WAIT_MS = 3_000;
/** After this long without a request a new summary is quicker than reading block by block. */
const RESTART_AFTER_MS = HOUR_MS;

/** Never throws and never waits long: where ledger or accounts cannot be read, nothing is known. */
export function createCompleteness(ask: Ask): CompletenessOf {
  const askAccounting = accountingAsk(ask);
  let balance = new RunningBalance();
  let reading: Promise<boolean> | undefined;
  let readMs = Number.NEGATIVE_INFINITY;
  /** Whether this balance has been read to the end of the ledger. */
  let wasRead = false;
  // One at a time, because each continues where the last one ended.
  const read = (nowMs: number): Promise<boolean> => {
    if (reading !== undefined) return reading;
    if (nowMs >= readMs && nowMs - readMs < REUSE_MS) return Promise.resolve(true);
    if (nowMs - readMs > RESTART_AFTER_MS) {
      balance = new RunningBalance();
      wasRead = false;
    }
    reading = readRunningBalance(askAccounting, balance, nowMs)
      .then(
        () => {
          readMs = nowMs;
          wasRead = true;
          return true;
        },
        // `ask` has logged and counted it.
        () => false,
      )
      .finally(() => (reading = undefined));
    return reading;
  };
  const memory = createMemory<ReadonlyMap<string, number>>(REUSE_MS, REUSED_MAX);
  return async (window, nowMs, sdkAppId) => {
    const outcome = await settledWithin(read(nowMs), WAIT_MS);
    // While a reading on a busy store runs longer, the balance is that of the last reading: it holds less, never more.
    if (outcome === false || (outcome === undefined && !wasRead)) return NOT_KNOWN;
    const overall = assess(balance, window, nowMs);
    // The application matters only for batches that are missing for longer than batches are on their way.
    if (sdkAppId === undefined || overall.status !== 'partial' || overall.ratio === 1) return overall;
    const missing = intervalsMissing(balance, window);
    if (missing.length === 0 || missing.length > INTERVALS_MAX) return overall;
    const assessed = balance;
    const key = [sdkAppId, ...missing.map(intervalKey)].join(' ');
    try {
      const accepted = await memory(key, nowMs, () => acceptedWithin(ask, sdkAppId, missing));
      return assess(assessed, window, nowMs, accepted);
    } catch {
      return overall;
    }
  };
}

/** The result of a promise, or undefined after the time limit. */
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

/** For figures from the metrics alone: requests that are in the logs and not in the metrics are missing as well. */
export function withMissing(
  { status, ratio, missing_max: missingMax = null, ...rest }: Completeness,
  { requests, missing }: { readonly requests: number; readonly missing: number },
): Completeness {
  if (missing === 0) return { status, ratio, missing_max: missingMax, ...rest };
  const share = requests / (requests + missing);
  return {
    ...rest,
    status: status === 'complete' ? 'partial' : status,
    ratio: ratio && ratio * share,
    missing_max: missingMax === null ? null : missingMax + missing,
  };
}
