/* How many open metric windows need each segment of the log. */
import { incrementCount } from '../metrics/increment-count.js';

export class SegmentHolds {
  readonly #holders = new Map<number, number>();

  /** The oldest segment that is needed; null where none is. */
  get oldest(): number | null {
    return this.#holders.size === 0 ? null : Math.min(...this.#holders.keys());
  }

  hold(segment: number): void {
    incrementCount(this.#holders, segment);
  }

  release(segment: number): void {
    const left = (this.#holders.get(segment) ?? 0) - 1;
    if (left > 0) this.#holders.set(segment, left);
    else this.#holders.delete(segment);
  }
}
