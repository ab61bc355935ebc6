/*
 * The one bound on memory: every body being read and every batch that Kafka has not acknowledged holds its
 * bytes here. When nothing is left, a request is refused before any of its records was taken.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';

export class ByteBudget {
  readonly #bytesMax: number;
  #bytesHeld = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytesHeld(): number {
    return this.#bytesHeld;
  }

  get bytesFree(): number {
    return Math.max(0, this.#bytesMax - this.#bytesHeld);
  }

  /** Holds bytes on behalf of one request. Throws `HttpError` unavailable where they do not fit. */
  reserve(bytes: number): void {
    if (this.#bytesHeld + bytes > this.#bytesMax) {
      throw new HttpError(
        'unavailable',
        `the collector holds ${this.#bytesHeld} of ${this.#bytesMax} bytes: nothing of this request was taken, send it again later`,
        { retryAfterS: 1 },
      );
    }
    this.#bytesHeld += bytes;
  }

  /** Holds bytes that are there already: records just encoded, fewer than those of the body they came in. */
  take(bytes: number): void {
    this.#bytesHeld += bytes;
  }

  release(bytes: number): void {
    this.#bytesHeld -= bytes;
  }
}
