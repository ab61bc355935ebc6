/*
 * The limit of each sender, all its tokens together, in records a second. Asked before a body is read: while
 * anything is left the request is let in, with an estimate taken out at once, so that many at once cannot slip
 * through; when its records are counted the estimate is set right. What is beyond is owed and paid off first.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Grant } from '@imscope/access/grant.js';
import { BURST_S, TokenBucket } from './token-bucket.js';

/** First guess; a record as gateways send it. */
const RECORD_BYTES = 300;
/** How much of the guess a request's true size makes up. */
const LEARNING = 0.1;
const SWEEP_MS = 60_000;
/** Where a request does not say how long it is. */
const RECORDS_UNDECLARED = 500;

type State = { readonly bucket: TokenBucket; rate: number; recordBytes: number; usedMs: number };

export type Headroom = { readonly left: number; readonly most: number; readonly fullInS: number };

export type Admission = {
  /** The request had so many records, good and bad, in so many bytes as received. */
  settle(records: number, bytes: number): void;
  /** Nothing of the request was read: it counts for nothing. */
  refund(): void;
};

/** Nothing to keep. */
const UNLIMITED: Admission = { settle: () => undefined, refund: () => undefined };

export class SenderLimits {
  /** By name; as many as the registry has at most, for idle ones are forgotten. */
  readonly #states = new Map<string, State>();
  #sweptMs = Number.NEGATIVE_INFINITY;

  /**
   * @param bodyBytes as declared; undefined where it is not
   * @param nowMs of the monotonic clock
   * @throws HttpError too_many_requests while the sender owes
   */
  enter(grant: Grant, bodyBytes: number | undefined, nowMs: number): Admission {
    const rate = grant.recordsPerSecondMax;
    if (rate === Number.POSITIVE_INFINITY) return UNLIMITED;
    this.#sweep(nowMs);
    let state = this.#states.get(grant.name);
    if (state === undefined) {
      state = { bucket: new TokenBucket(rate, nowMs), rate, recordBytes: RECORD_BYTES, usedMs: nowMs };
      this.#states.set(grant.name, state);
    }
    state.rate = rate;
    state.usedMs = nowMs;
    if (state.bucket.level(rate, nowMs) < 1) {
      throw new HttpError(
        'too_many_requests',
        `token "${grant.name}" is over its ${rate} records a second: nothing of this request was taken, send it again after Retry-After`,
        { retryAfterS: state.bucket.secondsUntil(1, rate, nowMs) },
      );
    }
    return admit(state, bodyBytes);
  }

  /** What a sender has left; undefined where it has no limit, or has not sent lately. */
  headroom({ name, recordsPerSecondMax }: Grant, nowMs: number): Headroom | undefined {
    const state = this.#states.get(name);
    return state === undefined || !Number.isFinite(recordsPerSecondMax)
      ? undefined
      : headroomOf(state, nowMs);
  }

  /** Those with least left, the least first. */
  tightest(nowMs: number, count: number): (Headroom & { readonly name: string })[] {
    return Array.from(this.#states, ([name, state]) => ({ name, ...headroomOf(state, nowMs) }))
      .toSorted((a, b) => a.left / a.most - b.left / b.most)
      .slice(0, count);
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = nowMs;
    for (const [name, { bucket, rate, usedMs }] of this.#states) {
      if (nowMs - usedMs > SWEEP_MS && bucket.isFull(rate, nowMs)) this.#states.delete(name);
    }
  }
}

function admit(state: State, bodyBytes: number | undefined): Admission {
  const estimate = bodyBytes === undefined ? RECORDS_UNDECLARED : Math.max(1, bodyBytes / state.recordBytes);
  state.bucket.take(estimate);
  return {
    settle: (records, bytes) => {
      state.bucket.take(records - estimate);
      if (records > 0) state.recordBytes += LEARNING * (Math.max(1, bytes / records) - state.recordBytes);
    },
    refund: () => state.bucket.take(-estimate),
  };
}

function headroomOf({ bucket, rate }: State, nowMs: number): Headroom {
  return {
    left: Math.max(0, Math.floor(bucket.level(rate, nowMs))),
    most: rate * BURST_S,
    fullInS: bucket.secondsUntilFull(rate, nowMs),
  };
}
