/*
 * Which batches of one partition were seen: for each incarnation of a collector a set of closed intervals of sequences.
 * A batch seen before is a duplicate. Sequences arrive in order, so an incarnation is one interval as a rule and memory
 * is bounded by incarnations, not by messages.
 */
import { isKeyedBoot } from '@imscope/schemas/batch-headers.js';
import { HOUR_MS, SEGMENT_HOURS, TERM_BOUNDS } from '@imscope/schemas/retention.js';
import { KeyedBatches } from './keyed-batches.js';

export type Interval = { readonly first: number; readonly last: number };

type Incarnation = { intervals: { first: number; last: number }[]; lastAppendedMs: number };

/**
 * An incarnation without a batch for this long is forgotten. The topic keeps nothing for longer: the most that REQUEST_LOG_TOPIC_HOURS
 * allows, and a segment. Not the value in force: blocks are a function of the log alone, whatever is set.
 */
export const REMEMBERED_MS = (TERM_BOUNDS.requestLogTopicHours.max + SEGMENT_HOURS) * HOUR_MS;

export class BatchIntervals {
  readonly #incarnations = new Map<string, Incarnation>();
  readonly #keyed = new KeyedBatches();

  get incarnations(): number {
    return this.#incarnations.size;
  }

  /**
   * @param appendedMs the broker's time of the batch in question. Keyed ids, of which there may be one a request,
   * count as seen for an hour of the log or a little more, the same for every reader.
   */
  has(boot: string, sequence: number, appendedMs: number): boolean {
    if (isKeyedBoot(boot)) return this.#keyed.has(boot, sequence, appendedMs);
    const known = this.#incarnations.get(boot);
    if (known === undefined) return false;
    return known.intervals.some(({ first, last }) => first <= sequence && sequence <= last);
  }

  /** Adds a closed interval. `appendedMs` is the broker's time, so that forgetting depends on the log alone. */
  add(boot: string, first: number, last: number, appendedMs: number): void {
    if (isKeyedBoot(boot)) {
      for (let sequence = first; sequence <= last; sequence++) this.#keyed.add(boot, sequence, appendedMs);
      return;
    }
    const known = this.#incarnations.get(boot) ?? { intervals: [], lastAppendedMs: 0 };
    known.lastAppendedMs = Math.max(known.lastAppendedMs, appendedMs);
    const end = known.intervals.at(-1);
    // Nearly always the batch after the last one.
    if (end !== undefined && first === end.last + 1) end.last = last;
    else known.intervals = merge(known.intervals, { first, last });
    this.#incarnations.set(boot, known);
  }

  forgetBefore(appendedMs: number): void {
    for (const [boot, known] of this.#incarnations) {
      if (known.lastAppendedMs < appendedMs - REMEMBERED_MS) this.#incarnations.delete(boot);
    }
    this.#keyed.forgetBefore(appendedMs);
  }
}

/** Sorted, disjoint, not touching. */
function merge(intervals: readonly Interval[], added: Interval): Incarnation['intervals'] {
  const merged: Incarnation['intervals'] = [];
  for (const next of [...intervals, added].toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && next.first <= before.last + 1) {
      merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, next.last) };
    } else merged.push(next);
  }
  return merged;
}
