/*
 * How many interfaces an application may have, so that a path with ids in it that nobody foresaw cannot make
 * rows, series and memory without end. A name beyond the bound is counted under `other/overflow`; nothing is
 * lost but the name. A name unseen for an hour makes room for another.
 */
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';

/** Where requests of interfaces beyond the bound are counted; takes no place itself. */
export const OVERFLOW_INTERFACE = 'other/overflow';

const FORGET_MS = 3_600_000;
/** Between two sweeps, of at most `namesMax` entries each: some 10 ms. */
const SWEEP_MS = 60_000;

/** Epoch milliseconds; changed in place, for that is cheaper than a second look-up. */
type Seen = { lastMs: number };

export class InterfaceCap {
  readonly #perApplicationMax: number;
  readonly #namesMax: number;
  readonly #onOverflow: () => void;
  /** Application → interface → when it was last seen. */
  readonly #applications = new Map<number, Map<string, Seen>>();
  #names = 0;
  #sweptMs = Number.NEGATIVE_INFINITY;

  /** @param bounds distinct interfaces of one application, and of all together */
  constructor(bounds: {
    readonly perApplicationMax: number;
    readonly namesMax: number;
    /** Called once for each record that goes under `other/overflow`. */
    readonly onOverflow: () => void;
  }) {
    this.#perApplicationMax = bounds.perApplicationMax;
    this.#namesMax = bounds.namesMax;
    this.#onOverflow = bounds.onOverflow;
  }

  /** Names remembered, of all applications. */
  get names(): number {
    return this.#names;
  }

  /** The record under its own interface, or under `other/overflow`, in the log and in the metrics alike. */
  cap(record: NewRequestLog, nowMs: number): NewRequestLog {
    const name = this.#admit(record.sdk_app_id, record.interface, nowMs);
    if (name === record.interface) return record;
    this.#onOverflow();
    return { ...record, interface: name };
  }

  #admit(sdkAppId: number, name: string, nowMs: number): string {
    if (name === OVERFLOW_INTERFACE) return name;
    if (nowMs - this.#sweptMs >= SWEEP_MS) this.#sweep(nowMs);
    const names = this.#applications.get(sdkAppId);
    const seen = names?.get(name);
    if (seen !== undefined) {
      seen.lastMs = nowMs;
      return name;
    }
    if (this.#names >= this.#namesMax) return OVERFLOW_INTERFACE;
    if (names === undefined) this.#applications.set(sdkAppId, new Map([[name, { lastMs: nowMs }]]));
    else if (names.size < this.#perApplicationMax) names.set(name, { lastMs: nowMs });
    else return OVERFLOW_INTERFACE;
    this.#names += 1;
    return name;
  }

  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs;
    for (const [sdkAppId, names] of this.#applications) {
      for (const [name, seen] of names) {
        if (nowMs - seen.lastMs < FORGET_MS) continue;
        names.delete(name);
        this.#names -= 1;
      }
      if (names.size === 0) this.#applications.delete(sdkAppId);
    }
  }
}
