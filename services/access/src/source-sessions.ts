/*
 * Keeps one session with a source of entries: where it fails it is closed, and after a short pause another one begins.
 * The pauses are short because a token that is revoked while the source is away must stop working within a second of
 * its return.
 */
import { errorMessage } from '@imscope/runtime/error-message.js';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';

/** Runs until it fails, or until the signal; never resolves otherwise. */
export type RunSession = (stopping: AbortSignal) => Promise<void>;

const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 600;

/** @returns stops the session, and resolves when it is closed */
export function startSessions(run: RunSession, onFailure: (why: string) => void): () => Promise<void> {
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await run(stopping.signal);
      } catch (error) {
        if (stopping.signal.aborted) return;
        onFailure(errorMessage(error));
      }
      // Random, so that many receivers do not all return in the same moment.
      const pauseMs = PAUSE_MS_MIN + Math.random() * (PAUSE_MS_MAX - PAUSE_MS_MIN);
      await waitUnlessStopping(pauseMs, stopping.signal);
    }
  };
  const ended = loop();
  return async () => {
    stopping.abort();
    await ended;
  };
}

/** @throws Error where the work takes longer, naming it */
export async function withinTime<T>(work: Promise<T>, timeMsMax: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${timeMsMax} ms`)), timeMsMax);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
