/*
 * What one boot of one collector sent to one partition of the request logs, held against what is stored of it.
 * Between two accounts of the boot lies a stretch of batches; once all of them are stored it is forgotten, so what
 * is held is what is missing, and what was stored since the last account. No I/O.
 */
import type { TimeWindow } from '../time-window.js';
import {
  addRange,
  type BatchRange,
  clipRange,
  countBatches,
  countRecords,
  joinRanges,
  partOf,
} from '@imscope/accounting/batch-ranges.js';

/** The batches between two accounts, and those of them that are stored. Times by the collector's clock. */
export type Stretch = {
  readonly fromMs: number;
  readonly toMs: number;
  /** Sequences of the two accounts; -1 where it begins with the boot. */
  readonly fromAccount: number;
  readonly toAccount: number;
  /** The event times of all batches of a boot that takes in a history; elsewhere records count for when they came. */
  readonly covers?: TimeWindow | undefined;
  readonly first: number;
  readonly last: number;
  readonly records: number;
  readonly stored: BatchRange[];
};

/** What an account says of the partition, and of the time since the account before. */
export type PartitionReport = Pick<Stretch, 'fromMs' | 'toMs' | 'fromAccount' | 'toAccount' | 'covers'> & {
  readonly sequence: number;
  /** Cumulative since the boot's start. */
  readonly records: number;
};

/** At this bound neighbours are joined: by then no account came for many minutes. */
const AHEAD_MAX = 1_000;

export class PartitionTrack {
  #open: Stretch[] = [];
  /** Stored and not accounted for yet. */
  #ahead: BatchRange[] = [];
  #accounted: { readonly sequence: number; readonly records: number } | undefined;
  #greatestSettled = -1;

  /** Stretches of which a batch is missing, oldest first. */
  get open(): readonly Stretch[] {
    return this.#open;
  }

  /** Of them, those with batches behind all that are stored. What was passed over by a later batch is not waited for. */
  get awaited(): readonly Stretch[] {
    return this.#open.filter(({ last }) => last > this.#greatestSettled);
  }

  /** Where accounts begin: nothing is known of what was sent before. */
  begin(sequence: number, records: number): void {
    this.#accounted = { sequence, records };
    this.#greatestSettled = Math.max(this.#greatestSettled, sequence);
    this.#takeAhead(sequence);
  }

  store(range: BatchRange): void {
    this.settle(range.last);
    const accounted = this.#accounted?.sequence ?? -1;
    if (range.first <= accounted) {
      for (const { first, last, stored } of this.#open) {
        const part = clipRange(range, first, last);
        if (part !== undefined) addRange(stored, part);
      }
      this.#open = this.#open.filter((stretch) => missingBatches(stretch) > 0);
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
    const stretch: Stretch = {
      ...between,
      first,
      last: sequence,
      records: records - before.records,
      stored: this.#takeAhead(sequence),
    };
    if (missingBatches(stretch) > 0) this.#open.push(stretch);
    this.#accounted = { sequence, records };
  }

  forgetBefore(timeMs: number): void {
    this.#open = this.#open.filter(({ toMs }) => toMs >= timeMs);
  }

  #takeAhead(last: number): BatchRange[] {
    const beyond = this.#ahead.findIndex((range) => range.last > last);
    const taken = this.#ahead.splice(0, beyond === -1 ? this.#ahead.length : beyond);
    const [next] = this.#ahead;
    if (next !== undefined && next.first <= last) {
      taken.push(partOf(next, next.first, last));
      this.#ahead[0] = partOf(next, last + 1, next.last);
    }
    return taken;
  }
}

function missingBatches({ first, last, stored }: Stretch): number {
  return last - first + 1 - countBatches(stored);
}

/**
 * Exact, but for a block that holds batches of two stretches: its records are split by batches. Never less than one
 * record for a batch.
 */
export function missingRecords(stretch: Stretch): number {
  const missing = stretch.records - countRecords(stretch.stored);
  return Math.min(Math.max(missing, missingBatches(stretch)), stretch.records);
}
