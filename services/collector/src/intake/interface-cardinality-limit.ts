/*
 * Limits the number of distinct interfaces of each application and of all together, so that ids in a path that no rule
 * recognises cannot create rows, series and memory without bound. Requests beyond the limit are recorded under
 * `other/overflow`: only their interface name is lost. A name that was not seen for an hour is forgotten.
 */
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';

/** The interface of requests beyond the limit. It does not count against the limit. */
export const OVERFLOW_INTERFACE = 'other/overflow';

const FORGET_MS = 3_600_000;
/** Between two sweeps, each of at most `namesMax` entries: about 10 ms. */
const SWEEP_MS = 60_000;

/** Epoch milliseconds. Mutable, because that is cheaper than setting the map's entry. */
type Seen = { lastMs: number };

export class InterfaceCardinalityLimit {
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
    /** Called for each record that is recorded under `other/overflow`. */
    readonly onOverflow: () => void;
  }) {
    this.#perApplicationMax = bounds.perApplicationMax;
    this.#namesMax = bounds.namesMax;
    this.#onOverflow = bounds.onOverflow;
  }

  /** Known names, of all applications. */
  get names(): number {
    return this.#names;
  }

  /** Returns the record as it is, or with `other/overflow` as its interface, for the log and the metrics alike. */
  apply(record: NewRequestLog, nowMs: number): NewRequestLog {
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
