/*
 * Limits repeated log lines: the first event of a kind is written at once; those of the next ten seconds are counted and
 * written with the next event, or by `flush`. So a kind has at most six lines a minute, and every event is counted. Bounded:
 * kinds beyond the bound are written under one name.
 */

const INTERVAL_MS = 10_000;
const KINDS_MAX = 500;
/** The name of all kinds beyond the bound. */
export const OTHERS = 'others';

type Written<Detail> = { atMs: number; since: number; detail: Detail | undefined };

export class SampledLog<Detail = never> {
  readonly #write: (kind: string, times: number, detail: Detail | undefined) => void;
  readonly #written = new Map<string, Written<Detail>>();

  /** @param write called with the number of events of the kind since its last line, and the detail of the last event */
  constructor(write: (kind: string, times: number, detail: Detail | undefined) => void) {
    this.#write = write;
  }

  /**
   * @param nowMs monotonic, milliseconds
   * @param times number of events
   */
  note(kind: string, nowMs: number, times = 1, detail?: Detail): void {
    const name = this.#written.has(kind) || this.#hasCapacity(nowMs) ? kind : OTHERS;
    const written = this.#written.get(name);
    if (written !== undefined && nowMs - written.atMs < INTERVAL_MS) {
      written.since += times;
      written.detail = detail;
      return;
    }
    this.#written.set(name, { atMs: nowMs, since: 0, detail: undefined });
    this.#write(name, (written?.since ?? 0) + times, detail);
  }

  /** Writes counts of kinds whose last line is at least ten seconds old; with `nowMs` infinite, all counts. */
  flush(nowMs: number): void {
    for (const [kind, written] of this.#written) {
      if (nowMs - written.atMs < INTERVAL_MS) continue;
      const { since, detail } = written;
      this.#written.delete(kind);
      if (since === 0) continue;
      this.#write(kind, since, detail);
      if (nowMs < Number.POSITIVE_INFINITY) {
        this.#written.set(kind, { atMs: nowMs, since: 0, detail: undefined });
      }
    }
  }

  /** Removes kinds whose last line is at least ten seconds old; their counts since then are in the metrics only. */
  #hasCapacity(nowMs: number): boolean {
    if (this.#written.size < KINDS_MAX) return true;
    for (const [kind, { atMs }] of this.#written) {
      if (kind !== OTHERS && nowMs - atMs >= INTERVAL_MS) this.#written.delete(kind);
    }
    return this.#written.size < KINDS_MAX;
  }
}
