/*
 * How much may still come: fills at a rate, holds a few seconds of it, and may be in debt, which is paid off
 * before anything more is let in. The rate is an argument, for it may change while the bucket is in use. Pure.
 */

/** Seconds of its rate that a bucket holds: senders that flush every few seconds are within their rate. */
export const BURST_S = 5;

export class TokenBucket {
  #level: number;
  #filledMs: number;

  /** A full one. */
  constructor(rate: number, nowMs: number) {
    this.#level = rate * BURST_S;
    this.#filledMs = nowMs;
  }

  /** What may come at once; negative in debt. */
  level(rate: number, nowMs: number): number {
    // A clock that goes back fills nothing.
    const elapsedMs = Math.max(0, nowMs - this.#filledMs);
    this.#filledMs = Math.max(this.#filledMs, nowMs);
    this.#level = Math.min(rate * BURST_S, this.#level + (elapsedMs / 1_000) * rate);
    return this.#level;
  }

  /** Takes out, into debt if need be; a negative amount gives back. */
  take(amount: number): void {
    this.#level -= amount;
  }

  /** Whole seconds, at least 1, until so much may come at once; more than the bucket holds counts as what it holds. */
  secondsUntil(amount: number, rate: number, nowMs: number): number {
    const lacking = Math.min(amount, rate * BURST_S) - this.level(rate, nowMs);
    return Math.max(1, Math.ceil(lacking / rate));
  }

  /** Whole seconds until it is full. */
  secondsUntilFull(rate: number, nowMs: number): number {
    return Math.ceil((rate * BURST_S - this.level(rate, nowMs)) / rate);
  }

  /** True where it is like a new one: nobody misses it. */
  isFull(rate: number, nowMs: number): boolean {
    return this.level(rate, nowMs) >= rate * BURST_S;
  }
}
