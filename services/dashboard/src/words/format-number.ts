/*
 * Numbers as text. A success rate is never rounded up to 100 %, a share above zero never reads 0, and an unknown value
 * reads "—". The exact value is in a title beside it.
 */
import { LOCALE } from './locale.js';

export const ABSENT = LOCALE.absent;
/** Narrow no-break space, between a number and its unit. */
const GAP = '\u202f';

const UNIT = LOCALE.units;
const POWERS = [
  { size: 1e9, suffix: LOCALE.units.billion },
  { size: 1e6, suffix: LOCALE.units.million },
  { size: 1e3, suffix: LOCALE.units.thousand },
] as const;

const exact = new Intl.NumberFormat(LOCALE.numbers, { maximumFractionDigits: 6 });

/** Every digit, grouped: `1,234,567`. */
export function formatExact(value: number): string {
  return exact.format(value);
}

/** A count: all digits below 10,000, then three significant ones (`12.3 k`, `1.24 M`). */
export function formatCount(value: number): string {
  if (value < 10_000) return exact.format(Math.round(value));
  // 999,950 rounds to 1,000 k, so the unit is picked after rounding to three digits.
  const rounded = Number(value.toPrecision(3));
  for (const { size, suffix } of POWERS) {
    if (rounded >= size) return `${trimZeros((rounded / size).toPrecision(3))}${GAP}${suffix}`;
  }
  return exact.format(rounded);
}

/** Requests per second, without the unit; a trickle reads `<0.01`, never 0. */
export function formatRate(perSecond: number): string {
  if (perSecond === 0) return '0';
  if (perSecond < 0.01) return '<0.01';
  if (perSecond < 10) return trimZeros(perSecond.toFixed(2));
  if (perSecond < 100) return perSecond.toFixed(1);
  return formatCount(perSecond);
}

/** A success rate (0 to 1) cut off, not rounded: 99.9996 % reads `99.999 %`. Three decimals from 99.9 % on. */
export function formatSuccessRate(rate: number | null): string {
  if (rate === null) return ABSENT;
  if (rate >= 1) return `100${GAP}%`;
  const decimals = rate >= 0.999 ? 3 : 2;
  const scale = 10 ** decimals;
  // The tiny addition undoes binary noise: 0.9995 * 100 is 99.94999….
  return `${(Math.floor(rate * 100 * scale + 1e-7) / scale).toFixed(decimals)}${GAP}%`;
}

/** A share of a whole (0 to 1). */
export function formatShare(share: number): string {
  if (share === 0) return `0${GAP}%`;
  if (share < 0.001) return `<0.1${GAP}%`;
  if (share < 0.1) return `${(share * 100).toFixed(1)}${GAP}%`;
  if (share < 1 && share >= 0.995) return `>99${GAP}%`;
  return `${Math.round(share * 100).toString()}${GAP}%`;
}

/** A duration in milliseconds: `0.42 ms`, `4.2 ms`, `420 ms`, `1.24 s`, `2 min 5 s`. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return ABSENT;
  if (ms === 0) return `0${GAP}${UNIT.milliseconds}`;
  if (ms < 1) return `${ms.toFixed(2)}${GAP}${UNIT.milliseconds}`;
  if (ms < 9.95) return `${ms.toFixed(1)}${GAP}${UNIT.milliseconds}`;
  if (ms < 999.5) return `${Math.round(ms).toString()}${GAP}${UNIT.milliseconds}`;
  if (ms < 9995) return `${(ms / 1000).toFixed(2)}${GAP}${UNIT.seconds}`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)}${GAP}${UNIT.seconds}`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60).toString()}${GAP}${UNIT.minutes} ${(seconds % 60).toString()}${GAP}${UNIT.seconds}`;
}

/** `1 node`, `3 nodes`. */
export function formatQuantity(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
