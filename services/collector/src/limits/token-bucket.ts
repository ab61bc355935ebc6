/*
 * A token bucket: fills at a rate, holds a few seconds of it, and may be in debt. The rate is an argument, because it may
 * change while the bucket is in use. Pure: the clock is an argument.
 */

/** Seconds of its rate that a bucket holds, so that senders that flush every few seconds stay within their rate. */
export const BURST_S = 5;

export class TokenBucket {
  #level: number;
  #filledMs: number;

  /** Creates a full bucket. */
  constructor(rate: number, nowMs: number) {
    this.#level = rate * BURST_S;
    this.#filledMs = nowMs;
  }

  /** What is left; negative in debt. */
  level(rate: number, nowMs: number): number {
    // If the clock goes back, nothing is added.
    const elapsedMs = Math.max(0, nowMs - this.#filledMs);
    this.#filledMs = Math.max(this.#filledMs, nowMs);
    this.#level = Math.min(rate * BURST_S, this.#level + (elapsedMs / 1_000) * rate);
    return this.#level;
  }

  /** Removes an amount, into debt if necessary; a negative amount is returned. */
  take(amount: number): void {
    this.#level -= amount;
  }

  /** Whole seconds, at least 1, until the level reaches the amount, or the bucket is full. */
  secondsUntil(amount: number, rate: number, nowMs: number): number {
    const lacking = Math.min(amount, rate * BURST_S) - this.level(rate, nowMs);
    return Math.max(1, Math.ceil(lacking / rate));
  }

  /** Whole seconds until it is full. */
  secondsUntilFull(rate: number, nowMs: number): number {
    return Math.ceil((rate * BURST_S - this.level(rate, nowMs)) / rate);
  }

  /** True if it equals a new bucket. */
  isFull(rate: number, nowMs: number): boolean {
    return this.level(rate, nowMs) >= rate * BURST_S;
  }
}
