/*
 * An nginx `log_format` → a reader of the lines it writes, compiled once. Values are found by the separators
 * between them and by what they can look like. A line that can be read in two ways with different values is
 * refused, not guessed at: callers choose paths and headers, so a guess is theirs to steer. Work per line is
 * bounded by its length times a constant. (No maintained package reads arbitrary formats.)
 */
import { compileFastReader } from './fast-reader.js';
import { searchLine } from './line-search.js';
import { type Segment, type Shape, shapeOf } from './log-variables.js';
import { quotedEnd, quotedJsonEnd } from './value-scanners.js';
import { LogFormatError } from './log-format-error.js';

/** How nginx writes values: `\x22` for `"` (default), JSON strings without their quotes, or as they are. */
export const ESCAPES = ['default', 'json', 'none'] as const;
export type Escape = (typeof ESCAPES)[number];

export type LogFormat = {
  /** Names in order of first appearance, without the dollar. */
  readonly variables: readonly string[];
  /**
   * The values wanted, in the order they were asked for, undefined for variables the format lacks; or why the
   * line cannot be read.
   */
  read(line: string): readonly (string | undefined)[] | 'malformed_line' | 'ambiguous_line';
};

const VARIABLE = /\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g;
const FORMAT_LENGTH_MAX = 16_384;

/**
 * @param text the format as nginx has it after joining its quoted parts
 * @param wanted names of the variables whose values `read` gives
 * @throws LogFormatError where nginx would refuse the format, or nobody could read its lines
 */
export function compileLogFormat(text: string, escape: Escape, wanted: readonly string[]): LogFormat {
  const { prefix, segments } = parseFormat(text, escape);
  const indexes = wanted.map((name) => segments.findIndex((segment) => segment.name === name));
  const unescape = UNESCAPE[escape];
  const readFast = compileFastReader(prefix, segments, indexes);
  return {
    variables: [...new Set(segments.map(({ name }) => name))],
    read: (line) => {
      const values = readFast(line) ?? searchLine(line, prefix, segments, indexes);
      if (typeof values === 'string' || !line.includes('\\')) return values;
      for (let place = 0; place < values.length; place++) {
        const value = values[place];
        if (value?.includes('\\') === true) values[place] = unescape(value);
      }
      return values;
    },
  };
}

/** The format taken apart: what stands before the first variable, and each with what stands behind it. */
export function parseFormat(text: string, escape: Escape): { prefix: string; segments: Segment[] } {
  if (text.length > FORMAT_LENGTH_MAX) {
    throw new LogFormatError(
      `the log format has ${text.length} characters: at most ${FORMAT_LENGTH_MAX} are taken`,
    );
  }
  const matches = [...text.matchAll(VARIABLE)];
  const literals = text.split(/\$(?:\{[A-Za-z0-9_]+\}|[A-Za-z0-9_]+)/);
  const stray = literals.find((literal) => literal.includes('$'));
  if (stray !== undefined) {
    throw new LogFormatError(
      `the log format has a "$" without a variable's name, in ${JSON.stringify(stray)}`,
    );
  }
  const segments = matches.map((match, index): Segment => {
    const name = match[1] ?? match[2] ?? '';
    const before = literals[index] ?? '';
    const after = literals[index + 1] ?? '';
    return { name, after, shape: shapeOf(name) ?? quotedShape(before, after, escape) };
  });
  if (segments.length === 0) {
    throw new LogFormatError(
      `the log format has no variables: give it as nginx has it, such as '$remote_addr …'`,
    );
  }
  segments.forEach((segment, index) => {
    const next = segments[index + 1];
    if (segment.after === '' && next !== undefined && segment.shape?.kind !== 'exact') {
      throw new LogFormatError(
        `nothing stands between $${segment.name} and $${next.name} in the log format, so no one can tell where one ends: put a space or a quote there`,
      );
    }
  });
  return { prefix: literals[0] ?? '', segments };
}

/** Inside quotes, nginx escapes the quote, so a value ends at the first one that is not. */
function quotedShape(before: string, after: string, escape: Escape): Shape | undefined {
  if (escape === 'none' || !before.endsWith('"') || !after.startsWith('"')) return undefined;
  if (escape === 'default') return { kind: 'exact', pattern: /[^"]*/y, scan: quotedEnd };
  const pattern = /[^"\\]*(?:\\.[^"\\]*)*/y;
  return { kind: 'exact', pattern, scan: quotedJsonEnd(pattern) };
}

const UNESCAPE: Readonly<Record<Escape, (value: string) => string>> = {
  default: (value) =>
    value.includes('\\x')
      ? Buffer.from(
          value.replaceAll(/\\x([0-9A-Fa-f]{2})/g, (_, hex: string) =>
            String.fromCharCode(Number.parseInt(hex, 16)),
          ),
          'latin1',
        ).toString('utf8')
      : value,
  json: (value) => {
    if (!value.includes('\\')) return value;
    try {
      return String(JSON.parse(`"${value}"`));
    } catch {
      // Not written by nginx: as it stands it fits no field that would use it.
      return value;
    }
  },
  none: (value) => value,
};
