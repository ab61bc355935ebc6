/*
 * Shares a capacity among callers. A request that does not fit waits for a bounded time. Each caller has its own queue,
 * and the queues are served in rotation, so that a caller with many requests does not starve the others. A next request
 * that does not fit blocks the ones after it, so that large requests are served as well.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';

export type AdmissionBounds = {
  readonly capacity: number;
  /** What one caller may hold at most; a caller that holds nothing is admitted with a larger request. */
  readonly callerMax: number;
  /** Waiting requests of all callers; beyond it requests are refused. */
  readonly waitingMax: number;
  /** Waiting requests of one caller. */
  readonly callerWaitingMax: number;
  readonly waitMsMax: number;
};

/** `full`: of all callers; `caller_full`: of this one. */
export type AdmissionRefusal = 'full' | 'caller_full' | 'wait';

/** The capacity that an admitted request holds. */
export type Lease = {
  /** Releases all but this much. */
  shrinkTo(cost: number): void;
  /** Releases everything; a second call does nothing. */
  release(): void;
};

type Waiter = { readonly cost: number; readonly enter: (lease: Lease) => void };

export class Admission {
  readonly #bounds: AdmissionBounds;
  readonly #refuse: (reason: AdmissionRefusal, waiting: number) => HttpError;
  /** Waiting callers, the next one first; each with its requests in order. */
  readonly #queues = new Map<string, Set<Waiter>>();
  readonly #heldBy = new Map<string, number>();
  #held = 0;
  #waiting = 0;

  /** @param refuse makes the error of a refusal; `waiting` counts those already there, of the caller for `caller_full` */
  constructor(bounds: AdmissionBounds, refuse: (reason: AdmissionRefusal, waiting: number) => HttpError) {
    this.#bounds = bounds;
    this.#refuse = refuse;
  }

  get held(): number {
    return this.#held;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves when the request fits. Throws `HttpError` unavailable where the queues are full or the wait is too long. */
  enter(cost: number, caller: string, signal?: AbortSignal): Promise<Lease> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(callerHasGone());
      const leave = (): void => {
        this.#remove(caller, waiter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abandon);
      };
      const abandon = (): void => {
        leave();
        reject(callerHasGone());
        this.#admit();
      };
      const waiter: Waiter = {
        cost,
        enter: (lease) => {
          leave();
          resolve(lease);
        },
      };
      const timer = setTimeout(() => {
        leave();
        reject(this.#refuse('wait', this.#waiting));
        this.#admit();
      }, this.#bounds.waitMsMax);
      signal?.addEventListener('abort', abandon);
      const queue = this.#add(caller, waiter);
      this.#admit();
      const { waitingMax, callerWaitingMax } = this.#bounds;
      if (!queue.has(waiter) || (this.#waiting <= waitingMax && queue.size <= callerWaitingMax)) return;
      leave();
      const isFull = this.#waiting >= waitingMax;
      reject(isFull ? this.#refuse('full', this.#waiting) : this.#refuse('caller_full', queue.size));
    });
  }

  #add(caller: string, waiter: Waiter): Set<Waiter> {
    const queue = this.#queues.get(caller) ?? new Set();
    this.#queues.set(caller, queue.add(waiter));
    this.#waiting += 1;
    return queue;
  }

  #remove(caller: string, waiter: Waiter): void {
    const queue = this.#queues.get(caller);
    if (queue?.delete(waiter) !== true) return;
    this.#waiting -= 1;
    if (queue.size === 0) this.#queues.delete(caller);
  }

  /** Admits the next requests, as long as they fit. */
  #admit(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { caller, queue, waiter } = next;
      if (this.#held > 0 && this.#held + waiter.cost > this.#bounds.capacity) return;
      waiter.enter(this.#lease(caller, waiter.cost));
      // The caller's next request comes after those of all other callers.
      if (queue.size === 0) continue;
      this.#queues.delete(caller);
      this.#queues.set(caller, queue);
    }
  }

  /** The first request of the first caller that may hold more. Linear: few callers wait at a time. */
  #next(): { caller: string; queue: Set<Waiter>; waiter: Waiter } | undefined {
    for (const [caller, queue] of this.#queues) {
      const [waiter] = queue;
      const held = this.#heldBy.get(caller) ?? 0;
      if (waiter !== undefined && (held === 0 || held + waiter.cost <= this.#bounds.callerMax)) {
        return { caller, queue, waiter };
      }
    }
    return undefined;
  }

  #lease(caller: string, cost: number): Lease {
    let held = cost;
    this.#hold(caller, cost);
    const shrinkTo = (left: number): void => {
      if (left >= held) return;
      this.#hold(caller, left - held);
      held = left;
      this.#admit();
    };
    return { shrinkTo, release: () => shrinkTo(0) };
  }

  #hold(caller: string, cost: number): void {
    this.#held += cost;
    const held = (this.#heldBy.get(caller) ?? 0) + cost;
    if (held === 0) this.#heldBy.delete(caller);
    else this.#heldBy.set(caller, held);
  }
}

function callerHasGone(): HttpError {
  return new HttpError('unavailable', 'the caller has gone');
}
