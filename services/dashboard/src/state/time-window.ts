/*
 * The time window of a page, in the form of the query API: RFC 3339, `now` or `now-1h`. The browser's clock serves texts
 * and pickers only. The service resolves relative times, so a wrong clock here does no harm.
 */
import { HOUR_MS, TERM_HOURS } from '@imscope/schemas/retention.js';

export type TimeWindow = { readonly from: string; readonly to: string };

/** Equal to the pattern the query service validates with (a test compares them). */
export const TIME_PATTERN = String.raw`^(now(-\d{1,6}[smhd])?|\d{13}|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))$`;

/** No answer reaches further back. */
export const LOGS_KEPT_MS = TERM_HOURS.requestLog * HOUR_MS;
export const LOGS_KEPT_DAYS = TERM_HOURS.requestLog / 24;
/** The longest window. */
export const TERM_WINDOW: TimeWindow = { from: `now-${LOGS_KEPT_DAYS.toString()}d`, to: 'now' };

/** Windows one click away, by the name of their text. */
export const PRESETS = [
  { name: 'now-15m', from: 'now-15m' },
  { name: 'now-1h', from: 'now-1h' },
  { name: 'now-6h', from: 'now-6h' },
  { name: 'now-24h', from: 'now-24h' },
  { name: 'term', from: TERM_WINDOW.from },
] as const;
export type Preset = (typeof PRESETS)[number];

export const DEFAULT_WINDOW: TimeWindow = { from: 'now-1h', to: 'now' };

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const timePattern = new RegExp(TIME_PATTERN);

export function isTime(text: string): boolean {
  return timePattern.test(text) && Number.isFinite(toMs(text, 0));
}

/** Milliseconds of an API time; NaN for any other text. */
export function toMs(text: string, nowMs: number): number {
  if (text === 'now') return nowMs;
  if (/^\d{13}$/.test(text)) return Number(text);
  const relative = /^now-(\d{1,6})([smhd])$/.exec(text);
  if (relative === null) return Date.parse(text);
  return nowMs - Number(relative[1]) * (UNIT_MS[relative[2] ?? ''] ?? NaN);
}

/** The window's end moves with the clock. */
export function isLive(window: TimeWindow): boolean {
  return window.to === 'now';
}

export function presetOf(window: TimeWindow): Preset | undefined {
  return isLive(window) ? PRESETS.find(({ from }) => from === window.from) : undefined;
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

/** Clocks of browser and service may differ by this. */
const CLOCK_SKEW_MS = 120_000;

/**
 * The span an answer covers, where it covers less than was asked for; null where it covers all. The service cuts what
 * is older than logs are kept.
 */
export function clippedSpanMs(
  asked: TimeWindow,
  answered: { readonly from: string; readonly to: string },
  nowMs: number,
): number | null {
  const fromMs = Date.parse(answered.from);
  const spanMs = Date.parse(answered.to) - fromMs;
  // Of relative windows the length is compared: the service resolves them by its own clock.
  const isRelative = isLive(asked) && asked.from.startsWith('now-');
  const cutMs = isRelative ? -toMs(asked.from, 0) - spanMs : fromMs - toMs(asked.from, nowMs);
  // Answers about the fleet round long relative windows to their minutes.
  const slackMs = /now/.test(asked.from) ? CLOCK_SKEW_MS : 1_000;
  return cutMs > slackMs ? spanMs : null;
}

/** An instant as a `datetime-local` field takes it, in the browser's zone. */
export function toLocalField(atMs: number): string {
  const shifted = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}
