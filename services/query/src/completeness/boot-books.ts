/*
 * The books of one boot of a collector, as the store has them: its accounts in their order, and by partition what
 * of the batches it sent is stored. No I/O.
 */
import { KEYED_SEQUENCE } from '@imscope/schemas/edge-account.js';
import { shareWithin, type TimeWindow } from '../time-window.js';
import { PartitionTrack, type Stretch } from './partition-track.js';

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
  /** Of a boot that takes in a history. */
  readonly covers?: TimeWindow | undefined;
  readonly sent: readonly PartitionSent[];
};

/** Records by partition. */
export type KeyedSent = {
  readonly records: ReadonlyMap<number, number>;
  readonly fromMs: number;
  readonly toMs: number;
  readonly covers: TimeWindow | undefined;
};

export class BootBooks {
  readonly boot: string;
  collector = 'unknown';
  startedMs = Number.POSITIVE_INFINITY;
  final = false;
  /** The event times it vouches for where it takes in a history; undefined where it vouches for what it took when. */
  covers: TimeWindow | undefined;
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

  /** What it took in up to here stands in its accounts: its clock, held down to the broker's. */
  get accountedToMs(): number {
    const lastMs = this.accounted ? (this.#timesMs.at(-1) ?? 0) : (this.#firstStoredMs ?? 0);
    return Math.min(lastMs, this.heardMs);
  }

  get lastSignMs(): number {
    return Math.max(this.heardMs, this.#lastStoredMs);
  }

  /** From when on its accounts tell; undefined where there are none. */
  get accountedFromMs(): number | undefined {
    return this.covers?.fromMs ?? this.#timesMs[0];
  }

  get accountedUntilMs(): number {
    return this.covers?.toMs ?? this.#timesMs.at(-1) ?? 0;
  }

  heard(appendedMs: number): void {
    this.#heardMs = Math.max(this.#heardMs ?? 0, appendedMs);
  }

  /** Batches of it were stored. */
  seen(firstAppendedMs: number, lastAppendedMs: number): void {
    this.#firstStoredMs ??= firstAppendedMs;
    this.#lastStoredMs = Math.max(this.#lastStoredMs, lastAppendedMs);
  }

  track(partition: number): PartitionTrack {
    let track = this.#tracks.get(partition);
    if (track === undefined) this.#tracks.set(partition, (track = new PartitionTrack()));
    return track;
  }

  /**
   * Takes the next account; one that was taken before changes nothing.
   * @param keptFromMs accounts older than this may be gone: where the boot began before, it is counted from here on
   * @returns what keyed batches held that were sent since the account before, and when that was
   */
  account(account: Account, keptFromMs: number): KeyedSent | undefined {
    const { sequence, final, collector, startedMs, covers, sent } = account;
    if (sequence <= this.accountSequence) return undefined;
    const isFirst = !this.accounted;
    const isWhole = startedMs >= keptFromMs;
    const fromMs = this.#timesMs.at(-1) ?? startedMs;
    // A clock that goes back makes no stretch of negative length.
    const toMs = Math.max(fromMs, account.timeMs);
    const between = { fromMs, toMs, fromAccount: this.accountSequence, toAccount: sequence, covers };
    Object.assign(this, { accountSequence: sequence, final, collector, startedMs, covers });
    if (isFirst && isWhole) this.#note(startedMs, 0);
    this.#note(
      toMs,
      sent.reduce((sum, { records }) => sum + records, 0),
    );
    const keyed = new Map<number, number>();
    for (const { partition, lastSequence, records } of sent) {
      const begins = isFirst && !isWhole;
      if (lastSequence === KEYED_SEQUENCE) {
        if (!begins) keyed.set(partition, records - (this.#keyedRecords.get(partition) ?? 0));
        this.#keyedRecords.set(partition, records);
      } else if (begins) this.track(partition).begin(lastSequence, records);
      else this.track(partition).account({ sequence: lastSequence, records, ...between });
    }
    return { records: keyed, fromMs, toMs, covers };
  }

  /** Records its accounts say were sent in a span, as if evenly between two accounts, or over all that it covers. */
  sentWithin(fromMs: number, toMs: number): number {
    if (this.covers !== undefined) {
      return (this.#totals.at(-1) ?? 0) * shareWithin(this.covers, { fromMs, toMs });
    }
    return this.#totalAt(toMs) - this.#totalAt(fromMs);
  }

  *openStretches(): Generator<Stretch> {
    for (const track of this.#tracks.values()) yield* track.open;
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
