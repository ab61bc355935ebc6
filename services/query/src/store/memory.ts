/*
 * Remembers results of look-ups by key for a short time: callers within the reuse time share one look-up. Beyond the
 * bound the oldest entry is dropped. A look-up that fails rejects for all its callers, and is not remembered.
 */
import { LRUCache } from 'lru-cache';

type Entry<T> = { readonly value: Promise<T>; readonly lookedUpMs: number };

/** @returns a function that gives the remembered result of a key, or else calls `lookUp` */
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
