/*
 * An nginx `log_format` → a reader of the lines it writes, compiled once. Values are found by the separators
 * between them and by what they can look like. A line that can be read in two ways with different values is
 * refused, not guessed at: callers choose paths and headers, so a guess is theirs to steer. Work per line is
 * bounded by its length times a constant. (No maintained package reads arbitrary formats.)
 */
import { type Shape, shapeOf } from './log-variables.js';
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

/** A variable and the literal text up to the next one, or to the end of the line. */
type Segment = { readonly name: string; readonly shape: Shape | undefined; readonly after: string };

const VARIABLE = /\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g;
const FORMAT_LENGTH_MAX = 16_384;
/** Places tried before a line is given up: an honest one needs fewer than 10 a variable. */
const TRIES_MAX = 5_000;

/**
 * @param text the format as nginx has it after joining its quoted parts
 * @param wanted names of the variables whose values `read` gives
 * @throws LogFormatError where nginx would refuse the format, or nobody could read its lines
 */
export function compileLogFormat(text: string, escape: Escape, wanted: readonly string[]): LogFormat {
  const { prefix, segments } = parseFormat(text, escape);
  const indexes = wanted.map((name) => segments.findIndex((segment) => segment.name === name));
  const unescape = UNESCAPE[escape];
  return {
    variables: [...new Set(segments.map(({ name }) => name))],
    read: (line) => {
      if (!line.startsWith(prefix)) return 'malformed_line';
      const search = new Search(line, segments, indexes);
      search.from(0, prefix.length);
      const { found } = search;
      if (found === undefined) return 'malformed_line';
      if (search.ambiguous) return 'ambiguous_line';
      return found.map((value) => (value === undefined ? undefined : unescape(value)));
    },
  };
}

function parseFormat(text: string, escape: Escape): { prefix: string; segments: Segment[] } {
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
  return { kind: 'exact', pattern: escape === 'json' ? /[^"\\]*(?:\\.[^"\\]*)*/y : /[^"]*/y };
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

/** One line's search for all ways to read it, given up at the second that differs in a wanted value. */
class Search {
  found: (string | undefined)[] | undefined;
  ambiguous = false;
  #tries = 0;
  readonly #line: string;
  readonly #segments: readonly Segment[];
  readonly #wanted: readonly number[];
  /** Farthest place where each segment can end with room for all that follow. */
  readonly #latestEnds: readonly number[] | undefined;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  constructor(line: string, segments: readonly Segment[], wanted: readonly number[]) {
    this.#line = line;
    this.#segments = segments;
    this.#wanted = wanted;
    this.#latestEnds = latestEnds(line, segments);
  }

  /** Reads the segments from `index` on, the first of which begins at `start`. */
  from(index: number, start: number): void {
    const segment = this.#segments[index];
    if (segment === undefined) {
      if (start === this.#line.length) this.#record();
      return;
    }
    this.#starts[index] = start;
    const extent = this.#extent(segment, start);
    const latest = this.#latestEnds?.[index];
    if (extent === undefined || latest === undefined) return;
    const { after } = segment;
    if (index === this.#segments.length - 1) {
      const end = this.#line.length - after.length;
      const fits = segment.shape?.kind === 'exact' ? end === extent : end <= extent;
      if (fits && end >= start && this.#line.endsWith(after)) this.#next(index, end);
    } else if (segment.shape?.kind === 'exact') {
      if (this.#line.startsWith(after, extent)) this.#next(index, extent);
    } else {
      for (
        let end = this.#line.indexOf(after, start);
        end !== -1 && end <= extent && end <= latest && !this.ambiguous;
        end = this.#line.indexOf(after, end + 1)
      ) {
        this.#next(index, end);
      }
    }
  }

  /** The farthest place the segment's value can end, undefined where its value cannot begin at `start`. */
  #extent(segment: Segment, start: number): number | undefined {
    if (segment.shape === undefined) return this.#line.length;
    const { pattern } = segment.shape;
    pattern.lastIndex = start;
    return pattern.test(this.#line) ? pattern.lastIndex : undefined;
  }

  #next(index: number, end: number): void {
    this.#tries += 1;
    if (this.#tries > TRIES_MAX) {
      this.ambiguous = true;
      return;
    }
    this.#ends[index] = end;
    const after = this.#segments[index]?.after ?? '';
    this.from(index + 1, end + after.length);
  }

  #record(): void {
    const values = this.#wanted.map((index) =>
      index === -1 ? undefined : this.#line.slice(this.#starts[index], this.#ends[index]),
    );
    if (this.found === undefined) this.found = values;
    else if (this.found.some((value, place) => value !== values[place])) this.ambiguous = true;
  }
}

/** Without it, a search would try every separator for every value although too few of them are left. */
function latestEnds(line: string, segments: readonly Segment[]): number[] | undefined {
  const ends: number[] = [];
  let end = line.length;
  for (let index = segments.length - 1; index >= 0; index--) {
    const { after } = segments[index] ?? { after: '' };
    end = end < after.length ? -1 : line.lastIndexOf(after, end - after.length);
    if (end === -1) return undefined;
    ends[index] = end;
  }
  return ends;
}
