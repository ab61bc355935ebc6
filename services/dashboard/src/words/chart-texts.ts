/*
 * Texts of charts: titles, series, and each chart described for those who cannot see it.
 */
import type { Outcome } from '@imscope/schemas/outcome.js';

const OUTCOME_SERIES: Readonly<Record<Outcome, string>> = {
  service_error: 'Service errors',
  caller_error: 'Caller errors',
  unknown: 'Unknown',
  success: 'Success',
};

export const chartTexts = {
  overTime: 'Over time',
  requestsPerSecond: 'Requests per second',
  successRate: 'Success rate',
  delay: 'Delay',
  outcome: OUTCOME_SERIES,
  latency: { p50: 'p50', avg: 'avg', p95: 'p95', p99: 'p99', max: 'max' },
  show: (series: string) => `Show ${series}`,
  hide: (series: string) => `Hide ${series}`,
  nothing: 'Nothing to show in this window',
  span: (from: string, to: string) => `${from} – ${to}`,
  newest: (span: string) => `newest: ${span}`,
  noData: (title: string) => `${title}: no data`,
  seriesUnknown: (series: string) => `${series} unknown`,
  seriesExtent: (series: string, min: string, max: string, newest: string) =>
    `${series} from ${min} to ${max}, newest ${newest}`,
  described: (title: string, from: string, to: string, series: readonly string[]) =>
    `${title}, ${from} to ${to}: ${series.join('; ')}. Arrow keys read single steps.`,
  sparkline: {
    withVolume: (rate: string) => `${rate}; volume below`,
    noRate: 'No success rate: nothing was judged',
    downTo: (rate: string) => `Success rate down to ${rate}`,
    steady: (bound: string) => `Success rate without a telling drop below ${bound}`,
  },
};
