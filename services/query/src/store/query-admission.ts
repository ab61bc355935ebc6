/*
 * Bounds how many queries the store runs at once. Others wait, each caller in its own queue, and the queues are served
 * in rotation. A query is refused with a reason where the queues are full or the wait is too long.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { Admission } from './admission.js';
import type { RefusalReason } from './refusal-metrics.js';
import { storeCaller } from './store-caller.js';

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

/** Three quarters: with long queries in all slots, one caller would keep the others out for longer than they may wait. */
const callerPart = (max: number): number => Math.ceil(0.75 * max);

/** @param refused called at each refusal, for the metrics */
export function createQueryAdmission(
  { runningMax, waitingMax, waitMsMax }: QueryAdmissionBounds,
  refused: (reason: RefusalReason) => void,
): QueryAdmission {
  const bounds = {
    capacity: runningMax,
    callerMax: callerPart(runningMax),
    waitingMax,
    callerWaitingMax: callerPart(waitingMax),
    waitMsMax,
  };
  const admission = new Admission(bounds, (reason, waiting) => {
    refused(reason === 'wait' ? 'queue_wait' : 'queue_full');
    const what = {
      full: `${waiting} queries wait for the store, and no more may`,
      caller_full: `${waiting} of your queries wait for the store, and no more of one caller may`,
      wait: `the store had no slot for this question for ${waitMsMax} ms`,
    };
    return new HttpError('unavailable', `${what[reason]}: ask again in a moment`, { retryAfterS: 1 });
  });
  return {
    async run(work, signal) {
      const lease = await admission.enter(1, storeCaller(), signal);
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
