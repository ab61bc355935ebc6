/*
 * Results of costly questions, kept for minutes so that pages, orders and searches of one span are one computation. The
 * callers who ask for a key at the same time share its computation; it is cancelled when the last of them has gone.
 * Bounded in bytes: beyond it the result that was used longest ago is dropped. A result that is older than the time to
 * keep is dropped whether or not anybody asks, because sums of rate and delay are stored no longer than minutes.
 */
import { LRUCache } from 'lru-cache';

export type SharedMemory = {
  /**
   * @param reuseMs a result that is older is computed again
   * @param bytesOf what a result takes in memory, about
   * @param compute is given a signal that is aborted when no caller waits any more
   */
  share<T>(
    key: string,
    caller: { readonly nowMs: number; readonly reuseMs: number; readonly signal: AbortSignal },
    compute: (signal: AbortSignal) => Promise<T>,
    bytesOf: (value: T) => number,
  ): Promise<T>;
  bytes(): number;
};

type Kept = { readonly value: unknown; readonly computedMs: number };
type Running = { readonly result: Promise<unknown>; readonly abort: AbortController; waiting: number };

/** Of one key: beside what the result takes. */
const ENTRY_BYTES = 500;

export function createSharedMemory(bytesMax: number, keptMs: number): SharedMemory {
  const kept = new LRUCache<string, Kept>({
    maxSize: bytesMax,
    ttl: keptMs,
    // With timers that do not keep the process running.
    ttlAutopurge: true,
    // Results larger than the bound are not kept.
    maxEntrySize: bytesMax,
  });
  const running = new Map<string, Running>();

  const start = <T>(
    key: string,
    nowMs: number,
    compute: (signal: AbortSignal) => Promise<T>,
    bytesOf: (value: T) => number,
  ): Running => {
    const abort = new AbortController();
    const result = compute(abort.signal).then((value) => {
      kept.set(key, { value, computedMs: nowMs }, { size: ENTRY_BYTES + Math.ceil(bytesOf(value)) });
      return value;
    });
    const started = { result, abort, waiting: 0 };
    running.set(key, started);
    const end = (): void => {
      if (running.get(key) === started) running.delete(key);
    };
    result.then(end, end);
    return started;
  };

  return {
    async share<T>(
      key: string,
      { nowMs, reuseMs, signal }: { nowMs: number; reuseMs: number; signal: AbortSignal },
      compute: (signal: AbortSignal) => Promise<T>,
      bytesOf: (value: T) => number,
    ): Promise<T> {
      const known = kept.get(key);
      if (known !== undefined && nowMs >= known.computedMs && nowMs - known.computedMs < reuseMs) {
        // One key always has one type of result.
        return known.value as T;
      }
      const joined = running.get(key) ?? start(key, nowMs, compute, bytesOf);
      return (await waitFor(joined, signal, () => running.get(key) === joined && running.delete(key))) as T;
    },
    bytes: () => kept.calculatedSize,
  };
}

/** @param forget makes later callers start again, once this computation is cancelled */
async function waitFor(running: Running, signal: AbortSignal, forget: () => void): Promise<unknown> {
  running.waiting += 1;
  const leave = (): void => {
    running.waiting -= 1;
    if (running.waiting > 0) return;
    forget();
    running.abort.abort();
  };
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    return await running.result;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
