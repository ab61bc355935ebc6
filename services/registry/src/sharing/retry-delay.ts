/* How long a message waits after a failed attempt. */
import { randomInt } from 'node:crypto';

const FIRST_MS = 1_000;
/** An end that TRTC did not take is tried at least this often. */
export const RETRY_DELAY_MS_MAX = 900_000;

/** Doubles with each attempt, with a random half. @param attemptsBefore attempts that failed before this one */
export function retryDelayMs(attemptsBefore: number): number {
  const full = Math.min(RETRY_DELAY_MS_MAX, FIRST_MS * 2 ** Math.min(attemptsBefore, 20));
  return full / 2 + randomInt(full / 2 + 1);
}
