/*
 * All ways to read a line, tried one after the other up to the second that differs in a value somebody wants, with a
 * bound on the tries. For lines that cannot be read from left to right without doubt.
 */
import type { Segment } from './log-variables.js';

/** Places tried before a line is given up: an honest one needs fewer than 10 a variable. */
const TRIES_MAX = 5_000;

/** The values of the segments wanted, by their places; or why the line cannot be read. */
export function searchLine(
  line: string,
  prefix: string,
  segments: readonly Segment[],
  wanted: readonly number[],
): (string | undefined)[] | 'malformed_line' | 'ambiguous_line' {
  if (!line.startsWith(prefix)) return 'malformed_line';
  const search = new Search(line, segments, wanted);
  search.from(0, prefix.length);
  if (search.found === undefined) return 'malformed_line';
  return search.ambiguous ? 'ambiguous_line' : search.found;
}

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
