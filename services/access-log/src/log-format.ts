/*
 * Compiles an nginx `log_format` into a reader of the lines it writes. Values are found by the separators between them
 * and by their shapes. A line with two readings that differ in a wanted value is refused: callers choose paths and
 * headers, so they could steer a guess. Work per line is bounded by its length times a constant. (No maintained package
 * reads arbitrary formats.)
 */
import { compileFastReader } from './fast-reader.js';
import { inseparable, parseFormat, type Segment } from './format-segments.js';
import { divideValue, searchLine } from './line-search.js';
import type { Escape } from './value-shapes.js';

export type LogFormat = {
  /** Names in order of first appearance, without the dollar. */
  readonly variables: readonly string[];
  /** Variables of `wanted` whose values can never be known, each with the neighbour it runs into. */
  readonly inseparable: ReadonlyMap<string, readonly [first: string, second: string]>;
  /**
   * The values wanted, in the order they were asked for, undefined for variables the format lacks; or why the
   * line cannot be read.
   */
  read(line: string): readonly (string | undefined)[] | 'malformed_line' | 'ambiguous_line';
};

/**
 * @param text the format as nginx has it after joining its quoted parts
 * @param wanted names of the variables whose values `read` gives
 * @throws LogFormatError where nginx would refuse the format, or its lines cannot be read one by one
 */
export function compileLogFormat(text: string, escape: Escape, wanted: readonly string[]): LogFormat {
  const { prefix, segments } = parseFormat(text, escape);
  const indexes = wanted.map((name) => segments.findIndex((segment) => segment.name === name));
  const joined = segments.flatMap((segment, index) => {
    const divide = compileDivider(segment, wanted, indexes);
    return divide === undefined ? [] : [{ index, divide }];
  });
  // The joined values come after those that are wanted themselves.
  const readIndexes = [...indexes, ...joined.map(({ index }) => index)];
  const unescape = UNESCAPE[escape];
  const uriIndex = escape === 'default' ? wanted.indexOf('uri_with_args') : -1;
  const readFast = compileFastReader(prefix, segments, readIndexes);
  return {
    variables: [...new Set(segments.flatMap(({ name, members }) => [name, ...namesOf(members)]))],
    inseparable: findInseparable(segments, wanted),
    read: (line) => {
      const values = readFast(line) ?? searchLine(line, prefix, segments, readIndexes);
      if (typeof values === 'string') return values;
      for (let place = joined.length - 1; place >= 0; place--) joined[place]?.divide(values.pop(), values);
      if (uriIndex !== -1) values[uriIndex] = withoutDash(values[uriIndex]);
      if (!line.includes('\\')) return values;
      for (let place = 0; place < values.length; place++) {
        const value = values[place];
        if (value?.includes('\\') === true) values[place] = unescape(value);
      }
      return values;
    },
  };
}

/** Where there are no arguments, `$is_args` is empty and `$args` a dash. */
function withoutDash(uri: string | undefined): string | undefined {
  return uri?.endsWith('-') === true && !uri.includes('?') ? uri.slice(0, -1) : uri;
}

function namesOf(segments: readonly Segment[]): string[] {
  return segments.map(({ name }) => name);
}

/**
 * A function that writes the needed parts of a segment's value to their indexes; undefined where no part is needed. A
 * variable that is also in the format by itself is read there instead.
 */
function compileDivider(
  { members }: Segment,
  wanted: readonly string[],
  indexes: readonly number[],
): ((value: string | undefined, values: (string | undefined)[]) => void) | undefined {
  const parts = wanted.flatMap((name, place) => {
    const member = indexes[place] === -1 ? members.findIndex((each) => each.name === name) : -1;
    return member === -1 ? [] : [{ place, member }];
  });
  if (parts.length === 0) return undefined;
  const memberIndexes = parts.map(({ member }) => member);
  return (value, values) => {
    if (value === undefined) return;
    const divided = divideValue(value, members, memberIndexes);
    for (const [index, { place }] of parts.entries()) values[place] ??= divided[index];
  };
}

function findInseparable(
  segments: readonly Segment[],
  wanted: readonly string[],
): Map<string, readonly [string, string]> {
  const found = new Map<string, readonly [string, string]>();
  const alone = new Set(segments.filter(({ members }) => members.length === 0).map(({ name }) => name));
  for (const { members } of segments) {
    for (const [index, second] of members.entries()) {
      const first = members[index - 1];
      if (first === undefined || !inseparable(first, second)) continue;
      for (const { name } of [first, second]) {
        if (wanted.includes(name) && !alone.has(name)) found.set(name, [first.name, second.name]);
      }
    }
  }
  return found;
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
      // Not written by nginx: without a change it fits no field that would use it.
      return value;
    }
  },
  none: (value) => value,
};
