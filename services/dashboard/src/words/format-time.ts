/*
 * Instants and spans as text. Times are in the reader's own zone, with UTC in a title. The zone and the present time
 * are arguments, so that the same input gives the same text.
 */
import { LOCALE } from './locale.js';
import { texts } from './texts.js';

const UNIT = LOCALE.units;

/** undefined: the browser's own zone. */
type Zone = string | undefined;

const formatIn = (options: Intl.DateTimeFormatOptions, zone: Zone): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat(LOCALE.dates, zone === undefined ? options : { ...options, timeZone: zone });

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
const DAY = { day: 'numeric', month: 'short' } as const;
const YEAR = { year: 'numeric' } as const;
const DATE = { ...DAY, ...YEAR } as const;

/** `12:03:04`, with the date in front when it is not today: `21 Nov 12:03:04`, `21 Nov 2025 12:03:04`. */
export function formatClock(atMs: number, nowMs: number, zone?: string): string {
  const clock = formatIn(CLOCK, zone).format(atMs);
  const date = formatIn(DATE, zone);
  if (date.format(atMs) === date.format(nowMs)) return clock;
  const year = formatIn(YEAR, zone);
  const isThisYear = year.format(atMs) === year.format(nowMs);
  return `${(isThisYear ? formatIn(DAY, zone) : date).format(atMs)} ${clock}`;
}

/** As formatClock, with milliseconds. */
export function formatClockMs(atMs: number, nowMs: number, zone?: string): string {
  return `${formatClock(atMs, nowMs, zone)}.${(((atMs % 1000) + 1000) % 1000).toString().padStart(3, '0')}`;
}

/** As formatClock, without seconds: for spans of hours. */
export function formatMinute(atMs: number, nowMs: number, zone?: string): string {
  return formatClock(atMs, nowMs, zone).slice(0, -3);
}

/** `2026-11-23 12:03:04.120 UTC`; `no time` where it is not finite. */
export function formatUtc(atMs: number): string {
  if (!Number.isFinite(atMs)) return LOCALE.notATime;
  return `${new Date(atMs).toISOString().replace('T', ' ').slice(0, 23)} UTC`;
}

/** `4 s`, `3 min`, `2 h 5 min`, `3 d`: a length of time in its two greatest units. */
export function formatSpan(ms: number): string {
  const seconds = Math.round(Math.max(ms, 0) / 1000);
  if (seconds < 60) return `${seconds.toString()} ${UNIT.seconds}`;
  const minutes = Math.floor(seconds / 60);
  // From five minutes on, seconds are noise.
  if (minutes < 60) return pair(minutes, UNIT.minutes, minutes < 5 ? seconds % 60 : 0, UNIT.seconds);
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return pair(hours, UNIT.hours, minutes % 60, UNIT.minutes);
  return pair(Math.floor(hours / 24), UNIT.days, hours % 24, UNIT.hours);
}

/** `just now`, `3 min ago`. */
export function formatAge(atMs: number, nowMs: number): string {
  const age = nowMs - atMs;
  return age < 2000 ? texts.figure.age.justNow : texts.figure.age.ago(formatSpan(age));
}

function pair(major: number, majorUnit: string, minor: number, minorUnit: string): string {
  const head = `${major.toString()} ${majorUnit}`;
  return minor === 0 ? head : `${head} ${minor.toString()} ${minorUnit}`;
}
