/*
 * What a text becomes, remembered: routes and paths are few, and the same in all records. Bounded: cleared when full, and
 * long texts are not kept.
 */

/** 1,000 texts of at most 256 characters, and as many results: below 1 MB. */
const TEXTS_MAX = 1_000;
const LENGTH_MAX = 256;

export function remembered<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const found = read(text);
    if (text.length <= LENGTH_MAX) {
      if (known.size >= TEXTS_MAX) known.clear();
      known.set(text, found);
    }
    return found;
  };
}
