/*
 * How often one address is told that its token is wrong. Beyond, it is told to wait instead; a request with a good token
 * never gets here, whatever its address did before. Remembers a bounded number of addresses; beyond it the one known
 * longest starts anew with a full bucket.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { addressGroup } from '../clients/ip-text.js';
import { BURST_S, TokenBucket } from './token-bucket.js';

/** Some 200 bytes each. */
const ADDRESSES_MAX = 10_000;
/** Wrong tokens a second; five times as many at once. */
export const GUESSES_PER_SECOND = 5;
export const GUESSES_AT_ONCE = GUESSES_PER_SECOND * BURST_S;

export class GuessLimits {
  readonly #addressesMax: number;
  /** In the order they were first seen. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(addressesMax = ADDRESSES_MAX) {
    this.#addressesMax = addressesMax;
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** A request came without a token that is known. Throws `HttpError` too_many_requests where too many did. */
  failed(address: string, nowMs: number): void {
    const bucket = this.#bucketOf(addressGroup(address), nowMs);
    if (bucket.level(GUESSES_PER_SECOND, nowMs) >= 1) {
      bucket.take(1);
      return;
    }
    throw new HttpError(
      'too_many_requests',
      `more than ${GUESSES_PER_SECOND} requests a second without a valid token came from your address: send one with a valid token, it is taken at once`,
      { retryAfterS: bucket.secondsUntil(1, GUESSES_PER_SECOND, nowMs) },
    );
  }

  #bucketOf(group: string, nowMs: number): TokenBucket {
    let bucket = this.#buckets.get(group);
    if (bucket !== undefined) return bucket;
    if (this.#buckets.size >= this.#addressesMax) {
      for (const first of this.#buckets.keys()) {
        this.#buckets.delete(first);
        break;
      }
    }
    bucket = new TokenBucket(GUESSES_PER_SECOND, nowMs);
    this.#buckets.set(group, bucket);
    return bucket;
  }
}
