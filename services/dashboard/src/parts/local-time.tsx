/*
 * An instant in the reader's zone, with UTC in the title.
 */
import { formatAge, formatClock, formatClockMs, formatUtc } from '../words/format-time.js';
import { texts } from '../words/texts.js';

type Props = {
  /** RFC 3339. */
  readonly at: string;
  readonly nowMs: number;
  readonly form?: 'clock' | 'milliseconds' | 'age';
};

export function LocalTime({ at, nowMs, form = 'clock' }: Props) {
  const atMs = Date.parse(at);
  if (Number.isNaN(atMs)) return <span>{at}</span>;
  const clock = form === 'milliseconds' ? formatClockMs(atMs, nowMs) : formatClock(atMs, nowMs);
  const age = form === 'age';
  return (
    <time dateTime={at} title={age ? texts.figure.ageTitle(clock, formatUtc(atMs)) : formatUtc(atMs)}>
      {age ? formatAge(atMs, nowMs) : clock}
    </time>
  );
}
