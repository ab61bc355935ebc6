/*
 * Time windows as text: their names, what of them an answer covers, and what is wrong with a window of the reader's own.
 */
import {
  absoluteWindow,
  clippedSpanMs,
  isLive,
  LOGS_KEPT_MS,
  presetOf,
  type TimeWindow,
  toMs,
} from '../state/time-window.js';
import { formatClock, formatMinute, formatSpan } from './format-time.js';
import { texts } from './texts.js';

/** `Last hour`, or `21 Nov 12:00 – 21 Nov 13:00 (1 h)`. */
export function describeWindow(window: TimeWindow, nowMs: number, zone?: string): string {
  const preset = presetOf(window);
  if (preset !== undefined) return texts.window.preset[preset.name].title;
  if (isLive(window) && window.from.startsWith('now-')) {
    return texts.window.last(formatSpan(-toMs(window.from, 0)));
  }
  const from = toMs(window.from, nowMs);
  const to = toMs(window.to, nowMs);
  const clock = to - from < 600_000 ? formatClock : formatMinute;
  const end = isLive(window) ? texts.window.now : clock(to, nowMs, zone);
  return texts.window.between(clock(from, nowMs, zone), end, formatSpan(to - from));
}

/** A span that a minute is missing of reads as the complete one. */
const ROUNDED_TO_MS = 300_000;

/** Where the answer covers less than was asked for, what it covers; null where it covers all. */
export function clippedText(
  asked: TimeWindow,
  answered: { readonly from: string; readonly to: string },
  nowMs: number,
): string | null {
  const spanMs = clippedSpanMs(asked, answered, nowMs);
  if (spanMs === null) return null;
  return texts.window.clipped(formatSpan(Math.round(spanMs / ROUNDED_TO_MS) * ROUNDED_TO_MS));
}

/** The window of the picker's two fields (local times), or what is wrong with it. */
export function customWindow(fromLocal: string, toLocal: string, nowMs: number): TimeWindow | string {
  const { problem } = texts.window;
  const from = new Date(fromLocal).getTime();
  const to = toLocal === '' ? nowMs : new Date(toLocal).getTime();
  if (Number.isNaN(from)) return problem.noBegin;
  if (Number.isNaN(to)) return problem.unreadableEnd;
  if (from >= to) return problem.endsBeforeBegin;
  if (from < nowMs - LOGS_KEPT_MS) return problem.beginsTooEarly;
  return toLocal === '' ? { from: new Date(from).toISOString(), to: 'now' } : absoluteWindow(from, to);
}
