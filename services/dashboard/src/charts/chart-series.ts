/*
 * What the charts draw, as plain data: series with names, colours (names of CSS variables) and values. A stacked series
 * has the sum of itself and all below it, and is drawn before those below.
 */
import type { Outcome } from '@imscope/schemas/outcome.js';
import { texts } from '../words/texts.js';
import { type Bucket, perSecond } from './buckets.js';

export type ChartSeries = {
  readonly key: string;
  readonly label: string;
  /** Name of a CSS variable. */
  readonly colour: string;
  /** Dashes distinguish lines without colour; empty: solid. */
  readonly dash: readonly number[];
  readonly values: readonly (number | null)[];
};

/** From the bottom up: errors are on the base line, where their heights can be compared. */
const STACK: readonly { key: Outcome; colour: string }[] = [
  { key: 'service_error', colour: '--chart-service-error' },
  { key: 'caller_error', colour: '--chart-caller-error' },
  { key: 'unknown', colour: '--chart-unknown' },
  { key: 'success', colour: '--chart-success' },
];

/** Requests per second by outcome, bottom first, not yet stacked; `unknown` only where there are any. */
export function outcomeSeries(buckets: readonly Bucket[]): ChartSeries[] {
  const someUnknown = buckets.some(({ outcomes }) => outcomes.unknown > 0);
  return STACK.filter(({ key }) => key !== 'unknown' || someUnknown).map(({ key, colour }) => ({
    key,
    label: texts.chart.outcome[key],
    colour,
    dash: [],
    values: buckets.map((bucket) => perSecond(bucket, bucket.outcomes[key])),
  }));
}

export function successRateSeries(buckets: readonly Bucket[]): ChartSeries[] {
  return [
    {
      key: 'success_rate',
      label: texts.chart.successRate,
      colour: '--chart-rate',
      dash: [],
      values: buckets.map((bucket) => bucket.successRate),
    },
  ];
}

const DELAYS = [
  { key: 'p50', colour: '--chart-p50', dash: [] },
  { key: 'avg', colour: '--chart-avg', dash: [2, 3] },
  { key: 'p95', colour: '--chart-p95', dash: [8, 4] },
  { key: 'p99', colour: '--chart-p99', dash: [] },
] as const;

export function delaySeries(buckets: readonly Bucket[]): ChartSeries[] {
  return DELAYS.map(({ key, colour, dash }) => ({
    key,
    label: texts.chart.latency[key],
    colour,
    dash,
    values: buckets.map((bucket) => bucket.latencyMs[key]),
  }));
}

/** Each series with the sum of itself and those before it; same order. */
export function stackSeries(series: readonly ChartSeries[]): ChartSeries[] {
  const sums: number[] = [];
  return series.map((one) => ({
    ...one,
    values: one.values.map((value, index) => {
      const sum = (sums[index] ?? 0) + (value ?? 0);
      sums[index] = sum;
      return sum;
    }),
  }));
}

/** Least and greatest of all values, or null where there are none. */
export function extentOf(
  series: readonly Pick<ChartSeries, 'values'>[],
): { min: number; max: number } | null {
  let min = Infinity;
  let max = -Infinity;
  for (const { values } of series) {
    for (const value of values) {
      if (value === null) continue;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return min > max ? null : { min, max };
}

/** Bottom of the success rate's axis: room below the worst value, never less than the last tenth of a percent. */
export function rateFloor(series: readonly ChartSeries[]): number {
  const extent = extentOf(series);
  if (extent === null) return 0.99;
  const span = Math.max((1 - extent.min) * 1.15, 0.001);
  return Math.max(1 - span, 0);
}
