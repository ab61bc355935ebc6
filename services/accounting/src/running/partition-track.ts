/*
 * What one incarnation of a collector sent to one partition of the request logs, compared with what is stored of it.
 * Between two accounts of the incarnation is an interval of batches; once all of them are stored it is dropped, so what
 * is kept is what is missing, and what was stored since the last account. No I/O.
 */
import {
  addRange,
  type BatchRange,
  clipRange,
  countBatches,
  countRecords,
  joinRanges,
  partOf,
} from '../batch-ranges.js';
import type { TimeSpan } from '../time-span.js';

/** The batches between two accounts, and those of them that are stored. Times by the collector's clock. */
export type AccountInterval = {
  readonly fromMs: number;
  readonly toMs: number;
  /** Sequences of the two accounts; -1 where the interval begins with the incarnation. */
  readonly fromAccount: number;
  readonly toAccount: number;
  /** Event times of all batches of an incarnation that imports a history; else records count for when they arrived. */
  readonly covers?: TimeSpan | undefined;
  readonly first: number;
  readonly last: number;
  readonly records: number;
  readonly stored: BatchRange[];
};

/** What an account says of the partition, and of the time since the account before. */
export type PartitionReport = Pick<
  AccountInterval,
  'fromMs' | 'toMs' | 'fromAccount' | 'toAccount' | 'covers'
> & {
  readonly sequence: number;
  /** Cumulative since the incarnation's start. */
  readonly records: number;
};

/** At this bound neighbours are joined: by then no account came for many minutes. */
const AHEAD_MAX = 1_000;

export class PartitionTrack {
  #open: AccountInterval[] = [];
  /** Stored and not accounted for yet. */
  #ahead: BatchRange[] = [];
  #accounted: { readonly sequence: number; readonly records: number } | undefined;
  #greatestSettled = -1;

  /** Intervals of which a batch is missing, oldest first. */
  get open(): readonly AccountInterval[] {
    return this.#open;
  }

  /** Those of them with batches after all that are stored. A batch that a later one overtook is not waited for. */
  get awaited(): readonly AccountInterval[] {
    return this.#open.filter(({ last }) => last > this.#greatestSettled);
  }

  /** Records that are stored and not accounted for yet. */
  get ahead(): number {
    return countRecords(this.#ahead);
  }

  /** The first account that is kept: nothing is known of what was sent before. */
  begin(sequence: number, records: number): void {
    this.#accounted = { sequence, records };
    this.#greatestSettled = Math.max(this.#greatestSettled, sequence);
    this.#removeAhead(sequence);
  }

  store(range: BatchRange): void {
    this.settle(range.last);
    const accounted = this.#accounted?.sequence ?? -1;
    if (range.first <= accounted) {
      for (const { first, last, stored } of this.#open) {
        const part = clipRange(range, first, last);
        if (part !== undefined) addRange(stored, part);
      }
      this.#open = this.#open.filter((interval) => missingBatches(interval) > 0);
    }
    const rest = clipRange(range, accounted + 1, range.last);
    if (rest === undefined) return;
    addRange(this.#ahead, rest);
    if (this.#ahead.length > AHEAD_MAX) this.#ahead = joinRanges(this.#ahead);
  }

  /** A batch whose records will not come: dead, or expired at the edge. It stays missing but is not waited for. */
  settle(sequence: number): void {
    this.#greatestSettled = Math.max(this.#greatestSettled, sequence);
  }

  account({ sequence, records, ...between }: PartitionReport): void {
    const before = this.#accounted ?? { sequence: -1, records: 0 };
    if (sequence <= before.sequence) return;
    const first = before.sequence + 1;
    const interval: AccountInterval = {
      ...between,
      first,
      last: sequence,
      records: records - before.records,
      stored: this.#removeAhead(sequence),
    };
    if (missingBatches(interval) > 0) this.#open.push(interval);
    this.#accounted = { sequence, records };
  }

  forgetBefore(timeMs: number): void {
    this.#open = this.#open.filter(({ toMs }) => toMs >= timeMs);
  }

  /** Removes what is ahead up to a sequence, and returns it. */
  #removeAhead(last: number): BatchRange[] {
    const beyond = this.#ahead.findIndex((range) => range.last > last);
    const removed = this.#ahead.splice(0, beyond === -1 ? this.#ahead.length : beyond);
    const [next] = this.#ahead;
    if (next !== undefined && next.first <= last) {
      removed.push(partOf(next, next.first, last));
      this.#ahead[0] = partOf(next, last + 1, next.last);
    }
    return removed;
  }
}

function missingBatches({ first, last, stored }: AccountInterval): number {
  return last - first + 1 - countBatches(stored);
}

/**
 * Exact, except for a block that holds batches of two intervals: its records are split in proportion to batches. At
 * least one record for a batch.
 */
export function missingRecords(interval: AccountInterval): number {
  const missing = interval.records - countRecords(interval.stored);
  return Math.min(Math.max(missing, missingBatches(interval)), interval.records);
}
