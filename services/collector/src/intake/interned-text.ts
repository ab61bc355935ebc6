/*
 * Decodes UTF-8 with string interning: values such as nodes, regions, versions and interfaces repeat in most records, so
 * their strings are reused. The strings also keep their hash, which makes later lookups in maps cheaper. The table has a
 * fixed size; a string is replaced by the next one with the same slot.
 */

/** 4,096 strings of at most 64 characters: below 500 kB. */
const SLOTS = 4_096;
const LENGTH_MAX = 64;

const FNV_PRIME = 0x0100_0193;

const strings: (string | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

/** Decodes UTF-8; invalid bytes become U+FFFD. For values that repeat. */
export function internedText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return '';
  if (length > LENGTH_MAX) return bytes.toString('utf8', start, end);
  const slot = slotOf(bytes, start, length);
  const interned = strings[slot];
  if (interned !== undefined && equalsAscii(interned, bytes, start, length)) return interned;
  const text = bytes.toString('utf8', start, end);
  strings[slot] = text;
  return text;
}

/** Hashes the length and six bytes: values of one field mostly differ at their end or in the middle. */
function slotOf(bytes: Buffer, start: number, length: number): number {
  const end = start + length;
  let hash = length;
  hash = Math.imul(hash ^ (bytes[start] ?? 0), FNV_PRIME);
  hash = Math.imul(hash ^ (bytes[start + (length >>> 2)] ?? 0), FNV_PRIME);
  hash = Math.imul(hash ^ (bytes[start + (length >>> 1)] ?? 0), FNV_PRIME);
  hash = Math.imul(hash ^ (bytes[Math.max(start, end - 4)] ?? 0), FNV_PRIME);
  hash = Math.imul(hash ^ (bytes[Math.max(start, end - 2)] ?? 0), FNV_PRIME);
  hash = Math.imul(hash ^ (bytes[end - 1] ?? 0), FNV_PRIME);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

/** Compares ASCII only, where one byte is one character. Other text never equals and is decoded each time. */
function equalsAscii(text: string, bytes: Buffer, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let index = 0; index < length; index++) {
    const byte = bytes[start + index] ?? 0;
    if (byte > 0x7f || text.charCodeAt(index) !== byte) return false;
  }
  return true;
}
