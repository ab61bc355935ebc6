/*
 * Keeps one process running: when it ends by itself it is started anew after a growing pause, and said. Given up
 * when it dies too often within a minute, with its last log lines, for then a person must look.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitInWords, lastLogLines, type ManagedProcess } from './process.js';

export type SupervisorEvent =
  | { readonly kind: 'died'; readonly name: string; readonly exit: string; readonly pauseMs: number }
  | { readonly kind: 'restarted'; readonly name: string; readonly afterMs: number }
  | { readonly kind: 'gave_up'; readonly name: string; readonly lastLines: string };

export type Supervised<P extends ManagedProcess> = {
  /** The process as it is now; the last one while it is being started anew. */
  current(): P;
  /** Ends the watch, then the process. Safe twice. */
  stop(): Promise<void>;
};

export type SupervisorOptions<P extends ManagedProcess> = {
  readonly name: string;
  readonly start: () => Promise<P>;
  readonly onEvent: (event: SupervisorEvent) => void;
  /** Deaths within `windowMs` that are mended; one more and it is given up. */
  readonly deathsMax?: number;
  readonly windowMs?: number;
  /** The first pause; it doubles with every death in the window. */
  readonly pauseMs?: number;
};

const DEATHS_MAX = 5;
const WINDOW_MS = 60_000;
const PAUSE_MS = 250;
const PAUSE_MS_MAX = 8_000;

/** Starts a process and watches over it. Throws where the first start fails: that is not a crash but a mistake. */
export async function supervise<P extends ManagedProcess>(
  options: SupervisorOptions<P>,
): Promise<Supervised<P>> {
  const { name, start, onEvent, deathsMax = DEATHS_MAX, windowMs = WINDOW_MS, pauseMs = PAUSE_MS } = options;
  const stopping = new AbortController();
  let current = await start();
  let deaths: number[] = [];

  /** One death to the next life. False when it was given up. */
  const mend = async (exit: string): Promise<boolean> => {
    const diedAt = Date.now();
    deaths = [...deaths.filter((at) => at > diedAt - windowMs), diedAt];
    if (deaths.length > deathsMax) {
      onEvent({ kind: 'gave_up', name, lastLines: lastLogLines(current.logFile) });
      return false;
    }
    const pause = Math.min(pauseMs * 2 ** (deaths.length - 1), PAUSE_MS_MAX);
    onEvent({ kind: 'died', name, exit, pauseMs: pause });
    await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
    if (stopping.signal.aborted) return false;
    try {
      current = await start();
    } catch (error) {
      return mend(error instanceof Error ? error.message : String(error));
    }
    if (stopping.signal.aborted) return false;
    onEvent({ kind: 'restarted', name, afterMs: Date.now() - diedAt });
    return true;
  };

  const watch = async (): Promise<void> => {
    let alive = true;
    while (alive) {
      const exit = await current.exited;
      if (stopping.signal.aborted) return;
      alive = await mend(exitInWords(exit));
    }
  };
  const watching = watch();

  return {
    current: () => current,
    stop: async () => {
      stopping.abort();
      await current.stop();
      await watching;
      // A start that was under way when stop was asked for.
      await current.stop();
    },
  };
}
