/*
 * Shares a capacity among callers. Who does not fit waits in line, for a bounded time; each caller has a line of its own
 * and the callers take turns, so that one with many requests does not keep the others out. A request that is next and
 * does not fit holds back those behind it, so that large ones are served as well.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';

export type AdmissionBounds = {
  readonly capacity: number;
  /** What one caller may hold at most; one that holds nothing may hold a single thing that is larger. */
  readonly callerMax: number;
  /** Of all callers; beyond it requests are refused. */
  readonly waitingMax: number;
  /** Of one caller. */
  readonly callerWaitingMax: number;
  readonly waitMsMax: number;
};

export type AdmissionRefusal = 'full' | 'wait';

/** What was let in. */
export type Lease = {
  /** Gives back all but this much. */
  shrinkTo(cost: number): void;
  /** Gives back everything; the second time does nothing. */
  release(): void;
};

type Waiter = { readonly cost: number; readonly enter: (lease: Lease) => void };

export class Admission {
  readonly #bounds: AdmissionBounds;
  readonly #refuse: (reason: AdmissionRefusal, waiting: number) => HttpError;
  /** Callers that wait, whose turn is next first; each with its requests in their order. */
  readonly #lines = new Map<string, Set<Waiter>>();
  readonly #heldBy = new Map<string, number>();
  #held = 0;
  #waiting = 0;

  /** @param refuse makes the error of a refusal */
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

  /** Resolves when there is room. Throws `HttpError` unavailable where the lines are full or the wait is too long. */
  enter(cost: number, caller: string, signal?: AbortSignal): Promise<Lease> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#remove(caller, waiter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abandon);
      };
      const abandon = (): void => {
        leave();
        reject(new HttpError('unavailable', 'the caller has gone'));
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
        const refusal = this.#refuse('wait', this.#waiting);
        leave();
        reject(refusal);
        this.#admit();
      }, this.#bounds.waitMsMax);
      signal?.addEventListener('abort', abandon);
      const line = this.#add(caller, waiter);
      this.#admit();
      const { waitingMax, callerWaitingMax } = this.#bounds;
      if (!line.has(waiter) || (this.#waiting <= waitingMax && line.size <= callerWaitingMax)) return;
      leave();
      reject(this.#refuse('full', this.#waiting));
    });
  }

  #add(caller: string, waiter: Waiter): Set<Waiter> {
    const line = this.#lines.get(caller) ?? new Set();
    this.#lines.set(caller, line.add(waiter));
    this.#waiting += 1;
    return line;
  }

  #remove(caller: string, waiter: Waiter): void {
    const line = this.#lines.get(caller);
    if (line?.delete(waiter) !== true) return;
    this.#waiting -= 1;
    if (line.size === 0) this.#lines.delete(caller);
  }

  /** Admits the next requests, as long as they fit. */
  #admit(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { caller, line, waiter } = next;
      if (this.#held > 0 && this.#held + waiter.cost > this.#bounds.capacity) return;
      waiter.enter(this.#lease(caller, waiter.cost));
      // The caller's next turn comes after everybody else's.
      if (line.size === 0) continue;
      this.#lines.delete(caller);
      this.#lines.set(caller, line);
    }
  }

  /** The first request of the first caller that may hold more; a few callers wait at any time. */
  #next(): { caller: string; line: Set<Waiter>; waiter: Waiter } | undefined {
    for (const [caller, line] of this.#lines) {
      const [waiter] = line;
      const held = this.#heldBy.get(caller) ?? 0;
      if (waiter !== undefined && (held === 0 || held + waiter.cost <= this.#bounds.callerMax)) {
        return { caller, line, waiter };
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
