/*
 * When a question that failed is asked again: the one place that retries.
 */
import type { AskError } from '@imscope/schemas/query-api/ask.js';

const RETRY_MS_MIN = 5000;
const RETRY_MS_MAX = 60_000;

/** A refused question stays refused until somebody changes or repeats it. Too many requests (429) pass with time. */
export function isRefused({ status }: Pick<AskError, 'status'>): boolean {
  return status >= 400 && status < 500 && status !== 429;
}

/**
 * From 5 s up to 60 s, doubled with each failure, ± 25 % so that pages do not ask all at once.
 * @param failures before this one
 * @param random from 0 to 1
 */
export function retryDelayMs(failures: number, random: number): number {
  const backoffMs = Math.min(RETRY_MS_MIN * 2 ** failures, RETRY_MS_MAX);
  return backoffMs * (0.75 + random / 2);
}
