/*
 * Batches with ids out of an `Idempotency-Key`, in one partition: accounts tell how many records they held in all, but
 * not which. So they are balanced by sums: what is seen of them in the log against what accounts say was sent. What
 * is seen and not accounted for yet, and duplicates of any kind, count as seen: too little may be found missing, never
 * too much. No I/O.
 */
import type { TimeWindow } from '../time-window.js';

export type KeyedShortage = TimeWindow & {
  readonly records: number;
  /** The event times where a boot takes in a history. */
  readonly covers?: TimeWindow | undefined;
};

export class KeyedBalance {
  #sent = 0;
  #seen = 0;
  #shortages: KeyedShortage[] = [];

  /** Records that accounts tell of and the ledger does not, by the time between the accounts that found them short. */
  get shortages(): readonly KeyedShortage[] {
    return this.#shortages;
  }

  account(records: number, { fromMs, toMs, covers }: TimeWindow & Pick<KeyedShortage, 'covers'>): void {
    const before = Math.max(0, this.#sent - this.#seen);
    this.#sent += records;
    const short = Math.max(0, this.#sent - this.#seen) - before;
    if (short > 0) this.#shortages.push({ fromMs, toMs, covers, records: short });
  }

  /** What comes fills the latest first, so that a loss stays in its time. */
  see(records: number): void {
    this.#seen += records;
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
