/*
 * Instants and spans as text. Times are shown in the reader's own zone, with UTC one hover away. The zone and the
 * present moment are arguments, so that the same input always gives the same text.
 */

/** undefined: the browser's own zone. */
type Zone = string | undefined;

const partsOf = (options: Intl.DateTimeFormatOptions, zone: Zone): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-GB', zone === undefined ? options : { ...options, timeZone: zone });

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
const DAY = { day: 'numeric', month: 'short' } as const;

/** `12:03:04`, with the day in front when it is not today: `21 Nov 12:03:04`. */
export function formatClock(atMs: number, nowMs: number, zone?: string): string {
  const day = partsOf(DAY, zone);
  const clock = partsOf(CLOCK, zone).format(atMs);
  return day.format(atMs) === day.format(nowMs) ? clock : `${day.format(atMs)} ${clock}`;
}

/** As formatClock, with milliseconds. */
export function formatClockMs(atMs: number, nowMs: number, zone?: string): string {
  return `${formatClock(atMs, nowMs, zone)}.${(((atMs % 1000) + 1000) % 1000).toString().padStart(3, '0')}`;
}

/** As formatClock, without seconds: for spans of hours. */
export function formatMinute(atMs: number, nowMs: number, zone?: string): string {
  return formatClock(atMs, nowMs, zone).slice(0, -3);
}

/** `2026-11-23 12:03:04.120 UTC`; a text that is no time comes back as it is. */
export function formatUtc(atMs: number): string {
  if (!Number.isFinite(atMs)) return 'no time';
  return `${new Date(atMs).toISOString().replace('T', ' ').slice(0, 23)} UTC`;
}

/** `now`, `4 s`, `3 min`, `2 h 5 min`, `3 d`: a length of time in its two greatest units. */
export function formatSpan(ms: number): string {
  const seconds = Math.round(Math.max(ms, 0) / 1000);
  if (seconds < 60) return `${seconds.toString()} s`;
  const minutes = Math.floor(seconds / 60);
  // From five minutes on, seconds are noise.
  if (minutes < 60) return pair(minutes, 'min', minutes < 5 ? seconds % 60 : 0, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return pair(hours, 'h', minutes % 60, 'min');
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** `just now`, `3 min ago`. */
export function formatAge(atMs: number, nowMs: number): string {
  const age = nowMs - atMs;
  return age < 2000 ? 'just now' : `${formatSpan(age)} ago`;
}

function pair(major: number, majorUnit: string, minor: number, minorUnit: string): string {
  const head = `${major.toString()} ${majorUnit}`;
  return minor === 0 ? head : `${head} ${minor.toString()} ${minorUnit}`;
}
