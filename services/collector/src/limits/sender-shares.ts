/*
 * How much of the byte budget one sender may hold: at most twice what is free. So one alone gets up to two
 * thirds, n of them together leave one part in 2n + 1, and whoever comes next always finds room. The first
 * request of a sender is let in whatever its size. Bodies count until their request is answered.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';

/** A sender may hold so many times what is free. */
const TIMES_FREE = 2;

type Share = { bytes: number; requests: number };

export class SenderShares {
  readonly #free: () => number;
  /** Senders with a request in. */
  readonly #shares = new Map<string, Share>();

  /** @param free bytes nobody holds */
  constructor(free: () => number) {
    this.#free = free;
  }

  get senders(): number {
    return this.#shares.size;
  }

  /** A request of the sender comes in; `leave` once it is answered. */
  enter(name: string): { hold(bytes: number): void; leave(): void } {
    const share = this.#shares.get(name) ?? { bytes: 0, requests: 0 };
    this.#shares.set(name, share);
    share.requests += 1;
    let held = 0;
    return {
      hold: (bytes) => {
        const free = this.#free();
        if (share.requests > 1 && share.bytes + bytes > TIMES_FREE * free) {
          throw new HttpError(
            'unavailable',
            `token "${name}" holds ${share.bytes} bytes of requests without an answer while ${free} are free: nothing of this request was taken, wait for answers and send it again`,
            { retryAfterS: 1 },
          );
        }
        share.bytes += bytes;
        held += bytes;
      },
      leave: () => {
        share.bytes -= held;
        share.requests -= 1;
        held = 0;
        if (share.requests === 0) this.#shares.delete(name);
      },
    };
  }
}
