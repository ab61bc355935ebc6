/*
 * When each interface was called most often, for comparing with its limit.
 */
import { Type } from 'typebox';
import { filterOver } from '../figures/filter.js';
import type { MetricSpan } from '../figures/metric-span.js';
import { type Grouping, performanceQuery } from '../figures/performance.js';
import type { Span } from '../figures/plan.js';
import { floorMinute, HOUR_MS, MINUTE_MS, type TimeWindow } from '../figures/time-window.js';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';

const PEAKS = defineStoreQuery(
  'interfaces_peaks',
  Type.Object({ interface: Type.String(), busiest: Type.Number(), most: Type.Number() }),
);

export type Peak = {
  readonly requestsPerS: number;
  /** Where the second, or the minute, begins. */
  readonly startMs: number;
};

export type Peaks = {
  /** Moments before are not looked at. */
  readonly fromMs: number;
  /** What a peak is the average of. */
  readonly seconds: 1 | 60;
  readonly byInterface: ReadonlyMap<string, Peak>;
};

/** Longer windows are looked at by the minute: the seconds of a day of the largest application are a million groups. */
const SECONDS_SPAN_MS_MAX = HOUR_MS;
/** Of longer windows the last day: its minutes cost about as much as all other figures of the window. */
const PEAK_SPAN_MS_MAX = 24 * HOUR_MS;

/** By the second where the window is an hour at most and all requests were logged one by one; else by the minute. */
export async function askPeaks(
  ask: Ask,
  { filter, window, metrics, loggedShare }: Span,
  signal: AbortSignal,
): Promise<Peaks> {
  const bySecond = loggedShare === 1 && window.toMs - window.fromMs <= SECONDS_SPAN_MS_MAX;
  const seconds = bySecond ? 1 : 60;
  // From a whole minute, as the metrics.
  const earliestMs = floorMinute(window.toMs - PEAK_SPAN_MS_MAX) + MINUTE_MS;
  const span = { fromMs: Math.max(window.fromMs, earliestMs), toMs: window.toMs };
  const part = bySecond || metrics === null ? null : overlap(metrics, span);
  const { sql, params } = performanceQuery(BY_TICK, filterOver(filter, span), span, part, 'outcomes');
  const rows = await ask(PEAKS, peaksSql(sql), { ...params, tick_ms: seconds * 1_000 }, signal);
  const peaks = rows.map(({ interface: name, busiest, most }): [string, Peak] => [
    name,
    { requestsPerS: most / seconds, startMs: busiest * seconds * 1_000 },
  ]);
  return { fromMs: span.fromMs, seconds, byInterface: new Map(peaks) };
}

const tickSql = (column: string): string => `intDiv(toUnixTimestamp64Milli(${column}), {tick_ms:Int64})`;

/** `tick_ms` is bound. */
const BY_TICK: Grouping = {
  key: 'name, tick',
  logHash: `cityHash64(interface) + intHash64(${tickSql('time')})`,
  logs: ['any(interface) AS name', `any(${tickSql('time')}) AS tick`],
  metrics: ['m.interface AS name', `${tickSql('m.window_start')} AS tick`],
  outer: ['name AS interface', 'tick'],
};

const peaksSql = (sums: string): string => `
SELECT interface, argMax(tick, requests) AS busiest, max(requests) AS most
FROM (${sums}
)
GROUP BY interface`;

function overlap(metrics: MetricSpan, { fromMs: earliestMs }: TimeWindow): MetricSpan | null {
  const fromMs = Math.max(metrics.fromMs, earliestMs);
  if (fromMs >= metrics.toMs) return null;
  const gaps = (metrics.gaps ?? []).filter((gap) => gap.toMs > fromMs);
  return { fromMs, toMs: metrics.toMs, gaps };
}
