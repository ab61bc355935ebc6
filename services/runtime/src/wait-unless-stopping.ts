import { setTimeout as delay } from 'node:timers/promises';

/** Waits `waitMs` milliseconds, or until `stopping` is aborted. Does not throw when it is. */
export async function waitUnlessStopping(waitMs: number, stopping: AbortSignal): Promise<void> {
  if (waitMs <= 0) return;
  try {
    await delay(waitMs, undefined, { signal: stopping });
  } catch (error) {
    if (!stopping.aborted) throw error;
  }
}
