/*
 * Owns the daily rhythm: the strength of an application's traffic at a moment, by hour and weekday of its time zone.
 * The mean over a week is 1, so that shares are exact over complete weeks.
 */
import { TYPE_CHARACTERS, type ApplicationType } from './application-types.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The strength of an application's traffic at a moment, 1 in the mean of a week. */
export function rhythm(type: ApplicationType, utcOffsetHours: number, timeMs: number): number {
  const { hours, weekend } = TYPE_CHARACTERS[type];
  const localMs = timeMs + utcOffsetHours * HOUR_MS;
  const hour = (((localMs % DAY_MS) + DAY_MS) % DAY_MS) / HOUR_MS;
  const from = Math.floor(hour);
  const before = hours[from] ?? 0;
  const after = hours[(from + 1) % 24] ?? 0;
  const ofDay = (before + (after - before) * (hour - from)) / mean(hours);
  // 1 January 1970 was a Thursday: day 4 of a week that begins on Sunday.
  const weekday = (((Math.floor(localMs / DAY_MS) + 4) % 7) + 7) % 7;
  const ofWeek = weekday === 0 || weekday === 6 ? weekend : 1;
  return (ofDay * ofWeek) / ((5 + 2 * weekend) / 7);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
