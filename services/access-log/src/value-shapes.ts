/*
 * The shape of a variable: which values it can have. Shapes make a line readable although a value holds a separator (a
 * list of upstream addresses, an IPv6 address before a port), and refuse a value that a caller gave the form of the rest
 * of a line. A shape admits at least every value that nginx can write, so the true reading is always among those found.
 */
import {
  addressEnd,
  charactersEnd,
  decimalEnd,
  listEnd,
  quotedEnd,
  quotedJsonEnd,
  type Scan,
  seldomChanging,
  VALUE_LENGTH_MAX,
  wholeEnd,
} from './value-scanners.js';

/** How nginx escapes values: `\x22` for `"` (default), as in JSON strings, or not at all. */
export const ESCAPES = ['default', 'json', 'none'] as const;
export type Escape = (typeof ESCAPES)[number];

/**
 * Where a value can end. `longest`: where the pattern ends, because no value is the beginning of another. `anywhere`: at
 * any position up to there. `complete`: at the positions up to there where `isValue` holds.
 */
export type Shape = {
  readonly ends: 'longest' | 'anywhere' | 'complete';
  /** Sticky, matches the longest value. Never backtracks more than linearly. */
  readonly pattern: RegExp;
  /** Finds the same end faster. */
  readonly scan: Scan;
  /** For `complete`: the text from `start` to `end` is a value. */
  readonly isValue: (line: string, start: number, end: number) => boolean;
  /** Characters a value that is not empty can begin with. */
  readonly first: RegExp;
  /** Characters that can make a value longer. */
  readonly longer: RegExp;
  /** Texts between the items of a list. */
  readonly separators: readonly string[];
  /** A value begins with this character unless it is empty or `-`; undefined where it may begin with any. */
  readonly mark: string | undefined;
  /** A value can also be found from its end: no suffix of a value is a value. */
  readonly fromEnd: boolean;
};

const ANY = /[^]/;
const NO_SEPARATORS: readonly string[] = [];
const always = (): boolean => true;

/** A dash, digits, or nothing. */
export const WHOLE = complete(/-|\d*/y, wholeEnd, /[-0-9]/, '0');
/** A dash, digits with or without a fraction, or nothing. */
export const DECIMAL = complete(/-|(?:\d+(?:\.\d+)?)?/y, decimalEnd, /[-0-9.]/, '0');

/** `, ` between two upstreams; ` : ` between two groups after an internal redirect, possibly with nothing after it. */
const SEPARATORS = [', ', ',', ' : '] as const;

/** A number for each upstream attempt. */
export const DECIMALS: Shape = {
  ...complete(
    /(?:(?:-|\d+(?:\.\d+)?)(?:, ?(?:-|\d+(?:\.\d+)?)| : (?:-|\d+(?:\.\d+)?)?)*)?/y,
    listEnd(decimalEnd),
    /[-0-9.]/,
    '0',
  ),
  separators: SEPARATORS,
};

const ADDRESS_ITEM = String.raw`(?:\[[0-9A-Za-z.:%]+\](?::\d+)?|[^\s,"[\]|;]+)`;
/** An address, Unix socket or group name for each upstream attempt. */
export const ADDRESSES: Shape = {
  ...complete(
    new RegExp(`(?:${ADDRESS_ITEM}(?:, ?${ADDRESS_ITEM}| : ${ADDRESS_ITEM}?)*)?`, 'y'),
    listEnd(addressEnd),
    /[^\s,"\]|;]/,
    'a',
  ),
  separators: SEPARATORS,
};

export const TIME_LOCAL = time(/\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}/y);
export const TIME_ISO = time(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/y);
const PROTOCOL_PATTERN = /(?:-|HTTP\/\d{1,3}(?:\.\d{1,3})?)?/y;
/** Differs from every other value at the end of a line; the formats of a load balancer's log are distinguished by it. */
export const PROTOCOL = complete(PROTOCOL_PATTERN, endOf(PROTOCOL_PATTERN), /[-HTP/0-9.]/, 'H');
export const ADDRESS = characters(/[0-9A-Za-z.:-]/);
/** An address of the server, which may be a Unix socket with its path. */
export const OWN_ADDRESS = characters(/[0-9A-Za-z.:/_%-]/);
export const WORD = characters(/[^\s"]/);
export const LETTERS = characters(/[A-Za-z_-]/);
/** Text that the server writes, such as why a certificate was refused. */
export const PHRASE = characters(/[^"[\]{}|\t]/);

/** nginx escapes quotes in every value, so no value holds one. */
const TEXT: Shape = { ...characters(/[^"]/), mark: undefined, scan: quotedEnd };
const JSON_PATTERN = /[^"\\]*(?:\\.[^"\\]*)*/y;
const JSON_TEXT: Shape = {
  ...TEXT,
  ends: 'complete',
  pattern: JSON_PATTERN,
  scan: quotedJsonEnd(JSON_PATTERN),
  isValue: endsNoEscape,
};

/** A host that nginx found valid: it holds no slash and no blank. */
const HOST = characters(/[^/\s"]/);
const JSON_HOST_PATTERN = /[^"\\/\s]*(?:\\[^/\s][^"\\/\s]*)*/y;
const JSON_HOST: Shape = {
  ...complete(JSON_HOST_PATTERN, endOf(JSON_HOST_PATTERN), /[^/\s]/, 'a'),
  isValue: endsNoEscape,
};

/** As in a request line, or normalised: it begins with a slash, or is a query alone. */
const TARGET = target(/(?:[/?][^"]*|-)?/y, TEXT);
const JSON_TARGET = target(/(?:[/?][^"\\]*(?:\\.[^"\\]*)*|-)?/y, JSON_TEXT);
const TARGETS: ReadonlySet<string> = new Set(['request_uri', 'uri', 'document_uri', 'uri_with_args']);

/** A path of a request, with or without its query: it begins with a slash. */
export function isTarget(name: string): boolean {
  return TARGETS.has(name);
}

/** The shape of a value that a caller chooses, as far as nginx restricts it; undefined where it may be any text. */
export function chosenShape(name: string, escape: Escape): Shape | undefined {
  if (escape === 'none') return undefined;
  const isJson = escape === 'json';
  if (name === 'host') return isJson ? JSON_HOST : HOST;
  if (TARGETS.has(name)) return isJson ? JSON_TARGET : TARGET;
  return isJson ? JSON_TEXT : TEXT;
}

function target(pattern: RegExp, text: Shape): Shape {
  const scan: Scan = (line, at) => {
    const first = line.charAt(at);
    if (first === '/' || first === '?') return text.scan(line, at);
    return first === '-' ? at + 1 : at;
  };
  return {
    ...complete(pattern, scan, /[^"]/, '/'),
    first: /[-/?]/,
    // The pattern admits the characters up to its end, so only the first and the last need a check.
    isValue: (line, start, end) =>
      (line.charAt(start) !== '-' || end - start <= 1) && text.isValue(line, start, end),
  };
}

/** Inside quotes a value ends at the first quote that is not escaped. */
export function quotedShape(escape: Exclude<Escape, 'none'>): Shape {
  return { ...(escape === 'json' ? JSON_TEXT : TEXT), ends: 'longest' };
}

/** True where the value may be any text. */
export function isText(shape: Shape | undefined): boolean {
  return shape === undefined || shape === TEXT || shape === JSON_TEXT;
}

/** The text from `start` does not end between a backslash and the character it escapes. */
function endsNoEscape(line: string, start: number, end: number): boolean {
  let at = end;
  while (at > start && line.charAt(at - 1) === '\\') at -= 1;
  return (end - at) % 2 === 0;
}

function time(pattern: RegExp): Shape {
  return {
    ends: 'longest',
    pattern,
    scan: seldomChanging(pattern),
    isValue: always,
    first: /\d/,
    longer: ANY,
    separators: NO_SEPARATORS,
    mark: '0',
    fromEnd: true,
  };
}

function complete(pattern: RegExp, scan: Scan, longer: RegExp, mark: string): Shape {
  const complete = new RegExp(`^(?:${pattern.source})$`);
  return {
    ends: 'complete',
    pattern,
    scan,
    isValue: (line, start, end) => end - start <= VALUE_LENGTH_MAX && complete.test(line.slice(start, end)),
    first: longer,
    longer,
    separators: NO_SEPARATORS,
    mark,
    fromEnd: false,
  };
}

function characters(character: RegExp): Shape {
  return {
    ends: 'anywhere',
    pattern: new RegExp(`(?:${character.source})*`, 'y'),
    scan: charactersEnd(character),
    isValue: always,
    first: character,
    longer: character,
    separators: NO_SEPARATORS,
    mark: 'a',
    fromEnd: false,
  };
}

function endOf(pattern: RegExp): Scan {
  const own = new RegExp(pattern.source, 'y');
  return (line, at) => {
    own.lastIndex = at;
    return own.test(line) ? own.lastIndex : -1;
  };
}
