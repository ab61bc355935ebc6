/*
 * Keeps one process running. It is restarted whenever it ends, and never given up: a process that was ready when it
 * ended (killed, crashed) after a short pause, a process that does not become ready after a longer one. Each pause
 * is twice the one before, up to a maximum, until the process has stayed ready for a minute. Other processes are not
 * affected.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit, type ManagedProcess } from './process.js';

export type SupervisorEvent =
  /** It was ready, and ended. */
  | { readonly kind: 'died'; readonly name: string; readonly exit: string; readonly pauseMs: number }
  /** It was restarted and did not become ready. `failures`: how many times in a row. */
  | {
      readonly kind: 'start_failed';
      readonly name: string;
      readonly reason: string;
      readonly failures: number;
      readonly pauseMs: number;
    }
  /** It is ready again. `afterMs`: since it died. */
  | { readonly kind: 'restarted'; readonly name: string; readonly afterMs: number };

export type Supervised<P extends ManagedProcess> = {
  /** The process as it is now; the last one while the next is started. */
  current(): P;
  /** Stops watching, then the process. Safe twice. */
  stop(): Promise<void>;
};

export type SupervisorOptions<P extends ManagedProcess> = {
  readonly name: string;
  /** Resolves when the process is ready; rejects when it does not become ready. */
  readonly start: () => Promise<P>;
  readonly onEvent: (event: SupervisorEvent) => void;
  /** The first pause; it doubles with every end and failed start. */
  readonly pauseMs?: number;
  /** Longest pause after the end of a process that was ready. */
  readonly pauseMsMax?: number;
  /** Longest pause after a start that failed. */
  readonly startPauseMsMax?: number;
  /** A process that stays ready for this long is restarted after the first pause again. */
  readonly steadyMs?: number;
};

const PAUSE_MS = 250;
const PAUSE_MS_MAX = 8_000;
const START_PAUSE_MS_MAX = 60_000;
const STEADY_MS = 60_000;

/** Starts a process and watches it. Rejects where the first start fails: then the settings are wrong. */
export async function supervise<P extends ManagedProcess>(
  options: SupervisorOptions<P>,
): Promise<Supervised<P>> {
  const { name, start, onEvent, steadyMs = STEADY_MS } = options;
  const stopping = new AbortController();
  const pauseAfter = pauses(options);
  let current = await start();
  let readyAt = Date.now();
  let interruptions = 0;

  /** Starts the process until it is ready, or until a stop is requested. */
  const restart = async (exit: string): Promise<void> => {
    const diedAt = Date.now();
    if (diedAt - readyAt >= steadyMs) interruptions = 0;
    interruptions += 1;
    let pauseMs = pauseAfter('end', interruptions);
    onEvent({ kind: 'died', name, exit, pauseMs });
    for (let failures = 1; ; failures++) {
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        current = await start();
        break;
      } catch (error) {
        if (stopping.signal.aborted) return;
        interruptions += 1;
        pauseMs = pauseAfter('failed start', interruptions);
        const reason = error instanceof Error ? error.message : String(error);
        onEvent({ kind: 'start_failed', name, reason, failures, pauseMs });
      }
    }
    if (stopping.signal.aborted) return;
    readyAt = Date.now();
    onEvent({ kind: 'restarted', name, afterMs: readyAt - diedAt });
  };

  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const exit = await current.exited;
      if (!stopping.signal.aborted) await restart(describeExit(exit));
    }
  };
  const watching = watch();

  return {
    current: () => current,
    stop: async () => {
      stopping.abort();
      await current.stop();
      await watching;
      // A start that was under way when the stop was requested.
      await current.stop();
    },
  };
}

/** The pause before the next start, by what ended and by the number of interruptions so far. */
function pauses({
  pauseMs = PAUSE_MS,
  pauseMsMax = PAUSE_MS_MAX,
  startPauseMsMax = START_PAUSE_MS_MAX,
}: Pick<SupervisorOptions<ManagedProcess>, 'pauseMs' | 'pauseMsMax' | 'startPauseMsMax'>) {
  return (after: 'end' | 'failed start', interruptions: number): number =>
    Math.min(pauseMs * 2 ** (interruptions - 1), after === 'end' ? pauseMsMax : startPauseMsMax);
}
