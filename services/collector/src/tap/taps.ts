/*
 * The open live tails. Intake checks once a request whether there are any. Records beyond a tail's rate, or that its reader is
 * too slow for, are dropped and counted, so that a slow reader costs a bounded buffer and delays no request.
 */
import type { IntakeWatch } from '../intake/intake-watch.js';
import { TokenBucket } from '../limits/token-bucket.js';
import { line, recordLine, rejectedLine } from './tap-record.js';
import type { TapFilter } from './tap-filter.js';

export const TAPS_MAX = 4;
/** Lines a second of one tap; five times as many at once. */
export const LINES_PER_SECOND = 100;

/** `rate`: over the tail's rate; `reader`: the reader has not read earlier lines. */
export type DropReason = 'rate' | 'reader';

/** Writes a line; false if the buffer is full and the line was not written. */
export type TapSink = (text: string) => boolean;

type TapsOptions = {
  readonly onShown: () => void;
  readonly onDropped: (reason: DropReason) => void;
};

class Tap {
  readonly filter: TapFilter;
  readonly #sink: TapSink;
  readonly #bucket: TokenBucket;
  readonly #options: TapsOptions;
  #dropped: Record<DropReason, number> = { rate: 0, reader: 0 };

  constructor(filter: TapFilter, sink: TapSink, nowMs: number, options: TapsOptions) {
    this.filter = filter;
    this.#sink = sink;
    this.#bucket = new TokenBucket(LINES_PER_SECOND, nowMs);
    this.#options = options;
  }

  /** @param text called only if the line may be written */
  show(text: () => string, nowMs: number): void {
    if (this.#bucket.level(LINES_PER_SECOND, nowMs) < 1) this.#drop('rate');
    else if (this.#sink(text())) {
      this.#bucket.take(1);
      this.#options.onShown();
    } else this.#drop('reader');
  }

  /** Writes the number of dropped records since the last report. */
  reportDropped(): void {
    const { rate, reader } = this.#dropped;
    if (rate + reader === 0) return;
    if (this.#sink(line({ type: 'dropped', rate, reader }))) this.#dropped = { rate: 0, reader: 0 };
  }

  #drop(reason: DropReason): void {
    this.#dropped[reason] += 1;
    this.#options.onDropped(reason);
  }
}

export class Taps {
  readonly #options: TapsOptions;
  readonly #open = new Map<Tap, () => void>();

  constructor(options: TapsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * @param onEnd called by `endAll`
   * @returns undefined if the maximum is open
   */
  open(
    filter: TapFilter,
    sink: TapSink,
    onEnd: () => void,
  ): { reportDropped(): void; close(): void } | undefined {
    if (this.#open.size >= TAPS_MAX) return undefined;
    const tap = new Tap(filter, sink, performance.now(), this.#options);
    this.#open.set(tap, onEnd);
    return { reportDropped: () => tap.reportDropped(), close: () => void this.#open.delete(tap) };
  }

  endAll(): void {
    for (const end of this.#open.values()) end();
  }

  /** Undefined while no tail is open. */
  watch(sender: string): IntakeWatch | undefined {
    if (this.#open.size === 0) return undefined;
    const taps = [...this.#open.keys()];
    const nowMs = performance.now();
    return {
      accepted: (record, weight) => {
        for (const tap of taps) {
          if (tap.filter.record(record)) tap.show(() => recordLine(record, weight, sender), nowMs);
        }
      },
      refused: (rejection, sdkAppId) => {
        for (const tap of taps) {
          if (!tap.filter.rejected(sdkAppId)) continue;
          tap.show(() => rejectedLine(rejection, sdkAppId, { sender, nowMs: Date.now() }), nowMs);
        }
      },
    };
  }
}
