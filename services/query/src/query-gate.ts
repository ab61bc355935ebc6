/*
 * Bounds how many questions are with the store at once. Others wait in line, first come first served; a line
 * that is full, or a wait that is too long, is refused with a reason instead of piling up.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { RefusalReason } from './metrics.js';

export type QueryGate = {
  /** Runs `work` when there is room. Throws `HttpError` unavailable where there is none; see bounds. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  inFlight(): number;
  waiting(): number;
};

export type GateBounds = {
  readonly runningMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
};

type Waiter = { readonly enter: () => void };

/** @param refused told each refusal, for the metrics */
export function createQueryGate(bounds: GateBounds, refused: (reason: RefusalReason) => void): QueryGate {
  const line = new Set<Waiter>();
  let running = 0;
  const refuse = (reason: RefusalReason, what: string): HttpError => {
    refused(reason);
    return new HttpError('unavailable', `${what}: ask again in a moment`, { retryAfterS: 1 });
  };
  const enter = (signal: AbortSignal | undefined): Promise<void> => {
    if (running < bounds.runningMax) {
      running++;
      return Promise.resolve();
    }
    if (line.size >= bounds.waitingMax) {
      return Promise.reject(
        refuse('queue_full', `${line.size} questions wait already, the most that are allowed`),
      );
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        line.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abandon);
      };
      const abandon = (): void => {
        leave();
        reject(new HttpError('unavailable', 'the caller has gone'));
      };
      const waiter: Waiter = {
        enter: () => {
          leave();
          resolve();
        },
      };
      const timer = setTimeout(() => {
        leave();
        reject(refuse('queue_wait', `the store was busy for ${bounds.waitMsMax} ms`));
      }, bounds.waitMsMax);
      signal?.addEventListener('abort', abandon);
      line.add(waiter);
    });
  };
  const leave = (): void => {
    const [next] = line;
    // The place is handed on, so `running` stays as it is.
    if (next === undefined) running--;
    else next.enter();
  };
  return {
    async run(work, signal) {
      await enter(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
    inFlight: () => running,
    waiting: () => line.size,
  };
}
