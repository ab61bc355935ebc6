/*
 * Limits the 401 answers to one address: requests without a valid token beyond the limit get 429. Requests with a valid
 * token are not counted. Keeps a bounded number of addresses; the one used longest ago is forgotten first and then starts
 * with a full bucket.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { LRUCache } from 'lru-cache';
import { addressGroup } from '../clients/ip-text.js';
import { TokenBucket } from './token-bucket.js';

/** About 300 bytes each. */
const ADDRESSES_MAX = 10_000;
/** Requests a second without a valid token; `BURST_S` times as many at once. */
const INVALID_PER_SECOND = 5;

export class InvalidTokenLimits {
  readonly #buckets: LRUCache<string, TokenBucket>;

  constructor(addressesMax = ADDRESSES_MAX) {
    this.#buckets = new LRUCache({ max: addressesMax });
  }

  /**
   * Counts a request without a valid token.
   * @param nowMs of the monotonic clock
   * @throws HttpError too_many_requests over the limit
   */
  count(address: string, nowMs: number): void {
    const bucket = this.#bucketOf(addressGroup(address), nowMs);
    if (bucket.level(INVALID_PER_SECOND, nowMs) >= 1) {
      bucket.take(1);
      return;
    }
    throw new HttpError(
      'too_many_requests',
      `your address sent more than ${INVALID_PER_SECOND} requests a second without a valid token: send a valid token, such requests are not limited`,
      { retryAfterS: bucket.secondsUntil(1, INVALID_PER_SECOND, nowMs) },
    );
  }

  #bucketOf(group: string, nowMs: number): TokenBucket {
    let bucket = this.#buckets.get(group);
    if (bucket === undefined) {
      bucket = new TokenBucket(INVALID_PER_SECOND, nowMs);
      this.#buckets.set(group, bucket);
    }
    return bucket;
  }
}
