/*
 * Applies the limit and the quota of applications to each record: over the limit an application's records are refused, over
 * the quota its successes are sampled. Keeps a bounded number of applications. An idle one with a full bucket is removed;
 * beyond the bound the one kept longest is removed and starts again with a full bucket.
 */
import type { ApplicationSettings, LookUpApplication } from '@imscope/access/application-settings.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Outcome } from '@imscope/schemas/outcome.js';
import { incrementCount } from '../metrics/increment-count.js';
import type { ApplicationRefusal, RefusalOf } from './application-refusal.js';
import { Sampler } from './sampler.js';
import { BURST_S, TokenBucket } from './token-bucket.js';

/** About 300 bytes each. */
export const APPLICATIONS_MAX = 100_000;
/** A sweep takes about 10 ms at the bound. */
const SWEEP_MS = 10_000;

type State = {
  readonly sdkAppId: number;
  readonly bucket: TokenBucket;
  readonly sampler: Sampler;
  /** As read at its last request. */
  settings: ApplicationSettings;
  /** Records were refused, and no request was admitted since. */
  exhausted: boolean;
};

export type ApplicationHeadroom = {
  readonly sdkAppId: number;
  /** Records that are accepted at once now, of `most` with a full bucket. */
  readonly left: number;
  readonly most: number;
  readonly fullInS: number;
};

export type ApplicationLimitsOptions = {
  readonly lookUp: LookUpApplication;
  readonly refusalOf: RefusalOf;
  /** As `Math.random`. */
  readonly random: () => number;
};

export class ApplicationLimits {
  readonly #options: ApplicationLimitsOptions;
  readonly #applicationsMax: number;
  /** In the order of insertion. */
  readonly #states = new Map<number, State>();
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(options: ApplicationLimitsOptions, applicationsMax = APPLICATIONS_MAX) {
    this.#options = options;
    this.#applicationsMax = applicationsMax;
  }

  /** Applications in memory. */
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

  /** The applications with the least left of their limit, the least first. */
  tightest(nowMs: number, count: number): ApplicationHeadroom[] {
    return Array.from(this.#states.values())
      .filter(({ settings }) => Number.isFinite(settings.limitPerSecond))
      .map((state) => headroom(state, nowMs))
      .toSorted((a, b) => a.left / a.most - b.left / b.most)
      .slice(0, count);
  }

  /**
   * @throws HttpError too_many_requests if records of the application were refused and less than one second of its rate is
   * left: admitting a few records at a time would parse every body for them
   */
  refuseIfOver(sdkAppId: number, nowMs: number): void {
    const state = this.#states.get(sdkAppId);
    const rate = this.#options.lookUp(sdkAppId).limitPerSecond;
    if (state?.exhausted !== true) return;
    if (rate === Number.POSITIVE_INFINITY || state.bucket.level(rate, nowMs) >= rate) {
      state.exhausted = false;
      return;
    }
    throw new HttpError(
      'too_many_requests',
      `application ${sdkAppId} is over its ${rate} records a second: nothing of this request was accepted, send it again after Retry-After`,
      { retryAfterS: state.bucket.secondsUntil(rate, rate, nowMs) },
    );
  }

  /** The limits of one request. @param nowMs of the monotonic clock */
  forRequest(nowMs: number): RequestLimits {
    this.#sweep(nowMs);
    return new RequestLimits(this.#options, nowMs, (sdkAppId, settings) =>
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
      // Idle for longer than unused quota is kept, and no debt: a new state would be equal.
      if (sampler.idleS(nowMs) > BURST_S && bucket.isFull(finite(settings.limitPerSecond), nowMs)) {
        this.#states.delete(sdkAppId);
      }
    }
  }
}

/** An application within one request. */
type RequestApplication = {
  readonly sdkAppId: number;
  readonly settings: ApplicationSettings;
  /** Why none of its records is accepted. */
  readonly refusal: ApplicationRefusal | undefined;
  /** It has a limit, a quota or a logged share; without them no state is needed. */
  readonly bounded: boolean;
  /** Of a bounded application, from its first valid record on: a sender cannot create state for other applications. */
  state: State | undefined;
  /** Tokens that its bucket gave, one a record. */
  taken: number;
};

/** The limits of one request. Used within one iteration of the event loop. */
export class RequestLimits {
  readonly #options: ApplicationLimitsOptions;
  readonly #nowMs: number;
  readonly #stateOf: (sdkAppId: number, settings: ApplicationSettings) => State;
  readonly #applications = new Map<number, RequestApplication>();
  /** Saves a lookup: each record reads its application several times in a row. */
  #last: RequestApplication | undefined;
  readonly #refused = new Map<number, number>();
  /** Records that are counted and not logged. */
  sampledOut = 0;

  constructor(
    options: ApplicationLimitsOptions,
    nowMs: number,
    stateOf: (sdkAppId: number, settings: ApplicationSettings) => State,
  ) {
    this.#options = options;
    this.#nowMs = nowMs;
    this.#stateOf = stateOf;
  }

  settingsOf(sdkAppId: number): ApplicationSettings {
    return this.#application(sdkAppId).settings;
  }

  /** Why no record of the application is accepted at all; undefined where they are, within its limit. */
  refusalOf(sdkAppId: number): ApplicationRefusal | undefined {
    return this.#application(sdkAppId).refusal;
  }

  /** Takes one record from the application's bucket; false if the application is over its limit. */
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
    this.#application(sdkAppId).taken += 1;
    return true;
  }

  /** Takes all these records, by application, from their buckets, or none. */
  admitAll(records: ReadonlyMap<number, number>): boolean {
    if (this.#secondsUntilFit(records) !== undefined) {
      for (const [sdkAppId, count] of records) this.#refused.set(sdkAppId, count);
      return false;
    }
    for (const [sdkAppId, count] of records) {
      const state = this.#state(sdkAppId);
      if (state === undefined || !Number.isFinite(state.settings.limitPerSecond)) continue;
      state.bucket.take(count);
      this.#application(sdkAppId).taken += count;
    }
    return true;
  }

  /**
   * Returns the records to the buckets, because none was accepted in the end and the lines will be read again. Not for HTTP
   * requests: the records of each request by application would have to be kept in unbounded memory while it waits for Kafka.
   */
  refund(): void {
    for (const application of this.#applications.values()) {
      application.state?.bucket.take(-application.taken);
      application.taken = 0;
    }
  }

  /** Whole seconds until the refused records would be accepted at once. */
  get retryAfterS(): number {
    return this.#secondsUntilFit(this.#refused) ?? 1;
  }

  /** The weight to log a record with, or 0 to only count it. */
  weigh(sdkAppId: number, outcome: Outcome): number {
    const state = this.#state(sdkAppId);
    if (state === undefined) return 1;
    const { sampler, settings } = state;
    const weight = sampler.weigh(outcome, settings, this.#nowMs, this.#options.random);
    if (weight === 0) this.sampledOut += 1;
    return weight;
  }

  /** The application of this request with the least left of its limit. */
  get tightest(): ApplicationHeadroom | undefined {
    let least: ApplicationHeadroom | undefined;
    for (const { state } of this.#applications.values()) {
      if (state === undefined || !Number.isFinite(state.settings.limitPerSecond)) continue;
      const one = headroom(state, this.#nowMs);
      if (least === undefined || one.left / one.most < least.left / least.most) least = one;
    }
    return least;
  }

  /** Undefined if they fit now. More records than a bucket holds fit with a full bucket, and the rest becomes debt. */
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
    const application = this.#application(sdkAppId);
    if (!application.bounded) return undefined;
    return (application.state ??= this.#stateOf(sdkAppId, application.settings));
  }

  #application(sdkAppId: number): RequestApplication {
    if (this.#last?.sdkAppId === sdkAppId) return this.#last;
    let application = this.#applications.get(sdkAppId);
    if (application === undefined) {
      const { lookUp, refusalOf } = this.#options;
      const settings = lookUp(sdkAppId);
      const refusal = refusalOf(sdkAppId, settings);
      const { quotaPerSecond, limitPerSecond, loggedShare } = settings;
      const bounded = Number.isFinite(quotaPerSecond) || Number.isFinite(limitPerSecond) || loggedShare < 1;
      application = { sdkAppId, settings, refusal, bounded, state: undefined, taken: 0 };
      this.#applications.set(sdkAppId, application);
    }
    this.#last = application;
    return application;
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

/** A bucket without a limit is not read; rate 0 keeps its arithmetic finite and makes it full. */
function finite(rate: number): number {
  return Number.isFinite(rate) ? rate : 0;
}
