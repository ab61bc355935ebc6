/*
 * What was looked up a moment ago, by key: callers within the reuse time share one look-up. Beyond the bound the entry
 * looked up longest ago is dropped. A look-up that fails rejects for all who wait for it, and is not remembered.
 */
import { LRUCache } from 'lru-cache';

type Entry<T> = { readonly value: Promise<T>; readonly lookedUpMs: number };

/** @returns what is remembered under a key, or else the result of `lookUp` */
export function createMemory<T>(reuseMs: number, entriesMax: number) {
  const entries = new LRUCache<string, Entry<T>>({ max: entriesMax });
  return (key: string, nowMs: number, lookUp: () => Promise<T>): Promise<T> => {
    // Reading does not count as use: the order is that of the look-ups.
    const known = entries.peek(key);
    if (known !== undefined && nowMs >= known.lookedUpMs && nowMs - known.lookedUpMs < reuseMs) {
      return known.value;
    }
    const entry = { value: lookUp(), lookedUpMs: nowMs };
    entries.set(key, entry);
    entry.value.catch(() => {
      if (entries.peek(key) === entry) entries.delete(key);
    });
    return entry.value;
  };
}
