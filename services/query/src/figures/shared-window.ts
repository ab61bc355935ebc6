/*
 * A window that callers share. `now` is rounded down, so that questions put within a moment have the same window and are
 * answered from one computation. Times that are given as such stay as they are.
 */
import { LOG_TERM_MS, METRIC_TERM_MS, MINUTE_MS, resolveWindow, type TimeWindow } from './time-window.js';

const MOMENT_MS = 5_000;
/** Windows shorter than this are not rounded: they would lose a noticeable part. */
const ROUNDED_FROM_MS = MINUTE_MS;

/** Throws `HttpError` invalid_parameter, as `resolveWindow`. */
export function resolveSharedWindow(
  query: { readonly from?: string; readonly to?: string },
  nowMs: number,
): TimeWindow {
  const exact = resolveWindow(query, nowMs);
  const spanMs = exact.toMs - exact.fromMs;
  if (spanMs < ROUNDED_FROM_MS) return exact;
  // Windows that the metrics cover are cheap. Of the logs, a minute is a small part of days.
  const stepMs = spanMs <= METRIC_TERM_MS ? MOMENT_MS : MINUTE_MS;
  const keptFromMs = nowMs - LOG_TERM_MS;
  const rounded = resolveWindow(query, Math.floor(nowMs / stepMs) * stepMs);
  const fromMs = Math.max(rounded.fromMs, Math.ceil(keptFromMs / stepMs) * stepMs);
  const toMs = isRelative(query.to) ? rounded.toMs : exact.toMs;
  return fromMs < toMs ? { fromMs, toMs } : exact;
}

function isRelative(text: string | undefined): boolean {
  return text === undefined || text.startsWith('now');
}
