/*
 * Metrics as collectors make them of requests, worked out a second time: windows of a minute, or of ten seconds,
 * by application, interface and region. And sampling, as collectors do it: the requests that stay in the logs.
 */
import { latencyBucket } from '@imscope/schemas/latency-histogram.js';
import type { InterfaceMetric } from '@imscope/schemas/interface-metric.js';
import type { StoredRow } from './stored-row.js';

type Metric = { -readonly [K in keyof InterfaceMetric]: InterfaceMetric[K] };

/**
 * @param requests every request, one by one, logged or not
 * @param logged those of them that are in the logs
 * @param widthOf seconds of the window a request is counted in: a row of ten seconds and one of a minute may overlap
 */
export function metricsOf(
  requests: readonly StoredRow[],
  logged: readonly StoredRow[],
  widthOf: (row: StoredRow) => 10 | 60 = () => 60,
): InterfaceMetric[] {
  const metrics = new Map<string, Metric>();
  const metricOf = (row: StoredRow): Metric => {
    const widthS = widthOf(row);
    const start = row.time - (row.time % (widthS * 1000));
    const key = [row.sdk_app_id, row.interface, row.region, start, widthS].join('|');
    const known = metrics.get(key);
    if (known !== undefined) return known;
    const metric = emptyMetric(row, start, widthS);
    metrics.set(key, metric);
    return metric;
  };
  for (const row of requests) {
    const metric = metricOf(row);
    metric[row.outcome] += 1;
    const code = row.code === null ? 'none' : String(row.code);
    metric.codes = { ...metric.codes, [code]: (metric.codes[code] ?? 0) + 1 };
    metric.latency_sum_us += row.latency_us;
    metric.latency_max_us = Math.max(metric.latency_max_us, row.latency_us);
    const bucket = String(latencyBucket(row.latency_us));
    const histogram = metric.latency_histogram;
    metric.latency_histogram = { ...histogram, [bucket]: (histogram[bucket] ?? 0) + 1 };
  }
  for (const row of logged) metricOf(row).logged_weight += row.weight;
  return [...metrics.values()];
}

function emptyMetric(row: StoredRow, start: number, widthS: number): Metric {
  return {
    window_start: start,
    window_s: widthS,
    sdk_app_id: row.sdk_app_id,
    interface: row.interface,
    region: row.region,
    success: 0,
    caller_error: 0,
    service_error: 0,
    unknown: 0,
    codes: {},
    latency_sum_us: 0,
    latency_max_us: 0,
    latency_histogram: {},
    logged_weight: 0,
  };
}

/** Of the successes one of `weight` stays, for itself and those left out before it; of the rest every one. */
export function sample(requests: readonly StoredRow[], weight: number): StoredRow[] {
  let left = 0;
  return requests.flatMap((row) => {
    if (row.outcome !== 'success') return [row];
    left += 1;
    if (left < weight) return [];
    left = 0;
    return [{ ...row, weight }];
  });
}

/** One request each, whatever weight was drawn for it. */
export function single(rows: readonly StoredRow[]): StoredRow[] {
  return rows.map((row) => ({ ...row, weight: 1 }));
}
