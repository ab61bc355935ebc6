/*
 * Bounds how many questions are with the store at once. Others wait in line, first come first served; a line
 * that is full, or a wait that is too long, is refused with a reason instead of piling up.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { Admission } from './admission.js';
import type { RefusalReason } from './refusal-metrics.js';

export type QueryAdmission = {
  /** Runs `work` when there is room. Throws `HttpError` unavailable where there is none; see bounds. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  inFlight(): number;
  waiting(): number;
};

export type QueryAdmissionBounds = {
  readonly runningMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
};

/** @param refused is called at each refusal, for the metrics */
export function createQueryAdmission(
  { runningMax, waitingMax, waitMsMax }: QueryAdmissionBounds,
  refused: (reason: RefusalReason) => void,
): QueryAdmission {
  // One line for all: the questions of one answer have no caller of their own.
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
