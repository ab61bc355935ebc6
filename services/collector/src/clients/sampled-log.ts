/*
 * One line in place of many alike: the first of a kind is told at once, those of the next ten seconds are counted and
 * told with the one that follows. Bounded: kinds beyond the bound are told under one name.
 */

const INTERVAL_MS = 10_000;
const KINDS_MAX = 500;
const OTHERS = 'others';

type Told = { atMs: number; since: number };

export class SampledLog {
  readonly #write: (kind: string, times: number) => void;
  readonly #told = new Map<string, Told>();

  /** @param write gets how often this kind was noted since it was written last, this time included */
  constructor(write: (kind: string, times: number) => void) {
    this.#write = write;
  }

  /** @param nowMs monotonic, milliseconds */
  note(kind: string, nowMs: number): void {
    const name = this.#told.has(kind) || this.#hasRoom(nowMs) ? kind : OTHERS;
    const told = this.#told.get(name);
    if (told !== undefined && nowMs - told.atMs < INTERVAL_MS) {
      told.since += 1;
      return;
    }
    this.#told.set(name, { atMs: nowMs, since: 0 });
    this.#write(name, (told?.since ?? 0) + 1);
  }

  /** Makes room by forgetting kinds that were told long ago; what was counted of them since is told by metrics only. */
  #hasRoom(nowMs: number): boolean {
    if (this.#told.size < KINDS_MAX) return true;
    for (const [kind, { atMs }] of this.#told) {
      if (kind !== OTHERS && nowMs - atMs >= INTERVAL_MS) this.#told.delete(kind);
    }
    return this.#told.size < KINDS_MAX;
  }
}
