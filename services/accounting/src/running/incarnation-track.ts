/*
 * One incarnation of a collector, as the store knows it: its accounts in their order, and by partition what is stored
 * of the batches it sent. No I/O.
 */
import { KEYED_SEQUENCE } from '@imscope/schemas/edge-account.js';
import { shareWithin, type TimeSpan } from '../time-span.js';
import { type BookedRetirement, bookedLoss } from '../retirement/booked-retirement.js';
import { type AccountInterval, missingRecords, PartitionTrack } from './partition-track.js';

export type PartitionSent = {
  readonly partition: number;
  readonly lastSequence: number;
  readonly records: number;
};

/** One account, as far as it tells of request logs. */
export type Account = {
  readonly collector: string;
  readonly boot: string;
  readonly startedMs: number;
  readonly sequence: number;
  readonly timeMs: number;
  readonly final: boolean;
  /** Event times of an incarnation that imports a history. */
  readonly covers?: TimeSpan | undefined;
  readonly sent: readonly PartitionSent[];
  /** How many incarnations it retires, if any. Such an account is an operator's: its incarnation is no collector. */
  readonly retires?: number;
};

/** Records by partition. */
export type KeyedSent = {
  readonly boot: string;
  readonly records: ReadonlyMap<number, number>;
  readonly fromMs: number;
  readonly toMs: number;
  readonly covers: TimeSpan | undefined;
};

/** Shorter intervals hold too little to tell a rate. */
const RATE_INTERVAL_MS_MIN = 1_000;

export class IncarnationTrack {
  readonly boot: string;
  collector = 'unknown';
  startedMs = Number.POSITIVE_INFINITY;
  final = false;
  /** It is no collector, but the account of an operator who retired some. */
  isRetirement = false;
  /** That it is gone for ever, where an operator said so. A later account takes it back: see `retired`. */
  retirement: BookedRetirement | undefined;
  /** The event times its accounts cover where it imports a history; undefined where they cover times of arrival. */
  covers: TimeSpan | undefined;
  /** The sequence of the last account; -1 before the first. */
  accountSequence = -1;
  /** When Kafka took the last of its accounts. */
  #heardMs: number | undefined;
  /** When Kafka took the first and the last of its batches. */
  #firstStoredMs: number | undefined;
  #lastStoredMs = 0;
  readonly #tracks = new Map<number, PartitionTrack>();
  readonly #keyedRecords = new Map<number, number>();
  /** When accounts were made and what they said was sent in all, both ascending. */
  #timesMs: number[] = [];
  #totals: number[] = [];

  constructor(boot: string) {
    this.boot = boot;
  }

  get tracks(): ReadonlyMap<number, PartitionTrack> {
    return this.#tracks;
  }

  get accounted(): boolean {
    return this.accountSequence >= 0;
  }

  /** The last sign of its accounts, or where there are none, the first of its batches. */
  get heardMs(): number {
    return this.#heardMs ?? this.#firstStoredMs ?? this.#timesMs.at(-1) ?? 0;
  }

  /** Its accounts cover what it accepted up to here: by its clock, at most the broker's. */
  get accountedToMs(): number {
    const lastMs = this.accounted ? (this.#timesMs.at(-1) ?? 0) : (this.#firstStoredMs ?? 0);
    return Math.min(lastMs, this.heardMs);
  }

  /** It is gone for ever: what is missing of it is lost. */
  get retired(): boolean {
    return this.retirement !== undefined && this.accountSequence <= this.retirement.lastAccount;
  }

  /** Retired, but an account came after that: it was not gone. */
  get returned(): boolean {
    return this.retirement !== undefined && !this.retired;
  }

  /** Records that accounts report as sent and that are not stored. Without keyed batches. */
  get missing(): number {
    return this.openIntervals().reduce((sum, interval) => sum + missingRecords(interval), 0);
  }

  /** Records sent by its accounts in all; keyed ones too. */
  get sent(): number {
    return this.#totals.at(-1) ?? 0;
  }

  /** Records that are stored and that no account covers yet. */
  get storedAhead(): number {
    return [...this.#tracks.values()].reduce((sum, { ahead }) => sum + ahead, 0);
  }

  /** Of a retired incarnation: records that it may have accepted after its last account and that are lost, at most. */
  get unaccountedLoss(): number {
    if (this.retirement === undefined || !this.retired) return 0;
    const { unaccounted } = bookedLoss({ ...this.retirement, unaccountedStored: this.storedAhead });
    return unaccounted;
  }

  get lastSignMs(): number {
    return Math.max(this.heardMs, this.#lastStoredMs);
  }

  /** Where its accounts begin; undefined where there are none. */
  get accountedFromMs(): number | undefined {
    return this.covers?.fromMs ?? this.#timesMs[0];
  }

  get accountedUntilMs(): number {
    return this.covers?.toMs ?? this.#timesMs.at(-1) ?? 0;
  }

  /** Kafka received an account of it. */
  noteAccount(appendedMs: number): void {
    this.#heardMs = Math.max(this.#heardMs ?? 0, appendedMs);
  }

  /** Batches of it were stored. */
  noteStored(firstAppendedMs: number, lastAppendedMs: number): void {
    this.#firstStoredMs ??= firstAppendedMs;
    this.#lastStoredMs = Math.max(this.#lastStoredMs, lastAppendedMs);
  }

  track(partition: number): PartitionTrack {
    let track = this.#tracks.get(partition);
    if (track === undefined) this.#tracks.set(partition, (track = new PartitionTrack()));
    return track;
  }

  /**
   * Adds the next account; one that was added before changes nothing.
   * @param keptFromMs accounts older than this may be gone: an incarnation that began before is counted from this
   * account on
   * @returns the records of keyed batches that were sent since the account before, and when that was
   */
  addAccount(account: Account, keptFromMs: number): KeyedSent | undefined {
    const { boot, sequence, final, collector, startedMs, covers, sent } = account;
    if (sequence <= this.accountSequence) return undefined;
    const isFirst = !this.accounted;
    const startsWithin = startedMs >= keptFromMs;
    const fromMs = this.#timesMs.at(-1) ?? startedMs;
    // A clock that goes back makes no interval of negative length.
    const toMs = Math.max(fromMs, account.timeMs);
    const between = { fromMs, toMs, fromAccount: this.accountSequence, toAccount: sequence, covers };
    const isRetirement = (account.retires ?? 0) > 0;
    Object.assign(this, { accountSequence: sequence, final, collector, startedMs, covers, isRetirement });
    if (isFirst && startsWithin) this.#note(startedMs, 0);
    this.#note(
      toMs,
      sent.reduce((sum, { records }) => sum + records, 0),
    );
    const keyed = new Map<number, number>();
    for (const { partition, lastSequence, records } of sent) {
      const begins = isFirst && !startsWithin;
      if (lastSequence === KEYED_SEQUENCE) {
        if (!begins) keyed.set(partition, records - (this.#keyedRecords.get(partition) ?? 0));
        this.#keyedRecords.set(partition, records);
      } else if (begins) this.track(partition).begin(lastSequence, records);
      else this.track(partition).account({ sequence: lastSequence, records, ...between });
    }
    return { boot, records: keyed, fromMs, toMs, covers };
  }

  /** Records sent in a span by its accounts, spread evenly between two accounts, or over all that it covers. */
  sentWithin(fromMs: number, toMs: number): number {
    if (this.covers !== undefined) {
      return (this.#totals.at(-1) ?? 0) * shareWithin(this.covers, { fromMs, toMs });
    }
    return this.#totalAt(toMs) - this.#totalAt(fromMs);
  }

  openIntervals(): AccountInterval[] {
    return [...this.#tracks.values()].flatMap(({ open }) => open);
  }

  /**
   * The greatest rate between two accounts since a time, records a second; before the first account, of what is
   * stored. Accounts that follow one another within a second tell no rate.
   */
  greatestRate(sinceMs: number): number {
    const rates = this.#timesMs.flatMap((toMs, index) => {
      const fromMs = this.#timesMs[index - 1];
      const records = (this.#totals[index] ?? 0) - (this.#totals[index - 1] ?? 0);
      if (fromMs === undefined || toMs <= sinceMs || toMs - fromMs < RATE_INTERVAL_MS_MIN) return [];
      return [(records * 1_000) / (toMs - fromMs)];
    });
    const unaccountedMs = Math.max(this.#lastStoredMs - this.accountedToMs, RATE_INTERVAL_MS_MIN);
    return Math.max(0, (this.storedAhead * 1_000) / unaccountedMs, ...rates);
  }

  forgetBefore(timeMs: number): void {
    const kept = this.#timesMs.findIndex((_, index) => (this.#timesMs[index + 1] ?? Infinity) >= timeMs);
    this.#timesMs = this.#timesMs.slice(kept);
    this.#totals = this.#totals.slice(kept);
    for (const track of this.#tracks.values()) track.forgetBefore(timeMs);
  }

  #note(timeMs: number, total: number): void {
    this.#timesMs.push(timeMs);
    this.#totals.push(total);
  }

  #totalAt(timeMs: number): number {
    const times = this.#timesMs;
    // The first account that is later; accounts are some thousands at most.
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((times[middle] ?? 0) <= timeMs) low = middle + 1;
      else high = middle;
    }
    const before = Math.max(0, low - 1);
    const after = Math.min(low, times.length - 1);
    const [fromMs = 0, toMs = 0] = [times[before], times[after]];
    const [from = 0, to = 0] = [this.#totals[before], this.#totals[after]];
    if (toMs === fromMs || timeMs <= fromMs) return from;
    return from + ((to - from) * (timeMs - fromMs)) / (toMs - fromMs);
  }
}
