/*
 * How complete an answer is. Windows are assessed from the running balance alone. Assess before reading the data: then no answer claims to hold what arrived later.
 */
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import type { Ask } from '../store/ask-store.js';
import { createMemory } from '../store/memory.js';
import type { TimeWindow } from '../figures/time-window.js';
import { acceptedWithin, intervalKey } from './application-share.js';
import { assess, intervalsMissing, NOT_KNOWN } from './assess.js';
import { type BalanceOf, REUSE_MS } from './balance-reader.js';

/** @param sdkAppId the application in question; undefined: all */
export type CompletenessOf = (window: TimeWindow, nowMs: number, sdkAppId?: number) => Promise<Completeness>;

/** Remembered records accepted of an application, read where something is missing; at the bound the oldest is dropped. */
const REUSED_MAX = 1_000;
/** Beyond this many missing intervals an application gets the completeness of all applications. */
const INTERVALS_MAX = 100;
/** Never throws and never waits long: where ledger or accounts cannot be read, nothing is known. */
export function createCompleteness(balanceOf: BalanceOf, ask: Ask): CompletenessOf {
  const memory = createMemory<ReadonlyMap<string, number>>(REUSE_MS, REUSED_MAX);
  return async (window, nowMs, sdkAppId) => {
    const balance = await balanceOf(nowMs);
    if (balance === undefined) return NOT_KNOWN;
    const overall = assess(balance, window, nowMs);
    // The application matters only for batches that are missing for longer than batches are on their way.
    if (sdkAppId === undefined || overall.status !== 'partial' || overall.ratio === 1) return overall;
    const missing = intervalsMissing(balance, window);
    if (missing.length === 0 || missing.length > INTERVALS_MAX) return overall;
    const key = [sdkAppId, ...missing.map(intervalKey)].join(' ');
    try {
      const accepted = await memory(key, nowMs, () => acceptedWithin(ask, sdkAppId, missing));
      return assess(balance, window, nowMs, accepted);
    } catch {
      return overall;
    }
  };
}

/** For a caller who may read a few applications: collectors are the operator's, and serve all of them. */
export function withoutNames({ silent_collectors: silent, ...rest }: Completeness): Completeness {
  return {
    ...rest,
    silent_collectors: silent.map(({ last_heard }, index) => ({
      collector: `collector ${index + 1}`,
      boot: '',
      last_heard,
    })),
  };
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
