/*
 * Memoizes a pure function of a text. Routes and paths are few and repeat in most records. Bounded: the memory is cleared
 * when it is full, and results of long texts are not kept. A plain map instead of an LRU cache, because it is read for
 * every record.
 */

/** 1,000 texts of at most 256 characters and their results: below 1 MB. */
const TEXTS_MAX = 1_000;
const LENGTH_MAX = 256;

export function memoizeText<T>(compute: (text: string) => T): (text: string) => T {
  const results = new Map<string, T>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined) return known;
    const result = compute(text);
    if (text.length <= LENGTH_MAX) {
      if (results.size >= TEXTS_MAX) results.clear();
      results.set(text, result);
    }
    return result;
  };
}
