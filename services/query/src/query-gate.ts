/*
 * Bounds how many questions are with the store at once. Others wait in line, first come first served; a line
 * that is full, or a wait that is too long, is refused with a reason instead of piling up.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { Gate } from './gate.js';
import type { RefusalReason } from './metrics.js';

export type QueryGate = {
  /** Runs `work` when there is room. Throws `HttpError` unavailable where there is none; see bounds. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  inFlight(): number;
  waiting(): number;
};

export type QueryGateBounds = {
  readonly runningMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
};

/** @param refused told each refusal, for the metrics */
export function createQueryGate(
  { runningMax, waitingMax, waitMsMax }: QueryGateBounds,
  refused: (reason: RefusalReason) => void,
): QueryGate {
  // One line for all: the questions of one answer have no caller of their own.
  const bounds = {
    capacity: runningMax,
    callerMax: runningMax,
    waitingMax,
    callerWaitingMax: waitingMax,
    waitMsMax,
  };
  const gate = new Gate(bounds, (reason, waiting) => {
    refused(reason === 'full' ? 'queue_full' : 'queue_wait');
    const what =
      reason === 'full'
        ? `${waiting - 1} questions wait already, the most that are allowed`
        : `the store was busy for ${waitMsMax} ms`;
    return new HttpError('unavailable', `${what}: ask again in a moment`, { retryAfterS: 1 });
  });
  return {
    async run(work, signal) {
      const lease = await gate.enter(1, '', signal);
      try {
        return await work();
      } finally {
        lease.release();
      }
    },
    inFlight: () => gate.held,
    waiting: () => gate.waiting,
  };
}
