/*
 * Quota and hard limit of applications, record by record: over its limit an application's records are refused,
 * over its quota its successes are sampled. Remembers a bounded number of applications; one that was idle is
 * forgotten without a difference, and beyond the bound the one known longest starts anew with a full bucket.
 */
import type { ApplicationSettings, LookUpApplication } from '@imscope/access/application-settings.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Outcome } from '@imscope/schemas/outcome.js';
import { incrementCount } from '../metrics/increment-count.js';
import { Sampler } from './sampler.js';
import { BURST_S, TokenBucket } from './token-bucket.js';

/** Some 300 bytes each. */
export const APPLICATIONS_MAX = 100_000;
/** Between two sweeps: some 10 ms at the bound. */
const SWEEP_MS = 10_000;

type State = {
  readonly sdkAppId: number;
  readonly bucket: TokenBucket;
  readonly sampler: Sampler;
  /** As of its last request. */
  settings: ApplicationSettings;
  /** Records were refused, and nothing was let in since. */
  exhausted: boolean;
};

export type ApplicationHeadroom = {
  readonly sdkAppId: number;
  /** What may come at once, of what may come at most. */
  readonly left: number;
  readonly most: number;
  readonly fullInS: number;
};

export class ApplicationLimits {
  readonly #lookUp: LookUpApplication;
  readonly #random: () => number;
  readonly #applicationsMax: number;
  /** In the order they were first seen. */
  readonly #states = new Map<number, State>();
  #sweptMs = Number.NEGATIVE_INFINITY;

  /** @param random as `Math.random` */
  constructor(lookUp: LookUpApplication, random: () => number, applicationsMax = APPLICATIONS_MAX) {
    this.#lookUp = lookUp;
    this.#random = random;
    this.#applicationsMax = applicationsMax;
  }

  /** Applications remembered. */
  get size(): number {
    return this.#states.size;
  }

  /** Applications whose successes are sampled. */
  sampled(nowMs: number): number {
    let sampled = 0;
    for (const { sampler } of this.#states.values()) {
      if (sampler.weight > 1 && sampler.idleS(nowMs) <= 1) sampled += 1;
    }
    return sampled;
  }

  /** Those with least left of their limit, the least first. */
  tightest(nowMs: number, count: number): ApplicationHeadroom[] {
    return Array.from(this.#states.values())
      .filter(({ settings }) => Number.isFinite(settings.limitPerSecond))
      .map((state) => headroom(state, nowMs))
      .toSorted((a, b) => a.left / a.most - b.left / b.most)
      .slice(0, count);
  }

  /**
   * Throws `HttpError` too_many_requests where the application had records refused, until a second's worth may come
   * again: letting in a few at a time would have every body parsed for them.
   */
  refuseIfOver(sdkAppId: number, nowMs: number): void {
    const state = this.#states.get(sdkAppId);
    const rate = this.#lookUp(sdkAppId).limitPerSecond;
    if (state?.exhausted !== true) return;
    if (rate === Number.POSITIVE_INFINITY || state.bucket.level(rate, nowMs) >= rate) {
      state.exhausted = false;
      return;
    }
    throw new HttpError(
      'too_many_requests',
      `application ${sdkAppId} is over its ${rate} records a second: nothing of this request was taken, send it again after Retry-After`,
      { retryAfterS: state.bucket.secondsUntil(rate, rate, nowMs) },
    );
  }

  /** The limits as one request meets them. @param nowMs of the monotonic clock */
  forRequest(nowMs: number): RequestLimits {
    this.#sweep(nowMs);
    return new RequestLimits(this.#lookUp, this.#random, nowMs, (sdkAppId, settings) =>
      this.#stateOf(sdkAppId, settings, nowMs),
    );
  }

  #stateOf(sdkAppId: number, settings: ApplicationSettings, nowMs: number): State {
    let state = this.#states.get(sdkAppId);
    if (state === undefined) {
      if (this.#states.size >= this.#applicationsMax) {
        for (const first of this.#states.keys()) {
          this.#states.delete(first);
          break;
        }
      }
      const bucket = new TokenBucket(finite(settings.limitPerSecond), nowMs);
      state = { sdkAppId, bucket, sampler: new Sampler(), settings, exhausted: false };
      this.#states.set(sdkAppId, state);
    }
    state.settings = settings;
    return state;
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = nowMs;
    for (const [sdkAppId, { bucket, sampler, settings }] of this.#states) {
      // Idle for longer than unused quota is kept, and nothing owed: a new one is the same.
      if (sampler.idleS(nowMs) > BURST_S && bucket.isFull(finite(settings.limitPerSecond), nowMs)) {
        this.#states.delete(sdkAppId);
      }
    }
  }
}

/** An application as one request meets it. */
type Met = {
  readonly sdkAppId: number;
  readonly settings: ApplicationSettings;
  /** It has a limit or a quota: without either nothing needs to be remembered. */
  readonly bounded: boolean;
  /** Of a bounded one, from its first record on that the sender may send: others are not remembered for him. */
  state: State | undefined;
  /** Places taken within its limit. */
  taken: number;
};

/** One request's way through the limits. Asked within one turn of the event loop. */
export class RequestLimits {
  readonly #lookUp: LookUpApplication;
  readonly #random: () => number;
  readonly #nowMs: number;
  readonly #stateOf: (sdkAppId: number, settings: ApplicationSettings) => State;
  readonly #met = new Map<number, Met>();
  /** Each record asks for its application several times in a row. */
  #last: Met | undefined;
  readonly #refused = new Map<number, number>();
  /** Counted, not logged. */
  sampledOut = 0;

  constructor(
    lookUp: LookUpApplication,
    random: () => number,
    nowMs: number,
    stateOf: (sdkAppId: number, settings: ApplicationSettings) => State,
  ) {
    this.#lookUp = lookUp;
    this.#random = random;
    this.#nowMs = nowMs;
    this.#stateOf = stateOf;
  }

  settingsOf(sdkAppId: number): ApplicationSettings {
    return this.#meet(sdkAppId).settings;
  }

  /** Takes one record's place within the application's limit; false where there is none left. */
  admit(sdkAppId: number): boolean {
    const state = this.#state(sdkAppId);
    const rate = state?.settings.limitPerSecond ?? Number.POSITIVE_INFINITY;
    if (state === undefined || rate === Number.POSITIVE_INFINITY) return true;
    if (state.bucket.level(rate, this.#nowMs) < 1) {
      state.exhausted = true;
      incrementCount(this.#refused, sdkAppId);
      return false;
    }
    state.bucket.take(1);
    this.#meet(sdkAppId).taken += 1;
    return true;
  }

  /** Takes the places of all these records, by application, or of none. */
  admitAll(records: ReadonlyMap<number, number>): boolean {
    if (this.#secondsUntilFit(records) !== undefined) {
      for (const [sdkAppId, count] of records) this.#refused.set(sdkAppId, count);
      return false;
    }
    for (const [sdkAppId, count] of records) {
      const state = this.#state(sdkAppId);
      if (state === undefined || !Number.isFinite(state.settings.limitPerSecond)) continue;
      state.bucket.take(count);
      this.#meet(sdkAppId).taken += count;
    }
    return true;
  }

  /**
   * Nothing of it was taken in the end: it counts against nobody, for it comes again. Not for requests: what each took
   * of whom would have to be kept, in memory that nobody bounds, while they wait for Kafka.
   */
  refund(): void {
    for (const met of this.#met.values()) {
      met.state?.bucket.take(-met.taken);
      met.taken = 0;
    }
  }

  /** Whole seconds until what was refused here may come at once. */
  get retryAfterS(): number {
    return this.#secondsUntilFit(this.#refused) ?? 1;
  }

  /** The weight to log a request with, or 0: count it only. */
  weigh(sdkAppId: number, outcome: Outcome): number {
    const state = this.#state(sdkAppId);
    if (state === undefined) return 1;
    const { sampler, settings } = state;
    const weight = sampler.weigh(outcome, settings.quotaPerSecond, this.#nowMs, this.#random);
    if (weight === 0) this.sampledOut += 1;
    return weight;
  }

  /** Of the applications met here with a limit, the one with least left. */
  get tightest(): ApplicationHeadroom | undefined {
    let least: ApplicationHeadroom | undefined;
    for (const { state } of this.#met.values()) {
      if (state === undefined || !Number.isFinite(state.settings.limitPerSecond)) continue;
      const one = headroom(state, this.#nowMs);
      if (least === undefined || one.left / one.most < least.left / least.most) least = one;
    }
    return least;
  }

  /** Undefined where they fit now. More than a bucket holds goes with a full one, and is owed: else it never could. */
  #secondsUntilFit(records: ReadonlyMap<number, number>): number | undefined {
    let seconds: number | undefined;
    for (const [sdkAppId, count] of records) {
      const state = this.#state(sdkAppId);
      const rate = state?.settings.limitPerSecond ?? Number.POSITIVE_INFINITY;
      if (state === undefined || rate === Number.POSITIVE_INFINITY) continue;
      if (state.bucket.level(rate, this.#nowMs) >= Math.min(count, rate * BURST_S)) continue;
      seconds = Math.max(seconds ?? 0, state.bucket.secondsUntil(count, rate, this.#nowMs));
    }
    return seconds;
  }

  #state(sdkAppId: number): State | undefined {
    const met = this.#meet(sdkAppId);
    if (!met.bounded) return undefined;
    return (met.state ??= this.#stateOf(sdkAppId, met.settings));
  }

  #meet(sdkAppId: number): Met {
    if (this.#last?.sdkAppId === sdkAppId) return this.#last;
    let met = this.#met.get(sdkAppId);
    if (met === undefined) {
      const settings = this.#lookUp(sdkAppId);
      const bounded = Number.isFinite(settings.quotaPerSecond) || Number.isFinite(settings.limitPerSecond);
      met = { sdkAppId, settings, bounded, state: undefined, taken: 0 };
      this.#met.set(sdkAppId, met);
    }
    this.#last = met;
    return met;
  }
}

function headroom({ sdkAppId, bucket, settings }: State, nowMs: number): ApplicationHeadroom {
  const rate = settings.limitPerSecond;
  return {
    sdkAppId,
    left: Math.max(0, Math.floor(bucket.level(rate, nowMs))),
    most: rate * BURST_S,
    fullInS: bucket.secondsUntilFull(rate, nowMs),
  };
}

/** A bucket without a limit is never asked; 0 keeps its arithmetic finite and counts as full. */
function finite(rate: number): number {
  return Number.isFinite(rate) ? rate : 0;
}
