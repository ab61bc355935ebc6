/* Polls a condition until it holds. */
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 50;

/** @throws Error with `what` where the condition does not hold within `timeoutMs` */
export async function until(what: string, holds: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs / 1_000} s: ${what}`);
    await sleep(PAUSE_MS);
  }
}
