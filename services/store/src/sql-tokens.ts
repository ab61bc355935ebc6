/*
 * Splits a statement into tokens as ClickHouse's lexer does: strings, quoted names and heredocs are single tokens,
 * comments are skipped. The text is "byte text": one character is one byte (latin1), so positions are byte offsets
 * and the data after a statement stays unchanged. Text that cannot be split safely is refused.
 */
import { storeError } from './store-error.js';

export type Token = {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'symbol';
  /** As written, `word` tokens in capitals. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
};

const WORD = /[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*/y;
const NUMBER = /\d[\w.]*/y;
const HEREDOC = /\$[A-Za-z0-9_]*\$/y;
/** UTF-8 of ‘ ’ “ ”, which ClickHouse reads as quotes. */
const TYPOGRAPHIC_QUOTE = /\xe2\x80[\x98\x99\x9c\x9d]/;

/**
 * Yields tokens one by one, so that a caller can stop where data begins. Throws code 62 on a quote, comment or
 * heredoc that is not closed.
 */
export function* tokens(sql: string, from = 0): Generator<Token, void, undefined> {
  let at = from;
  for (;;) {
    at = skipBlank(sql, at);
    const char = sql[at];
    if (char === undefined) return;
    const token = tokenAt(sql, at, char);
    yield token;
    at = token.end;
  }
}

function tokenAt(sql: string, start: number, char: string): Token {
  if (char === "'") return { kind: 'string', ...slice(sql, start, endOfQuoted(sql, start, char)) };
  if (char === '"' || char === '`')
    return { kind: 'quoted', ...slice(sql, start, endOfQuoted(sql, start, char)) };
  if (char === '$') {
    const opening = match(HEREDOC, sql, start);
    if (opening !== undefined) {
      const closing = sql.indexOf(opening, start + opening.length);
      if (closing < 0)
        throw storeError(62, `Syntax error: heredoc ${opening} at position ${start + 1} is not closed`);
      return { kind: 'string', ...slice(sql, start, closing + opening.length) };
    }
  }
  const number = match(NUMBER, sql, start);
  if (number !== undefined) return { kind: 'number', ...slice(sql, start, start + number.length) };
  const word = match(WORD, sql, start);
  if (word !== undefined) {
    if (TYPOGRAPHIC_QUOTE.test(word))
      throw storeError(62, `Syntax error: typographic quote at position ${start + 1}; use ' or "`);
    return { kind: 'word', text: word.toUpperCase(), start, end: start + word.length };
  }
  return { kind: 'symbol', text: char, start, end: start + 1 };
}

function slice(sql: string, start: number, end: number): { text: string; start: number; end: number } {
  return { text: sql.slice(start, end), start, end };
}

function match(pattern: RegExp, sql: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0];
}

/** Position after blanks and comments: from two hyphens, `# ` or `#!` to the end of the line, and bracketed ones. */
function skipBlank(sql: string, from: number): number {
  let at = from;
  for (;;) {
    const char = sql[at];
    if (
      char === ' ' ||
      char === '\n' ||
      char === '\t' ||
      char === '\r' ||
      char === '\f' ||
      char === '\v' ||
      char === '\0'
    ) {
      at += 1;
    } else if (sql.startsWith('--', at) || sql.startsWith('# ', at) || sql.startsWith('#!', at)) {
      const line = sql.indexOf('\n', at);
      at = line < 0 ? sql.length : line + 1;
    } else if (sql.startsWith('/*', at)) {
      const close = sql.indexOf('*/', at + 2);
      if (close < 0) throw storeError(62, `Syntax error: comment at position ${at + 1} is not closed`);
      at = close + 2;
    } else {
      return at;
    }
  }
}

/** Inside, a quote is escaped by a backslash or doubled. */
function endOfQuoted(sql: string, start: number, quote: string): number {
  for (let at = start + 1; at < sql.length; at += 1) {
    if (sql[at] === '\\') at += 1;
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  throw storeError(62, `Syntax error: quoted text at position ${start + 1} is not closed`);
}

/** The byte text of UTF-8 text: one latin1 character a byte. */
export function toByteText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

export function fromByteText(byteText: string): string {
  return Buffer.from(byteText, 'latin1').toString('utf8');
}
