/*
 * The bound on memory: bytes of every body being read and of every batch that is not durable are reserved here. Where
 * none are free, a request is refused before any of its records is accepted.
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

  /** Reserves bytes for one request. @throws HttpError unavailable where they do not fit */
  reserve(bytes: number): void {
    if (this.#bytesHeld + bytes > this.#bytesMax) {
      throw new HttpError(
        'unavailable',
        `the collector holds ${this.#bytesHeld} of ${this.#bytesMax} bytes: nothing of this request was accepted, send it again later`,
        { retryAfterS: 1 },
      );
    }
    this.#bytesHeld += bytes;
  }

  /** Adds bytes that are used already: records just encoded, which are fewer than the bytes of their body. */
  add(bytes: number): void {
    this.#bytesHeld += bytes;
  }

  release(bytes: number): void {
    this.#bytesHeld -= bytes;
  }
}
