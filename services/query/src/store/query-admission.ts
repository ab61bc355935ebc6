/*
 * Bounds how many queries the store runs at once. Others wait in a queue, first come first served. A query is refused
 * with a reason where the queue is full or the wait is too long.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { Admission } from './admission.js';
import type { RefusalReason } from './refusal-metrics.js';

export type QueryAdmission = {
  /** Runs `work` when a slot is free. Throws `HttpError` unavailable where the queue is full or the wait too long. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  inFlight(): number;
  waiting(): number;
};

export type QueryAdmissionBounds = {
  readonly runningMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
};

/** @param refused called at each refusal, for the metrics */
export function createQueryAdmission(
  { runningMax, waitingMax, waitMsMax }: QueryAdmissionBounds,
  refused: (reason: RefusalReason) => void,
): QueryAdmission {
  // One queue for all: the queries of an answer do not know their caller.
  const bounds = {
    capacity: runningMax,
    callerMax: runningMax,
    waitingMax,
    callerWaitingMax: waitingMax,
    waitMsMax,
  };
  const admission = new Admission(bounds, (reason, waiting) => {
    refused(reason === 'full' ? 'queue_full' : 'queue_wait');
    const what =
      reason === 'full'
        ? `${waiting - 1} questions wait already, the most that are allowed`
        : `the store was busy for ${waitMsMax} ms`;
    return new HttpError('unavailable', `${what}: ask again in a moment`, { retryAfterS: 1 });
  });
  return {
    async run(work, signal) {
      const lease = await admission.enter(1, '', signal);
      try {
        return await work();
      } finally {
        lease.release();
      }
    },
    inFlight: () => admission.held,
    waiting: () => admission.waiting,
  };
}
