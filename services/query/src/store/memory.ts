/*
 * What was looked up a moment ago, by key: callers within the time share one look. Bounded: beyond the most
 * entries the oldest is forgotten. A look that fails is told to those who wait for it, and the next looks again.
 */
type Entry<T> = { readonly value: Promise<T>; readonly lookedAtMs: number };

/** @returns what is remembered under a key, or else what `look` finds */
export function createMemory<T>(reuseMs: number, entriesMax: number) {
  const entries = new Map<string, Entry<T>>();
  return (key: string, nowMs: number, look: () => Promise<T>): Promise<T> => {
    const known = entries.get(key);
    if (known !== undefined && nowMs >= known.lookedAtMs && nowMs - known.lookedAtMs < reuseMs) {
      return known.value;
    }
    const value = look();
    const entry = { value, lookedAtMs: nowMs };
    // Anew at the end: the first entry is the oldest.
    entries.delete(key);
    entries.set(key, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= entriesMax) break;
      entries.delete(oldest);
    }
    value.catch(() => {
      if (entries.get(key) === entry) entries.delete(key);
    });
    return value;
  };
}
