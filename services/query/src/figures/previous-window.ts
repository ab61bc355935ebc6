/* The span that a window is compared with. */
import { LOG_TERM_MS, type TimeWindow } from './time-window.js';

/** The span of equal length just before, as far as logs are kept that long; may be empty. */
export function previousWindow(window: TimeWindow, nowMs: number): TimeWindow {
  const spanMs = window.toMs - window.fromMs;
  const fromMs = Math.max(window.fromMs - spanMs, nowMs - LOG_TERM_MS);
  return { fromMs: Math.min(fromMs, window.fromMs), toMs: window.fromMs };
}
