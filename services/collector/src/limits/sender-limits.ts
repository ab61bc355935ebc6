/*
 * Applies the limit of each sender, over all its tokens, in records a second. Checked before a body is read: a request is
 * admitted while the bucket is not empty, and an estimate of its records is deducted at once, so that many simultaneous requests
 * cannot exceed the limit. When its records are counted, the estimate is corrected. Records beyond the bucket become debt.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Grant } from '@imscope/access/grant.js';
import { BURST_S, TokenBucket } from './token-bucket.js';

/** The initial estimate of a record's size. */
const RECORD_BYTES = 300;
/** The weight of a request in the moving average of the size. */
const SMOOTHING = 0.1;
const SWEEP_MS = 60_000;
/** The estimate for a request without Content-Length. */
const RECORDS_UNDECLARED = 500;

type State = { readonly bucket: TokenBucket; rate: number; recordBytes: number; usedMs: number };

export type Headroom = { readonly left: number; readonly most: number; readonly fullInS: number };

export type Admission = {
  /** Corrects the estimate. @param records accepted and refused @param bytes as received */
  settle(records: number, bytes: number): void;
  /** Returns the estimate: no record of the request was read. */
  refund(): void;
};

/** For senders without a limit. */
const UNLIMITED: Admission = { settle: () => undefined, refund: () => undefined };

export class SenderLimits {
  /** By name. The applications file bounds their number; idle ones are removed. */
  readonly #states = new Map<string, State>();
  #sweptMs = Number.NEGATIVE_INFINITY;

  /**
   * @param bodyBytes as declared by Content-Length
   * @param nowMs of the monotonic clock
   * @throws HttpError too_many_requests while the bucket is empty
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
        `token "${grant.name}" is over its ${rate} records a second: nothing of this request was accepted, send it again after Retry-After`,
        { retryAfterS: state.bucket.secondsUntil(1, rate, nowMs) },
      );
    }
    return admit(state, bodyBytes);
  }

  /** What a sender has left; undefined if it has no limit, or has not sent recently. */
  headroom({ name, recordsPerSecondMax }: Grant, nowMs: number): Headroom | undefined {
    const state = this.#states.get(name);
    return state === undefined || !Number.isFinite(recordsPerSecondMax)
      ? undefined
      : headroomOf(state, nowMs);
  }

  /** The senders with the least left, the least first. */
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
      if (records > 0) state.recordBytes += SMOOTHING * (Math.max(1, bytes / records) - state.recordBytes);
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
