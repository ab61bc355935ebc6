/*
 * Texts out of bytes, those seen lately without making them anew: nodes, regions, versions and interfaces are the same
 * few in all records, and a text that is the same object costs no look-up its hash either. Bounded: a text has one
 * place, and the next one that hashes there takes it.
 */

/** 4,096 texts of at most 64 characters: below 500 kB. */
const PLACES = 4_096;
const LENGTH_MAX = 64;

const PRIME = 0x0100_0193;

const texts: (string | undefined)[] = Array.from({ length: PLACES }, () => undefined);

/** The bytes as UTF-8; what is none becomes U+FFFD. For texts that come again. */
export function knownText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return '';
  if (length > LENGTH_MAX) return bytes.toString('utf8', start, end);
  const place = placeOf(bytes, start, length);
  const known = texts[place];
  if (known !== undefined && isText(known, bytes, start, length)) return known;
  const text = bytes.toString('utf8', start, end);
  texts[place] = text;
  return text;
}

/** By the length and six characters: texts of one kind differ at their end or in the middle. */
function placeOf(bytes: Buffer, start: number, length: number): number {
  const end = start + length;
  let hash = length;
  hash = Math.imul(hash ^ (bytes[start] ?? 0), PRIME);
  hash = Math.imul(hash ^ (bytes[start + (length >>> 2)] ?? 0), PRIME);
  hash = Math.imul(hash ^ (bytes[start + (length >>> 1)] ?? 0), PRIME);
  hash = Math.imul(hash ^ (bytes[Math.max(start, end - 4)] ?? 0), PRIME);
  hash = Math.imul(hash ^ (bytes[Math.max(start, end - 2)] ?? 0), PRIME);
  hash = Math.imul(hash ^ (bytes[end - 1] ?? 0), PRIME);
  return (hash ^ (hash >>> 15)) & (PLACES - 1);
}

/** Only of ASCII, where bytes are characters: other texts are made anew each time. */
function isText(text: string, bytes: Buffer, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let index = 0; index < length; index++) {
    const byte = bytes[start + index] ?? 0;
    if (byte > 0x7f || text.charCodeAt(index) !== byte) return false;
  }
  return true;
}
