/*
 * Keeps the running balance up to date: a request reads what is new from the store, at most every two seconds. All
 * that is answered from the balance shares one reading.
 */
import { readRunningBalance } from '@imscope/accounting/running/read-running-balance.js';
import { RunningBalance } from '@imscope/accounting/running/running-balance.js';
import type { Ask } from '../store/ask-store.js';
import { HOUR_MS } from '../figures/time-window.js';
import { accountingAsk } from './accounting-ask.js';

/** The balance as of now, or as of the last reading where the store is slow; undefined where nothing is known. Never throws. */
export type BalanceOf = (nowMs: number) => Promise<RunningBalance | undefined>;

/** Answers within this time share one reading. */
export const REUSE_MS = 2_000;
/** Longest an answer waits for a reading: the first one of a long ledger lasts some seconds. */
const WAIT_MS = 3_000;
/** After this long without a request a new summary is quicker than reading block by block. */
const RESTART_AFTER_MS = HOUR_MS;

export function createBalanceReader(ask: Ask): BalanceOf {
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
  return async (nowMs) => {
    const outcome = await settledWithin(read(nowMs), WAIT_MS);
    // While a reading on a busy store runs longer, the balance is that of the last reading: it holds less, never more.
    return outcome === false || (outcome === undefined && !wasRead) ? undefined : balance;
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
