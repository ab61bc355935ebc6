/*
 * Splits a `log_format` into segments: a value and the literal text up to the next one. Variables with nothing between
 * them are one segment; its value is divided afterwards where a part of it is wanted.
 */
import { LogFormatError } from './log-format-error.js';
import { shapeOf } from './log-variables.js';
import { chosenShape, type Escape, isTarget, isText, quotedShape, type Shape } from './value-shapes.js';

/** A variable, or several side by side, and the literal text up to the next one or to the end of the line. */
export type Segment = {
  readonly name: string;
  /** Undefined where the value may be any text. */
  readonly shape: Shape | undefined;
  readonly after: string;
  /** The variables of a segment that has several; none has a literal after it. */
  readonly members: readonly Segment[];
};

export type Segments = { readonly prefix: string; readonly segments: readonly Segment[] };

type Variable = { readonly name: string; readonly before: string; readonly after: string };

const VARIABLE = /\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g;
/** Path and query as in `$request_uri`, but with the path normalised: the usual way to log them by their parts. */
const URI_WITH_ARGS =
  /\$(?:uri|document_uri|\{uri\})(?:\$is_args|\$\{is_args\})\$(?:args|query_string|\{args\})(?![A-Za-z0-9_])/g;
const FORMAT_LENGTH_MAX = 16_384;
const NO_MEMBERS: readonly Segment[] = [];

/** @throws LogFormatError where nginx would refuse the format, or where it spreads a record over several lines */
export function parseFormat(given: string, escape: Escape): Segments {
  if (given.length > FORMAT_LENGTH_MAX) {
    throw new LogFormatError(
      `the log format has ${given.length} characters: at most ${FORMAT_LENGTH_MAX} are allowed`,
    );
  }
  const text = singleLine(given).replaceAll(URI_WITH_ARGS, '${uri_with_args}');
  const names = Array.from(text.matchAll(VARIABLE), (match) => match[1] ?? match[2] ?? '');
  const literals = text.split(/\$(?:\{[A-Za-z0-9_]+\}|[A-Za-z0-9_]+)/);
  const stray = literals.find((literal) => literal.includes('$'));
  if (stray !== undefined) {
    throw new LogFormatError(
      `the log format has a "$" without a variable's name, in ${JSON.stringify(stray)}`,
    );
  }
  if (names.length === 0) {
    throw new LogFormatError(
      `the log format has no variables: give it as nginx has it, such as '$remote_addr …'`,
    );
  }
  const variables = names.map((name, index): Variable => {
    return { name, before: literals[index] ?? '', after: literals[index + 1] ?? '' };
  });
  return { prefix: literals[0] ?? '', segments: joinAdjacent(variables, escape) };
}

/** Blank lines before and after the record's own are skipped when a log is read. */
function singleLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [only = text] = lines;
  if (lines.length <= 1) return only.endsWith('\r') ? only.slice(0, -1) : only;
  throw new LogFormatError(
    `the log format has a line break after ${JSON.stringify(only.trimEnd().slice(-40))}, so nginx writes each record over ${lines.length} lines, and a log is read line by line: put each line of the log_format into quotes of its own, without the break, and nginx joins them`,
  );
}

function joinAdjacent(variables: readonly Variable[], escape: Escape): Segment[] {
  const segments: Segment[] = [];
  let run: Variable[] = [];
  for (const variable of variables) {
    run.push(variable);
    if (variable.after === '' && variable !== variables.at(-1)) continue;
    segments.push(segmentOf(run, escape));
    run = [];
  }
  return segments;
}

function segmentOf(run: readonly Variable[], escape: Escape): Segment {
  const before = run[0]?.before ?? '';
  const after = run.at(-1)?.after ?? '';
  const quoted = escape !== 'none' && before.endsWith('"') && after.startsWith('"');
  const members = run.map(({ name }, index) => memberOf(name, escape, run[index + 1]?.name));
  const [only] = members;
  if (only !== undefined && members.length === 1) {
    // Numbers and times keep their shape in quotes, so that a line of another format does not fit.
    const keeps = only.shape?.mark === '0' || only.name === 'server_protocol';
    return { ...only, shape: quoted && !keeps ? quotedShape(escape) : only.shape, after };
  }
  return {
    name: run.map(({ name }) => name).join('$'),
    shape: quoted ? quotedShape(escape) : chosenShape('', escape),
    after,
    members,
  };
}

/**
 * Variables that hold a host. nginx answers 400 where the host in a request is not valid, so one with a slash belongs
 * to no request that reaches an interface.
 */
const HOSTS: ReadonlySet<string> = new Set([
  'host',
  'http_host',
  'server_name',
  'ssl_server_name',
  'proxy_host',
  'hostname',
]);

/** @param next the variable right after it */
function memberOf(name: string, escape: Escape, next: string | undefined): Segment {
  const isHost = HOSTS.has(name) && next !== undefined && isTarget(next);
  const shape = isHost ? chosenShape('host', escape) : (shapeOf(name) ?? chosenShape(name, escape));
  return { name, shape, after: '', members: NO_MEMBERS };
}

/** True where the end of the first of two adjacent values cannot be found: it may hold whatever the second begins with. */
export function inseparable({ shape: first }: Segment, { shape: second }: Segment): boolean {
  if (first?.ends === 'longest' || second?.fromEnd === true) return false;
  if (first === undefined || isText(first) || second?.mark === undefined) return true;
  return first.longer.test(second.mark);
}

/** Whether the text after the value of segment `index` may have the form of more of it, so that it may end before its pattern does. */
export function canContinueAfter(
  segments: readonly Segment[],
  index: number,
): 'characters' | 'separators' | false {
  const segment = segments[index];
  if (segment?.shape === undefined) return 'characters';
  const { ends, longer, separators } = segment.shape;
  if (ends === 'longest') return false;
  if (mayFollow(segments, index, [longer])) return 'characters';
  const may = separators.some((text) =>
    mayFollow(
      segments,
      index,
      Array.from(text, (character) => character),
    ),
  );
  return may ? 'separators' : false;
}

/** True where the text after the value of segment `index` may begin with these characters. */
function mayFollow(
  segments: readonly Segment[],
  index: number,
  wanted: readonly (string | RegExp)[],
): boolean {
  const segment = segments[index];
  if (segment === undefined) return false;
  let left = wanted;
  for (const character of segment.after) {
    const [next, ...rest] = left;
    if (next === undefined) return true;
    if (typeof next === 'string' ? next !== character : !next.test(character)) return false;
    left = rest;
  }
  const [next] = left;
  if (next === undefined) return true;
  const following = segments[index + 1];
  if (following === undefined) return false;
  // A value begins here, or is empty.
  const mayBegin =
    following.shape === undefined || typeof next !== 'string' || following.shape.first.test(next);
  return mayBegin || mayFollow(segments, index + 1, left);
}
