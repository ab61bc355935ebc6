/*
 * How the language of the texts writes numbers, dates and units.
 */
export const LOCALE = {
  /** Digits and their grouping. */
  numbers: 'en-US',
  /** Days and times of day. */
  dates: 'en-GB',
  /** The order of names in sorted tables. */
  sorting: 'en',
  units: {
    milliseconds: 'ms',
    seconds: 's',
    minutes: 'min',
    hours: 'h',
    days: 'd',
    thousand: 'k',
    million: 'M',
    billion: 'B',
  },
  absent: '—',
  notATime: 'no time',
} as const;
