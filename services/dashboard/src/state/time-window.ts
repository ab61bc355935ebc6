/*
 * The span of time a page looks at, as the query API takes it: RFC 3339, `now` or `now-1h`. The browser's clock is
 * used for words and pickers only; relative spans are resolved by the service, so a wrong clock here does no harm.
 */
import { formatClock, formatMinute, formatSpan } from '../words/format-time.js';

export type TimeWindow = { readonly from: string; readonly to: string };

/** The same pattern the query service validates with (a test holds them equal). */
export const TIME_PATTERN = String.raw`^(now(-\d{1,6}[smhd])?|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))$`;

export const PRESETS = [
  { label: '15 m', words: 'Last 15 minutes', from: 'now-15m' },
  { label: '1 h', words: 'Last hour', from: 'now-1h' },
  { label: '6 h', words: 'Last 6 hours', from: 'now-6h' },
  { label: '24 h', words: 'Last 24 hours', from: 'now-24h' },
  { label: '7 d', words: 'Last 7 days', from: 'now-7d' },
] as const;

export const DEFAULT_WINDOW: TimeWindow = { from: 'now-1h', to: 'now' };

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const timePattern = new RegExp(TIME_PATTERN);

export function isTime(text: string): boolean {
  return timePattern.test(text) && Number.isFinite(toMs(text, 0));
}

/** Milliseconds of an API time; NaN for a text that is none. */
export function toMs(text: string, nowMs: number): number {
  if (text === 'now') return nowMs;
  const relative = /^now-(\d{1,6})([smhd])$/.exec(text);
  if (relative === null) return Date.parse(text);
  return nowMs - Number(relative[1]) * (UNIT_MS[relative[2] ?? ''] ?? NaN);
}

/** Live: the window's end moves with the clock. */
export function isLive(window: TimeWindow): boolean {
  return window.to === 'now';
}

/** Pause between refreshes: long windows cost the store more and change less. */
export function refreshIntervalMs(window: TimeWindow): number | null {
  if (!isLive(window)) return null;
  const lengthMs = -toMs(window.from, 0);
  if (!window.from.startsWith('now-')) return 15_000;
  if (lengthMs <= 3_600_000) return 5000;
  if (lengthMs <= 21_600_000) return 15_000;
  return lengthMs <= 86_400_000 ? 30_000 : 60_000;
}

/** A window between two instants, from dragging over a chart or from the picker. */
export function absoluteWindow(fromMs: number, toMs: number): TimeWindow {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}

/** Twice the span around the same middle, its end never in the future. */
export function widen(window: TimeWindow, nowMs: number): TimeWindow {
  const from = toMs(window.from, nowMs);
  const to = toMs(window.to, nowMs);
  const half = (to - from) / 2;
  const end = Math.min(to + half, nowMs);
  return absoluteWindow(end - 4 * half, end);
}

/** `Last hour`, or `21 Nov 12:00 – 21 Nov 13:00 (1 h)`. */
export function describeWindow(window: TimeWindow, nowMs: number, zone?: string): string {
  if (isLive(window)) {
    const preset = PRESETS.find(({ from }) => from === window.from);
    if (preset !== undefined) return preset.words;
    if (window.from.startsWith('now-')) return `Last ${formatSpan(-toMs(window.from, 0))}`;
  }
  const from = toMs(window.from, nowMs);
  const to = toMs(window.to, nowMs);
  const short = to - from < 600_000;
  const clock = short ? formatClock : formatMinute;
  return `${clock(from, nowMs, zone)} – ${isLive(window) ? 'now' : clock(to, nowMs, zone)} (${formatSpan(to - from)})`;
}

/** Clocks of browser and service may differ by this. */
const CLOCK_SKEW_MS = 120_000;

/**
 * Where the answer covers less than was asked for, what it covers; null where it covers all. The service cuts what is
 * older than logs are kept.
 */
export function clippedWords(
  asked: TimeWindow,
  answered: { readonly from: string; readonly to: string },
  nowMs: number,
): string | null {
  const fromMs = Date.parse(answered.from);
  const spanMs = Date.parse(answered.to) - fromMs;
  // Of relative spans the length counts: they are resolved by the service's clock.
  const isRelative = isLive(asked) && asked.from.startsWith('now-');
  const cutMs = isRelative ? -toMs(asked.from, 0) - spanMs : fromMs - toMs(asked.from, nowMs);
  const slackMs = isRelative || !/now/.test(asked.from) ? 1_000 : CLOCK_SKEW_MS;
  return cutMs > slackMs ? `Logs are kept 7 days: showing ${formatSpan(spanMs)}` : null;
}

/** What the picker of own windows hands in (local times of its two fields), or what is wrong with it. */
export function customWindow(fromLocal: string, toLocal: string, nowMs: number): TimeWindow | string {
  const from = new Date(fromLocal).getTime();
  const to = toLocal === '' ? nowMs : new Date(toLocal).getTime();
  if (Number.isNaN(from)) return 'Give the time it begins.';
  if (Number.isNaN(to)) return 'The time it ends cannot be read.';
  if (from >= to) return 'It must begin before it ends.';
  if (from < nowMs - 7 * 86_400_000) return 'Logs are kept 7 days: begin later.';
  return toLocal === '' ? { from: new Date(from).toISOString(), to: 'now' } : absoluteWindow(from, to);
}

/** An instant as a `datetime-local` field takes it, in the browser's zone. */
export function toLocalField(atMs: number): string {
  const shifted = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}
