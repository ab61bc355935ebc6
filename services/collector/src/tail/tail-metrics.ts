/*
 * Metrics of tailed files. Their records are counted in the metrics of all records: received, accepted, refused by
 * reason.
 */
import type { Registry } from 'prom-client';
import { metricMaker } from '../metrics/metric-maker.js';
import type { FollowedFile } from './followed-file.js';

export type TailMetrics = ReturnType<typeof createTailMetrics>;

/** @param files those followed now, read at every scrape */
export function createTailMetrics(registry: Registry, files: () => readonly FollowedFile[]) {
  const metrics = metricMaker(registry);
  metrics.gauge('tail_files', 'tailed files that are open', () => files().length);
  metrics.labelledGauge(
    'tail_behind_bytes',
    'bytes of tailed files that are not logged yet, by path',
    ['path'],
    (gauge) => {
      // A renamed file counts under the path it had.
      for (const { path, behindBytes } of files()) gauge.inc({ path }, behindBytes);
    },
  );
  metrics.labelledGauge(
    'tail_read_timestamp_seconds',
    'when lines of the file at a path were last logged',
    ['path'],
    (gauge) => {
      for (const { path, readMs, goneSinceMs } of files()) {
        if (goneSinceMs === undefined) gauge.set({ path }, readMs / 1_000);
      }
    },
  );
  return {
    lines: metrics.counter(
      'tail_lines_total',
      'lines of tailed files that were read, good and bad, without blank ones',
    ),
    bytes: metrics.counter('tail_bytes_total', 'bytes of tailed files that were read'),
    truncations: metrics.counter('tail_truncations_total', 'tailed files that were truncated or rewritten'),
    failures: metrics.counter('tail_failures_total', 'steps of tailing that failed and were retried', [
      'step',
    ]),
  };
}
