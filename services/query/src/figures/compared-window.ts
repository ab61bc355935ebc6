/*
 * The same time some days before a window, as far as logs are kept. Steps are compared whole or not at all, so they have
 * to divide the distance.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { DAY_MS, LOG_TERM_MS, MINUTE_MS, stepsOf, type TimeWindow } from './time-window.js';

const OFFSETS_MS = { '1d': DAY_MS, '6d': 6 * DAY_MS } as const;
export type Compared = keyof typeof OFFSETS_MS;

/** Rows could expire while the question waits and runs: at most 60 s, 120 s and 60 s, and a minute between the clocks. */
const CLIP_MARGIN_MS = 5 * MINUTE_MS;

/** Throws `HttpError` invalid_parameter. */
export function requireComparableStep(stepMs: number, compare: Compared): void {
  if (OFFSETS_MS[compare] % stepMs === 0) return;
  throw new HttpError(
    'invalid_parameter',
    `step is ${stepMs / 1_000}s, which does not divide the distance of compare, ${compare}: give one that divides a day, such as 1m, 5m or 1h`,
  );
}

export type ComparedWindow = {
  readonly offsetMs: number;
  /** Begins with the first step that is kept; null: none is. */
  readonly window: TimeWindow | null;
  /** Whether the step earlier is kept. @param startMs of the step in the window */
  readonly isKept: (startMs: number) => boolean;
};

export function comparedWindow(
  window: TimeWindow,
  stepMs: number,
  compare: Compared,
  nowMs: number,
): ComparedWindow {
  const offsetMs = OFFSETS_MS[compare];
  const keptFromMs = nowMs - LOG_TERM_MS + CLIP_MARGIN_MS + offsetMs;
  // The first step counts from the beginning of the window.
  const isKept = (startMs: number): boolean => Math.max(startMs, window.fromMs) >= keptFromMs;
  const first = stepsOf(window, stepMs).find(({ startMs }) => isKept(startMs));
  return {
    offsetMs,
    isKept,
    window:
      first === undefined
        ? null
        : { fromMs: Math.max(first.startMs, window.fromMs) - offsetMs, toMs: window.toMs - offsetMs },
  };
}
