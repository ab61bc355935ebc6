/*
 * The share of the byte budget that one sender may reserve: at most twice the bytes that are free. So one sender alone
 * gets up to two thirds, and with n senders one part in 2n + 1 stays free for the next one. The only request of a sender
 * is accepted whatever its size. Bytes stay reserved until the request is answered.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';

/** A sender may reserve this many times the free bytes. */
const FREE_BYTES_FACTOR = 2;

type Usage = { bytes: number; requests: number };

/** The reservation of one request. */
export type MemoryReservation = {
  /** @throws HttpError unavailable beyond the sender's share */
  reserve(bytes: number): void;
  /** Releases everything; the request is answered. */
  release(): void;
};

export class SenderMemoryShares {
  readonly #bytesFree: () => number;
  /** Senders with a request in progress. */
  readonly #usage = new Map<string, Usage>();

  constructor(bytesFree: () => number) {
    this.#bytesFree = bytesFree;
  }

  get senders(): number {
    return this.#usage.size;
  }

  /** Begins a request of the sender. */
  begin(name: string): MemoryReservation {
    const usage = this.#usage.get(name) ?? { bytes: 0, requests: 0 };
    this.#usage.set(name, usage);
    usage.requests += 1;
    let reserved = 0;
    return {
      reserve: (bytes) => {
        const free = this.#bytesFree();
        if (usage.requests > 1 && usage.bytes + bytes > FREE_BYTES_FACTOR * free) {
          throw new HttpError(
            'unavailable',
            `token "${name}" holds ${usage.bytes} bytes of requests without an answer while ${free} are free: nothing of this request was accepted, wait for answers and send it again`,
            { retryAfterS: 1 },
          );
        }
        usage.bytes += bytes;
        reserved += bytes;
      },
      release: () => {
        usage.bytes -= reserved;
        usage.requests -= 1;
        reserved = 0;
        if (usage.requests === 0) this.#usage.delete(name);
      },
    };
  }
}
