/*
 * Slows down guessing of tokens: after some failures within a minute an address waits until the minute is
 * over. Remembers a bounded number of addresses; at the bound the one that failed longest ago is dropped.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { LRUCache } from 'lru-cache';

const WINDOW_MS = 60_000;
const FAILURES_MAX = 10;

export type FailureGuard = {
  /** Throws `HttpError` too_many_requests where this address has failed too often. */
  check(address: string, nowMs: number): void;
  failed(address: string, nowMs: number): void;
};

/** @param failed what fails, as the refusal says it: `sign-ins failed` */
export function createFailureGuard(addressesMax: number, failed: string): FailureGuard {
  const failures = new LRUCache<string, { readonly sinceMs: number; readonly count: number }>({
    max: addressesMax,
  });
  const current = (address: string, nowMs: number): { sinceMs: number; count: number } => {
    // Only a failure counts as use.
    const known = failures.peek(address);
    return known !== undefined && nowMs - known.sinceMs < WINDOW_MS ? known : { sinceMs: nowMs, count: 0 };
  };
  return {
    check(address, nowMs) {
      const { sinceMs, count } = current(address, nowMs);
      if (count < FAILURES_MAX) return;
      throw new HttpError('too_many_requests', `${count} ${failed} within a minute: wait and try again`, {
        retryAfterS: Math.ceil((sinceMs + WINDOW_MS - nowMs) / 1000),
      });
    },
    failed(address, nowMs) {
      const { sinceMs, count } = current(address, nowMs);
      failures.set(address, { sinceMs, count: count + 1 });
    },
  };
}
