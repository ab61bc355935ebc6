/*
 * Searches the readings of a line until two of them differ in a wanted value, with a bound on the tries. For lines that
 * the fast reader gives up.
 */
import type { Segment } from './format-segments.js';

/** Positions of separators tried before a line is given up: a line that nginx wrote needs fewer than 10 a variable. */
const TRIES_MAX = 5_000;

/** The values of the wanted segments, in that order; or why the line cannot be read. */
export function searchLine(
  line: string,
  prefix: string,
  segments: readonly Segment[],
  wanted: readonly number[],
): (string | undefined)[] | 'malformed_line' | 'ambiguous_line' {
  if (!line.startsWith(prefix)) return 'malformed_line';
  // nginx writes all lists of upstream attempts with the same number of items, so readings with equal lists are preferred.
  const alike = new Readings(wanted.length);
  const others = new Readings(wanted.length);
  const search = new Search(line, segments, wanted, (values, listsAlike) => {
    (listsAlike ? alike : others).add(values);
    return alike.differ;
  });
  search.from(0, prefix.length);
  const found = alike.first === undefined ? others : alike;
  if (found.first === undefined) return search.gaveUp ? 'ambiguous_line' : 'malformed_line';
  return search.gaveUp || found.differ ? 'ambiguous_line' : found.first;
}

/** Divides the value of several adjacent variables; a part is undefined where the ways to divide the value disagree. */
export function divideValue(
  value: string,
  members: readonly Segment[],
  wanted: readonly number[],
): readonly (string | undefined)[] {
  const readings = new Readings(wanted.length);
  const search = new Search(value, members, wanted, (values) => {
    readings.add(values);
    return readings.allDiffer;
  });
  search.from(0, 0);
  return search.gaveUp ? wanted.map(() => undefined) : readings.agreed;
}

/** The first reading of a line, and in which values later ones differ. */
class Readings {
  first: (string | undefined)[] | undefined;
  readonly #differing: boolean[];

  constructor(places: number) {
    this.#differing = Array.from({ length: places }, () => false);
  }

  get differ(): boolean {
    return this.#differing.includes(true);
  }

  get allDiffer(): boolean {
    return !this.#differing.includes(false);
  }

  get agreed(): (string | undefined)[] {
    return this.#differing.map((differs, place) => (differs ? undefined : this.first?.[place]));
  }

  add(values: (string | undefined)[]): void {
    this.first ??= values;
    for (const [place, value] of values.entries()) {
      if (value !== this.first[place]) this.#differing[place] = true;
    }
  }
}

/** Called with each reading. @returns true where no more are needed */
type OnReading = (values: (string | undefined)[], listsAlike: boolean) => boolean;

class Search {
  /** The bound on tries was reached: there may be more readings than were found. */
  gaveUp = false;
  #enough = false;
  #tries = 0;
  readonly #line: string;
  readonly #segments: readonly Segment[];
  readonly #wanted: readonly number[];
  readonly #onReading: OnReading;
  /** The last position where each segment can end so that all later separators still fit. */
  readonly #latestEnds: readonly number[] | undefined;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  constructor(line: string, segments: readonly Segment[], wanted: readonly number[], onReading: OnReading) {
    this.#line = line;
    this.#segments = segments;
    this.#wanted = wanted;
    this.#onReading = onReading;
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
    const { shape, after } = segment;
    const isLast = index === this.#segments.length - 1;
    if (isLast || shape?.ends === 'longest') {
      const end = isLast ? this.#line.length - after.length : extent;
      const fits = shape?.ends === 'longest' ? end === extent : end >= start && end <= extent;
      if (fits && this.#isValue(segment, start, end) && this.#line.startsWith(after, end)) {
        this.#next(index, end);
      }
      return;
    }
    for (
      let end = this.#line.indexOf(after, start);
      end !== -1 && end <= extent && end <= latest && !this.#enough && !this.gaveUp;
      end = end < this.#line.length ? this.#line.indexOf(after, end + 1) : -1
    ) {
      if (this.#isValue(segment, start, end)) this.#next(index, end);
      else this.#countTry();
    }
  }

  #isValue({ shape }: Segment, start: number, end: number): boolean {
    return shape === undefined || shape.isValue(this.#line, start, end);
  }

  /** The last position where the segment's value can end; undefined where its value cannot begin at `start`. */
  #extent(segment: Segment, start: number): number | undefined {
    if (segment.shape === undefined) return this.#line.length;
    const { pattern, scan } = segment.shape;
    const end = scan(this.#line, start);
    if (end !== -1) return end;
    pattern.lastIndex = start;
    return pattern.test(this.#line) ? pattern.lastIndex : undefined;
  }

  #countTry(): boolean {
    this.#tries += 1;
    if (this.#tries > TRIES_MAX) this.gaveUp = true;
    return !this.gaveUp;
  }

  #next(index: number, end: number): void {
    if (!this.#countTry()) return;
    this.#ends[index] = end;
    const after = this.#segments[index]?.after ?? '';
    this.from(index + 1, end + after.length);
  }

  #record(): void {
    const values = this.#wanted.map((index) => (index === -1 ? undefined : this.#valueOf(index)));
    this.#enough = this.#onReading(values, this.#listsAlike());
  }

  #valueOf(index: number): string {
    return this.#line.slice(this.#starts[index], this.#ends[index]);
  }

  #listsAlike(): boolean {
    let first: string | undefined;
    for (const [index, { shape }] of this.#segments.entries()) {
      if (shape === undefined || shape.separators.length === 0) continue;
      const separators = this.#valueOf(index).replaceAll(/ : |, ?|[^,]/g, (text) =>
        text === ' : ' ? ':' : text.startsWith(',') ? ',' : '',
      );
      first ??= separators;
      if (separators !== first) return false;
    }
    return true;
  }
}

/** Bounds the search: without it, every separator is tried for every value although too few of them are left. */
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
