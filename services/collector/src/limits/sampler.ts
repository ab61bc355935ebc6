/*
 * Which requests of one application over its quota are logged one by one. Of the successes one in w is, at a
 * random place among each w, and stands for all w of them; everything else is logged itself. So whatever part of
 * the logs is summed up, the expected sum of weights is the number of requests. Pure: clock and chance are arguments.
 */
import type { Outcome } from '@imscope/schemas/outcome.js';

/** Seconds of unused quota that may be used later, beside the second's own. */
const CARRY_S = 4;
/** Successes keep at least this part of the quota, however many errors there are. */
const SUCCESS_SHARE_MIN = 0.1;
/** Beyond, more is logged than the quota says. */
export const WEIGHT_MAX = 1_000_000;

export class Sampler {
  /** The second that counts now, and what came in it. */
  #second = Number.NEGATIVE_INFINITY;
  #successes = 0;
  #others = 0;
  #logged = 0;
  /** Logged records the seconds before left over. */
  #carry = 0;
  /** What the second before would have needed. */
  #weightBefore = 1;
  /** The run of successes of which one is logged: how many it has, how many came, at which place one is logged. */
  #run = 1;
  #place = 0;
  #loggedPlace = 0;

  /** The weight in force: one in so many successes is logged. */
  get weight(): number {
    return this.#run;
  }

  /** Seconds since anything came. */
  idleS(nowMs: number): number {
    return Math.floor(nowMs / 1_000) - this.#second;
  }

  /**
   * @param quota records a second that are logged; infinite for all
   * @param random as `Math.random`
   * @returns the weight to log the request with, or 0: count it without logging it
   */
  weigh(outcome: Outcome, quota: number, nowMs: number, random: () => number): number {
    if (quota === Number.POSITIVE_INFINITY) return 1;
    this.#turn(quota, nowMs);
    if (outcome !== 'success') {
      this.#others += 1;
      this.#logged += 1;
      return 1;
    }
    // Grows while the second fills: n times the budget logs about 1 + ln n of it, and the next second is set right.
    const wanted = Math.min(
      WEIGHT_MAX,
      Math.max(this.#weightBefore, Math.floor(this.#successes / this.#budget(quota)) + 1),
    );
    this.#successes += 1;
    // A run that is cut short leaves the expectation as it is, for its place was drawn before.
    if (wanted !== this.#run || this.#place === this.#run) this.#startRun(wanted, random);
    const logged = this.#place === this.#loggedPlace;
    this.#place += 1;
    if (!logged) return 0;
    this.#logged += 1;
    return this.#run;
  }

  /** Successes of this second that are logged one by one. */
  #budget(quota: number): number {
    return Math.max(quota + this.#carry - this.#others, quota * SUCCESS_SHARE_MIN, 1);
  }

  #startRun(weight: number, random: () => number): void {
    this.#run = weight;
    this.#place = 0;
    this.#loggedPlace = weight === 1 ? 0 : Math.floor(random() * weight);
  }

  #turn(quota: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    // A clock that goes back stays in the second it was in.
    if (second <= this.#second) return;
    const elapsed = Math.min(second - this.#second, CARRY_S + 1);
    const left = this.#carry + quota * elapsed - this.#logged;
    this.#carry = Math.min(CARRY_S * quota, Math.max(0, left));
    const needed = Math.ceil(this.#successes / this.#budget(quota));
    this.#weightBefore = elapsed === 1 ? Math.min(WEIGHT_MAX, Math.max(1, needed)) : 1;
    this.#second = second;
    this.#successes = 0;
    this.#others = 0;
    this.#logged = 0;
  }
}
