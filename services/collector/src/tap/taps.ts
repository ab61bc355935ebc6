/*
 * Open taps: whoever looks at what comes in, live. Intake asks once a request whether there are any; what a tap may not or
 * cannot show is dropped and counted, never kept, so that a slow reader costs a bounded buffer and nobody's time.
 */
import type { IntakeWatch } from '../intake/intake-watch.js';
import { TokenBucket } from '../limits/token-bucket.js';
import { line, recordLine, rejectedLine } from './tap-record.js';
import type { TapFilter } from './tap-filter.js';

export const TAPS_MAX = 4;
/** Lines a second of one tap; five times as many at once. */
export const LINES_PER_SECOND = 100;

/** `rate`: more than it may show; `reader`: whoever reads has not taken up what was shown before. */
export type DropReason = 'rate' | 'reader';

/** Where lines go; false where there is no room, and the line is not kept. */
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

  /** @param text made only where it will be shown */
  show(text: () => string, nowMs: number): void {
    if (this.#bucket.level(LINES_PER_SECOND, nowMs) < 1) this.#drop('rate');
    else if (this.#sink(text())) {
      this.#bucket.take(1);
      this.#options.onShown();
    } else this.#drop('reader');
  }

  /** Tells how much was not shown since it was told last. */
  tellDropped(): void {
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
   * @param onEnd called where all are ended from here
   * @returns undefined where there are as many as there may be
   */
  open(
    filter: TapFilter,
    sink: TapSink,
    onEnd: () => void,
  ): { tellDropped(): void; close(): void } | undefined {
    if (this.#open.size >= TAPS_MAX) return undefined;
    const tap = new Tap(filter, sink, performance.now(), this.#options);
    this.#open.set(tap, onEnd);
    return { tellDropped: () => tap.tellDropped(), close: () => void this.#open.delete(tap) };
  }

  endAll(): void {
    for (const end of this.#open.values()) end();
  }

  /** Undefined while nobody looks. */
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
