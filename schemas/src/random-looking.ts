/*
 * Distinguishes ids and secrets from words. Letters and digits drawn at random change between lower case, upper case and
 * digit at six of ten places; words, also in camelCase, at fewer than three of ten.
 */

/** Least share of changes between neighbouring letters and digits. */
const CHANGES_MIN = 0.4;

/** Pairs of neighbouring letters and digits, and how many of them are of two kinds. */
export type KindChanges = { readonly pairs: number; readonly changes: number };

/** True for base64-like text of upper and lower case; marks such as `-` and `_` are passed over. Linear. */
export function isRandomLooking(text: string): boolean {
  if (!/[a-z]/.test(text) || !/[A-Z]/.test(text)) return false;
  const { pairs, changes } = countKindChanges(text, caseOf);
  return pairs > 0 && changes >= CHANGES_MIN * pairs;
}

/** @param kindOf of a character's code; pairs with a `mark` do not count */
export function countKindChanges(text: string, kindOf: (code: number) => string): KindChanges {
  let pairs = 0;
  let changes = 0;
  let previous = kindOf(text.charCodeAt(0));
  for (let at = 1; at < text.length; at++) {
    const current = kindOf(text.charCodeAt(at));
    if (current === 'mark') continue;
    if (previous !== 'mark') pairs += 1;
    if (previous !== 'mark' && current !== previous) changes += 1;
    previous = current;
  }
  return { pairs, changes };
}

function caseOf(code: number): 'digit' | 'upper' | 'lower' | 'mark' {
  if (code >= 0x30 && code <= 0x39) return 'digit';
  if (code >= 0x41 && code <= 0x5a) return 'upper';
  if (code >= 0x61 && code <= 0x7a) return 'lower';
  return 'mark';
}

/** Letters of both cases are one kind. */
export function letterOrDigit(code: number): 'digit' | 'letter' | 'mark' {
  const kind = caseOf(code);
  return kind === 'upper' || kind === 'lower' ? 'letter' : kind;
}
