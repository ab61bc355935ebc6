/*
 * Reads a line from left to right without backtracking; most lines are read this way. Where the end of a value is not
 * certain it gives up the line, and the search of all readings decides. A result of this reader is therefore the result
 * of the search, some ten times faster; a test compares the two.
 */
import { indexOfLiteral, matchesAt } from './match-literal.js';
import { canContinueAfter, type Segment } from './format-segments.js';
import type { Scan } from './value-scanners.js';
import { type Shape, WHOLE } from './value-shapes.js';

/**
 * How the end of a value is found. `scan`: where its characters end. `single`: the same, for a list of one item. `last`:
 * at the last separator among its characters. `only`: at the next separator, if the line has exactly as many of them as
 * the format. `end`: it is the last value of the line.
 */
type Ends = 'scan' | 'single' | 'last' | 'only' | 'end';

type Step = {
  readonly after: string;
  readonly ends: Ends;
  readonly scan: Scan | undefined;
  readonly shape: Shape | undefined;
  /** Index of the value in the result; -1 where it is not wanted. */
  readonly place: number;
  /** Index of its separator among those that are counted; how often that must occur from here on. */
  readonly separator: number;
  readonly occurs: number;
};

const SPACE = 32;
const COMMA = 44;

/** @returns the values wanted, escapes not decoded; undefined where they are not certain */
export type ReadFast = (line: string) => (string | undefined)[] | undefined;

export function compileFastReader(
  prefix: string,
  segments: readonly Segment[],
  wanted: readonly number[],
): ReadFast {
  const separators: string[] = [];
  const steps = segments.map((segment, index) => compileStep(segments, index, segment, separators));
  const placed = steps.map((step, index) => ({ ...step, place: wanted.indexOf(index) }));
  const again = wanted.flatMap((index, place) =>
    index === -1 || wanted.indexOf(index) === place ? [] : [place],
  );
  const none = wanted.map((): string | undefined => undefined);
  // Which separators were counted on the current line.
  const counted = separators.map(() => false);
  return (line) => {
    if (!matchesAt(line, prefix, 0)) return undefined;
    counted.fill(false);
    const values = none.slice();
    let at = prefix.length;
    for (const step of placed) {
      const end = endOf(step, line, at, counted);
      if (end === -1) return undefined;
      if (step.place !== -1) values[step.place] = line.slice(at, end);
      at = end + step.after.length;
    }
    if (at !== line.length) return undefined;
    for (const place of again) values[place] = values[wanted.indexOf(wanted[place] ?? -1)];
    return values;
  };
}

function compileStep(
  segments: readonly Segment[],
  index: number,
  { after, shape }: Segment,
  separators: string[],
): Omit<Step, 'place'> {
  const following = segments.slice(index + 1);
  const [next] = following;
  const step = { after, shape, scan: shape?.scan, separator: -1, occurs: 0 };
  if (next === undefined) return { ...step, ends: 'end' };
  const canContinue = canContinueAfter(segments, index);
  if (canContinue === false) return { ...step, ends: 'scan' };
  if (canContinue === 'separators') return { ...step, ends: 'single' };
  if (isAddressBeforePort(segments, index)) return { ...step, ends: 'last' };
  if (!separators.includes(after)) separators.push(after);
  const occurs = 1 + following.filter((later) => later.after === after).length;
  return { ...step, ends: 'only', separator: separators.indexOf(after), occurs };
}

/** An address and its port: the last separator among the characters of an address is the one with only digits after it. */
function isAddressBeforePort(segments: readonly Segment[], index: number): boolean {
  const [segment, next] = segments.slice(index, index + 2);
  const characters = segment?.shape?.ends === 'anywhere' ? segment.shape.longer : undefined;
  if (segment === undefined || next?.shape !== WHOLE || characters === undefined) return false;
  if (!characters.test('-') || !characters.test('0') || /[-0-9]/.test(segment.after)) return false;
  return next.after !== '' && !characters.test(next.after.charAt(0));
}

function endOf(step: Step, line: string, at: number, counted: boolean[]): number {
  const { after, ends, scan } = step;
  if (ends === 'end') return lastEnd(step, line, at);
  if (ends === 'only') {
    if (counted[step.separator] !== true) {
      if (!occursExactly(step.occurs, after, line, at)) return -1;
      counted[step.separator] = true;
    }
    const end = indexOfLiteral(line, after, at);
    return reaches(step, line, at, end) ? end : -1;
  }
  const extent = scan?.(line, at) ?? -1;
  if (extent === -1) return -1;
  if (ends === 'scan') return matchesAt(line, after, extent) ? extent : -1;
  if (ends === 'single') return matchesAt(line, after, extent) && isSingle(line, at, extent) ? extent : -1;
  const end = line.lastIndexOf(after, extent);
  return end >= at ? end : -1;
}

/** It holds no separator of a list. What follows may have the form of one, so a list cannot be distinguished from its first item here. */
function isSingle(line: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = line.charCodeAt(at);
    if (code === SPACE || code === COMMA) return false;
  }
  return true;
}

function lastEnd(step: Step, line: string, at: number): number {
  const end = line.length - step.after.length;
  if (end < at || !matchesAt(line, step.after, end)) return -1;
  return reaches(step, line, at, end) ? end : -1;
}

/** True where the text from `at` to `end` can be the value. */
function reaches({ scan, shape }: Step, line: string, at: number, end: number): boolean {
  if (scan === undefined || shape === undefined) return true;
  const extent = scan(line, at);
  if (shape.ends === 'longest') return extent === end;
  return extent === end || (extent > end && shape.isValue(line, at, end));
}

/** Every reading needs this many separators: where the line has no more, each one ends its own value. */
function occursExactly(times: number, separator: string, line: string, from: number): boolean {
  let found = 0;
  for (
    let at = indexOfLiteral(line, separator, from);
    at !== -1;
    at = indexOfLiteral(line, separator, at + 1)
  ) {
    found += 1;
    if (found > times) return false;
  }
  return found === times;
}
