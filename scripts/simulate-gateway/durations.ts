/*
 * How long an incident lasts, as text: a duration, or `open` for one without an end.
 */
import { parseDuration } from '../options/duration.js';

/** Milliseconds; undefined where the text is no duration. */
export function durationMs(text: string): number | undefined {
  return text === 'open' ? Number.POSITIVE_INFINITY : parseDuration(text);
}
