/*
 * Where a value of a known shape ends, by looking at characters: each does what the pattern of the same shape in
 * `value-shapes.ts` does, some ten times faster, for they run several times a line. A test holds them together.
 */

/** @returns where the value that begins at `at` ends, or -1 where only the pattern can tell */
export type Scan = (line: string, at: number) => number;

const DASH = 45;
const DOT = 46;
const ZERO = 48;
const COMMA = 44;
const SPACE = 32;
const COLON = 58;
const BRACKET = 91;

/** Most characters of a number or list that is read: some 250 attempts. nginx writes no longer ones. */
export const VALUE_LENGTH_MAX = 4_096;

function digitsEnd(line: string, at: number): number {
  let end = at;
  for (;;) {
    // Beyond the end the code is NaN, which is no digit.
    const digit = line.charCodeAt(end) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return end;
    end += 1;
  }
}

/** A dash, or digits, or nothing. */
export function wholeEnd(line: string, at: number): number {
  return line.charCodeAt(at) === DASH ? at + 1 : digitsEnd(line, at);
}

/** A dash, or digits with or without a fraction, or nothing. */
export function decimalEnd(line: string, at: number): number {
  if (line.charCodeAt(at) === DASH) return at + 1;
  const integerEnd = digitsEnd(line, at);
  if (integerEnd === at || line.charCodeAt(integerEnd) !== DOT) return integerEnd;
  const fraction = digitsEnd(line, integerEnd + 1);
  return fraction === integerEnd + 1 ? integerEnd : fraction;
}

/**
 * Items with `, `, `,` or ` : ` between, or nothing. Behind ` : ` an item may lack.
 * @param itemEnd where the item that begins there ends: at its beginning where there is none
 */
export function listEnd(itemEnd: Scan): Scan {
  return (line, at) => {
    let end = itemEnd(line, at);
    if (end === at) return end;
    while (end !== -1 && end - at <= VALUE_LENGTH_MAX) {
      const separator = line.charCodeAt(end);
      if (separator === COMMA) {
        const start = line.charCodeAt(end + 1) === SPACE ? end + 2 : end + 1;
        const next = itemEnd(line, start);
        if (next === start) return end;
        end = next;
      } else if (
        separator === SPACE &&
        line.charCodeAt(end + 1) === COLON &&
        line.charCodeAt(end + 2) === SPACE
      ) {
        end = itemEnd(line, end + 3);
      } else return end;
    }
    return end;
  };
}

const nameEnd = charactersEnd(/[^\s,"[\]|;]/);
const BRACKETED = /\[[0-9A-Za-z.:%]+\](?::\d+)?/y;

/** The address of one upstream with its port, a Unix socket's path, or the name of a group of upstreams. */
export function addressEnd(line: string, at: number): number {
  if (line.charCodeAt(at) !== BRACKET) return nameEnd(line, at);
  BRACKETED.lastIndex = at;
  return BRACKETED.test(line) ? BRACKETED.lastIndex : at;
}

/**
 * A value that seldom changes between lines, such as a time: compared with the last one before it is looked at. For
 * patterns none of whose texts, a dash aside, is the beginning of a longer one.
 */
export function seldomChanging(pattern: RegExp): Scan {
  let last = '';
  return (line, at) => {
    if (last !== '' && line.startsWith(last, at)) return at + last.length;
    pattern.lastIndex = at;
    if (!pattern.test(line)) return -1;
    const end = pattern.lastIndex;
    last = line.slice(at, end);
    return end;
  };
}

/** Up to the next quote, or to the end of the line. */
export function quotedEnd(line: string, at: number): number {
  const quote = line.indexOf('"', at);
  return quote === -1 ? line.length : quote;
}

/** The same where a quote within the value has a backslash before it. */
export function quotedJsonEnd(pattern: RegExp): Scan {
  return (line, at) => {
    const quote = line.indexOf('"', at);
    if (quote !== -1 && line.lastIndexOf('\\', quote) < at) return quote;
    pattern.lastIndex = at;
    return pattern.test(line) ? pattern.lastIndex : -1;
  };
}

/** The end of the characters that belong to the value; unknown (-1) where one beyond ASCII comes first. */
export function charactersEnd(belongs: RegExp): Scan {
  const table = Uint8Array.from({ length: 128 }, (_, code) =>
    belongs.test(String.fromCharCode(code)) ? 1 : 0,
  );
  return (line, at) => {
    let end = at;
    while (end < line.length && table[line.charCodeAt(end)] === 1) end += 1;
    return line.charCodeAt(end) > 127 ? -1 : end;
  };
}
