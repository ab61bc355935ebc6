/*
 * The way most lines are read: from left to right without a step back, each value ending where nothing else is
 * possible. Where that is not sure for every value it gives the line up, and the search of all ways decides; so
 * what is read here is what the search would have found, some ten times sooner. A test compares the two.
 */
import { find, stands } from './literal.js';
import type { Segment } from './log-variables.js';
import { type Scan, wholeEnd } from './value-scanners.js';

/**
 * How a value's end is known. `scan`: where its characters end. `last`: at the last separator among its characters.
 * `only`: at a separator that occurs as often as it must, and no oftener. `end`: it is the last value of the line.
 */
type Ends = 'scan' | 'last' | 'only' | 'end';

type Step = {
  readonly after: string;
  readonly ends: Ends;
  readonly scan: Scan | undefined;
  readonly exact: boolean;
  /** Where the value goes; -1 where nobody wants it. */
  readonly place: number;
  /** Which of the separators that are counted it ends at; how often that must occur from here on. */
  readonly separator: number;
  readonly occurs: number;
};

/** @returns the values wanted with escapes as they stand, or undefined where it is not sure of them */
export type ReadFast = (line: string) => (string | undefined)[] | undefined;

/** Undefined where a variable occurs twice among those wanted: the search alone knows what then holds. */
export function compileFastReader(
  prefix: string,
  segments: readonly Segment[],
  wanted: readonly number[],
): ReadFast {
  const separators: string[] = [];
  const steps = segments.map((segment, index) => compileStep(segment, segments.slice(index + 1), separators));
  const placed = steps.map((step, index) => ({ ...step, place: wanted.indexOf(index) }));
  const again = wanted.flatMap((index, place) =>
    index === -1 || wanted.indexOf(index) === place ? [] : [place],
  );
  const none = wanted.map((): string | undefined => undefined);
  // Line by line: which separators were counted on this one.
  const counted = separators.map(() => false);
  return (line) => {
    if (!stands(line, prefix, 0)) return undefined;
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
  { after, shape }: Segment,
  following: readonly Segment[],
  separators: string[],
): Omit<Step, 'place'> {
  const [next] = following;
  const step = {
    after,
    scan: shape?.scan,
    exact: shape?.kind === 'exact',
    separator: -1,
    occurs: 0,
  };
  if (next === undefined) return { ...step, ends: 'end' };
  if (step.exact) return { ...step, ends: 'scan' };
  if (shape !== undefined && !belongs(shape, after)) return { ...step, ends: 'scan' };
  // An address and its port: no digits but those behind the last colon reach the end of what an address can be.
  if (shape !== undefined && next.shape?.scan === wholeEnd && !belongs(shape, next.after)) {
    return { ...step, ends: 'last' };
  }
  if (!separators.includes(after)) separators.push(after);
  const occurs = 1 + following.filter((later) => later.after === after).length;
  return { ...step, ends: 'only', separator: separators.indexOf(after), occurs };
}

/** True where a value may hold the first character of the separator behind it, or nothing stands there. */
function belongs({ pattern }: NonNullable<Segment['shape']>, separator: string): boolean {
  pattern.lastIndex = 0;
  return separator === '' || (pattern.test(separator) && pattern.lastIndex > 0);
}

function endOf(step: Step, line: string, at: number, counted: boolean[]): number {
  const { after, ends } = step;
  if (ends === 'end') return lastEnd(step, line, at);
  if (ends === 'only') {
    if (counted[step.separator] !== true) {
      if (!occursExactly(step.occurs, after, line, at)) return -1;
      counted[step.separator] = true;
    }
    const end = find(line, after, at);
    return step.scan === undefined || step.scan(line, at) >= end ? end : -1;
  }
  const extent = step.scan?.(line, at) ?? -1;
  if (extent === -1) return -1;
  if (ends === 'scan') return stands(line, after, extent) ? extent : -1;
  const end = line.lastIndexOf(after, extent);
  return end >= at ? end : -1;
}

function lastEnd({ after, scan, exact }: Step, line: string, at: number): number {
  const end = line.length - after.length;
  if (end < at || !stands(line, after, end)) return -1;
  if (scan === undefined) return end;
  const extent = scan(line, at);
  return extent === end || (!exact && extent > end) ? end : -1;
}

/** Every way to read the line needs that many separators: where there are no more, each stands at its own. */
function occursExactly(times: number, separator: string, line: string, from: number): boolean {
  let found = 0;
  for (let at = find(line, separator, from); at !== -1; at = find(line, separator, at + 1)) {
    found += 1;
    if (found > times) return false;
  }
  return found === times;
}
