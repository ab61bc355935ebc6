/*
 * Replaces pieces about a person, and credentials, in free text by `<email>`, `<account>` and the like. Idempotent: what is
 * left between two replaced pieces is scrubbed separately until nothing is found in it. Work is linear in the text: the
 * length of each pattern's matches is bounded, and so is the number of rounds.
 */
import { PERSONAL_PATTERNS, type PersonalKind, type PersonalPattern } from './personal-patterns.js';

/** A piece to replace: UTF-16 offsets, `end` not included. */
export type PersonalSpan = { readonly start: number; readonly end: number; readonly kind: PersonalKind };

export type Scrubbed = {
  readonly text: string;
  /** The number of replaced pieces. */
  readonly replaced: number;
};

/** Most texts need one or two rounds. A segment that still changes after the last round is dropped entirely. */
const ROUNDS_MAX = 4;
/**
 * Bounds the characters in matches of one pattern that `accepts` refused, as a multiple of the text's length. Ordinary texts
 * stay below 0.5. A text with many overlapping refused matches (an opening quote every few characters) is dropped entirely.
 */
const REFUSED_LENGTHS_MAX = 2;
/** The bound for short texts, in characters. */
const REFUSED_CHARACTERS_MIN = 512;
/** Replaced pieces of one text; the rest of the text after them is dropped entirely. */
const PIECES_MAX = 50;
const PLACEHOLDER = /<(?:email|phone|account|group|token|ip|query)>/g;
/**
 * Texts in which nothing was found: the same messages repeat, and scrubbing takes some 20 µs. Cleared when full; at most
 * 1 MB. Texts with personal data are not kept.
 */
const cleanTexts = new Set<string>();
const CLEAN_TEXTS_MAX = 2_000;
const CLEAN_LENGTH_MAX = 256;

/** Never throws. The result may be longer; placeholders in the text stay as they are. */
export function scrubText(text: string): Scrubbed {
  if (text === '' || cleanTexts.has(text)) return { text, replaced: 0 };
  const scrubbed = scrubBy(PERSONAL_PATTERNS, text);
  if (scrubbed.replaced === 0) remember(text);
  return scrubbed;
}

/** The same with other patterns, and without the cache. */
export function scrubBy(patterns: readonly PersonalPattern[], text: string): Scrubbed {
  const spans = findPersonalSpans(text, patterns);
  let scrubbed = '';
  let end = 0;
  for (const span of spans) {
    scrubbed += `${text.slice(end, span.start)}<${span.kind}>`;
    end = span.end;
  }
  return { text: scrubbed + text.slice(end), replaced: spans.length };
}

function remember(text: string): void {
  if (text.length > CLEAN_LENGTH_MAX) return;
  if (cleanTexts.size >= CLEAN_TEXTS_MAX) cleanTexts.clear();
  cleanTexts.add(text);
}

/** The pieces that `scrubText` replaces, in order; none overlaps a placeholder. */
export function findPersonalSpans(
  text: string,
  patterns: readonly PersonalPattern[] = PERSONAL_PATTERNS,
): PersonalSpan[] {
  const found: Found = { patterns, spans: [] };
  let end = 0;
  for (const placeholder of text.matchAll(PLACEHOLDER)) {
    collect(text.slice(end, placeholder.index), end, 1, found);
    end = placeholder.index + placeholder[0].length;
  }
  collect(text.slice(end), end, 1, found);
  return found.spans;
}

type Found = { readonly patterns: readonly PersonalPattern[]; readonly spans: PersonalSpan[] };

/** Appends the pieces of one segment between placeholders. @param offset of the segment in the text */
function collect(segment: string, offset: number, round: number, into: Found): void {
  if (segment === '') return;
  const { spans, patterns } = into;
  const found = spans.length >= PIECES_MAX ? undefined : findInSegment(segment, patterns);
  if (found?.length === 0) return;
  if (found === undefined || round > ROUNDS_MAX) {
    spans.push({ start: offset, end: offset + segment.length, kind: 'token' });
    return;
  }
  let end = 0;
  for (const span of found) {
    if (spans.length >= PIECES_MAX) break;
    collect(segment.slice(end, span.start), offset + end, round + 1, into);
    spans.push({ start: offset + span.start, end: offset + span.end, kind: span.kind });
    end = span.end;
  }
  collect(segment.slice(end), offset + end, round + 1, into);
}

/** Undefined if the patterns' refused matches exceed their bound. */
function findInSegment(text: string, patterns: readonly PersonalPattern[]): PersonalSpan[] | undefined {
  const found: PersonalSpan[] = [];
  const taken = new Uint8Array(text.length);
  let hint: RegExp | undefined;
  let hinted = false;
  for (const pattern of patterns) {
    // Neighbouring patterns share their hint.
    if (pattern.hint !== hint) hinted = pattern.hint.test(text);
    hint = pattern.hint;
    if (hinted && !findOne(text, pattern, taken, found)) return undefined;
  }
  return found.toSorted((a, b) => a.start - b.start);
}

/**
 * A match that overlaps the match of an earlier pattern is left to the next round.
 * @returns false if the refused matches exceed their bound
 */
function findOne(text: string, pattern: PersonalPattern, taken: Uint8Array, found: PersonalSpan[]): boolean {
  const { regexp, kind, beginning } = pattern;
  let refusalsLeft = Math.max(REFUSED_CHARACTERS_MIN, REFUSED_LENGTHS_MAX * text.length);
  regexp.lastIndex = 0;
  for (let match = regexp.exec(text); match !== null; match = regexp.exec(text)) {
    const [whole, prefix = '', value = ''] = match;
    const at = match.index + prefix.length;
    const start = beginning?.(text, at, taken) ?? at;
    const end = at + trimmedLength(value, text.charAt(at + value.length));
    if (
      end > start &&
      !taken.subarray(start, end).includes(1) &&
      pattern.accepts(text.slice(start, end), text, start, prefix)
    ) {
      taken.fill(1, start, end);
      found.push({ start, end, kind });
      regexp.lastIndex = Math.max(end, match.index + 1);
    } else {
      regexp.lastIndex = match.index + Math.max(1, whole === value ? 1 : prefix.length);
      refusalsLeft -= whole.length;
      if (refusalsLeft < 0) return false;
    }
  }
  return true;
}

/** The length without punctuation that ends a clause. Before a closing quote, punctuation belongs to the value. */
function trimmedLength(value: string, next: string): number {
  let length = value.length;
  if (!/^\s?$/.test(next)) return length;
  while (length > 0 && '.,;:)'.includes(value.charAt(length - 1))) length -= 1;
  return length;
}
