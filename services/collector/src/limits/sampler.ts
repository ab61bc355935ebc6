/*
 * Selects the requests of an application that are logged one by one, where it is over its quota, or only a share of its
 * successes is logged. Of each w successes one is logged, at a random position, with weight w; every other outcome is logged
 * with weight 1. So for every subset of the logs the expected sum of weights is the number of requests. w is what the quota
 * needs, but at least 1 / share. Pure: clock and random numbers are arguments.
 */
import type { ApplicationSettings } from '@imscope/access/application-settings.js';
import type { Outcome } from '@imscope/schemas/outcome.js';

/** Seconds of unused quota that are kept, besides the current second's own. */
const CARRY_S = 4;
/** The part of the quota that successes keep, however many errors there are. */
const SUCCESS_SHARE_MIN = 0.1;
/** At this weight more may be logged than the quota. */
export const WEIGHT_MAX = 1_000_000;

/** 1 / share is not exact. */
const ROUNDING = 1e-9;

export type SamplingSettings = Pick<ApplicationSettings, 'quotaPerSecond' | 'loggedShare'>;

export class Sampler {
  /** The current second, and the requests in it. */
  #second = Number.NEGATIVE_INFINITY;
  #successes = 0;
  #others = 0;
  #logged = 0;
  /** Unused quota of the seconds before. */
  #carry = 0;
  /** The weight that the second before would have needed. */
  #weightBefore = 1;
  /** A run of successes of which one is logged: its length, the current position, the position to log. */
  #run = 1;
  #position = 0;
  #loggedPosition = 0;
  /** The share in force, the length of the run that it asks for, and what rounding left of the lengths before. */
  #share = 1;
  #shareRun = 1;
  #shareCarry = 0;

  /** The current weight: one of so many successes is logged. */
  get weight(): number {
    return this.#run;
  }

  /** Seconds since the last request. */
  idleS(nowMs: number): number {
    return Math.floor(nowMs / 1_000) - this.#second;
  }

  /**
   * @param settings `quotaPerSecond`: records a second that are logged, infinite for all; `loggedShare` of the successes
   * @param random as `Math.random`
   * @returns the weight to log the request with, or 0: count it without logging it
   */
  weigh(outcome: Outcome, settings: SamplingSettings, nowMs: number, random: () => number): number {
    const { quotaPerSecond: quota, loggedShare: share } = settings;
    if (quota === Number.POSITIVE_INFINITY && share === 1) return 1;
    this.#advance(quota, nowMs);
    if (outcome !== 'success') {
      this.#others += 1;
      this.#logged += 1;
      return 1;
    }
    // Grows within the second: n times the budget logs about 1 + ln n times the budget. The next second starts with #weightBefore.
    const forQuota = Number.isFinite(quota) ? this.#neededWeight(quota) : 1;
    this.#successes += 1;
    if (share !== this.#share || this.#position === this.#run) this.#drawShareRun(share);
    const wanted = Math.min(WEIGHT_MAX, Math.max(forQuota, this.#shareRun));
    // Ending a run early does not change the expectation, because its position was drawn before.
    if (wanted !== this.#run || this.#position === this.#run) this.#startRun(wanted, random);
    const logged = this.#position === this.#loggedPosition;
    this.#position += 1;
    if (!logged) return 0;
    this.#logged += 1;
    return this.#run;
  }

  #neededWeight(quota: number): number {
    return Math.max(this.#weightBefore, Math.floor(this.#successes / this.#budget(quota)) + 1);
  }

  /** Successes of this second that are logged one by one. */
  #budget(quota: number): number {
    return Math.max(quota + this.#carry - this.#others, quota * SUCCESS_SHARE_MIN, 1);
  }

  /** Runs of 3, 3 and 4 for a share of 0.3: whole weights whose mean is 1 / share. */
  #drawShareRun(share: number): void {
    if (share !== this.#share) this.#shareCarry = 0;
    this.#share = share;
    const exact = Math.min(WEIGHT_MAX, 1 / share) + this.#shareCarry;
    this.#shareRun = Math.max(1, Math.floor(exact + ROUNDING));
    this.#shareCarry = exact - this.#shareRun;
  }

  #startRun(weight: number, random: () => number): void {
    this.#run = weight;
    this.#position = 0;
    this.#loggedPosition = weight === 1 ? 0 : Math.floor(random() * weight);
  }

  #advance(quota: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    // If the clock goes back, the current second continues.
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
