/*
 * Takes what is about a person, and credentials, out of free text; `<email>`, `<account>` and the like stand in
 * its place. Scrubbing twice is scrubbing once: what is left between two replaced pieces is scrubbed by itself
 * until nothing is found in it. Work is linear in the text: each pattern's reach is bounded, and so are rounds.
 */
import { PERSONAL_PATTERNS, type PersonalKind, type PersonalPattern } from './personal-patterns.js';

/** One piece to take out: UTF-16 offsets, `end` not included. */
export type PersonalSpan = { readonly start: number; readonly end: number; readonly kind: PersonalKind };

export type Scrubbed = {
  readonly text: string;
  /** Pieces taken out. */
  readonly replaced: number;
};

/** Most texts need one round, or two; what still changes after this many is dropped whole. */
const ROUNDS_MAX = 4;
/**
 * Characters of what looked like a piece and was none, to one pattern: so many times the text. In ordinary texts it is
 * less than half of one; where such overlap again and again (an opening quote every few characters), a text is dropped whole.
 */
const REFUSED_TIMES_MAX = 2;
/** Of short texts, for which times say little. */
const REFUSED_CHARACTERS_MIN = 512;
/** Pieces of one text; behind them what is left of it is dropped whole. */
const PIECES_MAX = 50;
const PLACEHOLDER = /<(?:email|phone|account|group|token|ip|query)>/g;
/**
 * Texts in which nothing was found: machines fail with the same words again and again, and looking takes some
 * 20 µs. Cleared when full; at most 1 MB. Texts with something in them are not kept.
 */
const cleanTexts = new Set<string>();
const CLEAN_TEXTS_MAX = 2_000;
const CLEAN_LENGTH_MAX = 256;

/** Never throws. The text may get longer; placeholders that it already holds stay as they are. */
export function scrubText(text: string): Scrubbed {
  if (text === '' || cleanTexts.has(text)) return { text, replaced: 0 };
  const scrubbed = scrubBy(PERSONAL_PATTERNS, text);
  if (scrubbed.replaced === 0) remember(text);
  return scrubbed;
}

/** The same by other patterns, and without memory. */
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

/** The pieces that `scrubText` takes out, in order, none touching a placeholder. */
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

/** Appends the pieces of one stretch between placeholders; `offset` is where it stands in the whole text. */
function collect(stretch: string, offset: number, round: number, into: Found): void {
  if (stretch === '') return;
  const { spans, patterns } = into;
  const found = spans.length >= PIECES_MAX ? undefined : findInStretch(stretch, patterns);
  if (found?.length === 0) return;
  if (found === undefined || round > ROUNDS_MAX) {
    spans.push({ start: offset, end: offset + stretch.length, kind: 'token' });
    return;
  }
  let end = 0;
  for (const span of found) {
    if (spans.length >= PIECES_MAX) break;
    collect(stretch.slice(end, span.start), offset + end, round + 1, into);
    spans.push({ start: offset + span.start, end: offset + span.end, kind: span.kind });
    end = span.end;
  }
  collect(stretch.slice(end), offset + end, round + 1, into);
}

/** Undefined where it takes too long to tell. */
function findInStretch(text: string, patterns: readonly PersonalPattern[]): PersonalSpan[] | undefined {
  const found: PersonalSpan[] = [];
  const taken = new Uint8Array(text.length);
  let hint: RegExp | undefined;
  let hinted = false;
  for (const pattern of patterns) {
    // Neighbours share their hint.
    if (pattern.hint !== hint) hinted = pattern.hint.test(text);
    hint = pattern.hint;
    if (hinted && !findOne(text, pattern, taken, found)) return undefined;
  }
  return found.toSorted((a, b) => a.start - b.start);
}

/**
 * Earlier patterns go first: a match that overlaps what they took is left to the next round.
 * @returns false where it was given up
 */
function findOne(text: string, pattern: PersonalPattern, taken: Uint8Array, found: PersonalSpan[]): boolean {
  const { regexp, kind, beginning } = pattern;
  let refusalsLeft = Math.max(REFUSED_CHARACTERS_MIN, REFUSED_TIMES_MAX * text.length);
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

/** Punctuation that ends a clause belongs to the sentence, not to the value; within quotes it is the value's. */
function trimmedLength(value: string, next: string): number {
  let length = value.length;
  if (!/^\s?$/.test(next)) return length;
  while (length > 0 && '.,;:)'.includes(value.charAt(length - 1))) length -= 1;
  return length;
}
