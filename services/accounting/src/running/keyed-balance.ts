/*
 * Batches with keyed ids in one partition. Accounts tell how many records they held in all, but not which, so they are
 * balanced by sums: what is in the ledger against what accounts say was sent. Records that are in the ledger and not
 * accounted for yet, and duplicates of any kind, count as stored: the missing records may be too few, never too many.
 * No I/O.
 */
import type { TimeSpan } from '../time-span.js';

export type KeyedShortage = TimeSpan & {
  /** The incarnation whose account found it. */
  readonly boot: string;
  readonly records: number;
  /** The event times, where an incarnation imports a history. */
  readonly covers?: TimeSpan | undefined;
};

export class KeyedBalance {
  #sent = 0;
  #stored = 0;
  #shortages: KeyedShortage[] = [];

  /** Records that accounts tell of and the ledger does not, by the time between the accounts that found them short. */
  get shortages(): readonly KeyedShortage[] {
    return this.#shortages;
  }

  account(
    records: number,
    { boot, fromMs, toMs, covers }: TimeSpan & Pick<KeyedShortage, 'boot' | 'covers'>,
  ): void {
    const before = Math.max(0, this.#sent - this.#stored);
    this.#sent += records;
    const short = Math.max(0, this.#sent - this.#stored) - before;
    if (short > 0) this.#shortages.push({ boot, fromMs, toMs, covers, records: short });
  }

  /** Fills the latest shortage first, so that a loss stays in its time. */
  store(records: number): void {
    this.#stored += records;
    let left = records;
    while (left > 0) {
      const latest = this.#shortages.pop();
      if (latest === undefined) return;
      if (latest.records > left) this.#shortages.push({ ...latest, records: latest.records - left });
      left -= latest.records;
    }
  }

  forgetBefore(timeMs: number): void {
    this.#shortages = this.#shortages.filter(({ toMs }) => toMs >= timeMs);
  }
}
