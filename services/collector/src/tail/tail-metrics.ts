/*
 * Figures of tailed files. What their lines come to stands in the figures of all records: received, accepted,
 * refused by reason.
 */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { FollowedFile } from './followed-file.js';

export type TailMetrics = ReturnType<typeof createTailMetrics>;

/** @param files those followed now, asked for at every scrape */
export function createTailMetrics(registry: Registry, files: () => readonly FollowedFile[]) {
  const named = (name: string, help: string) => ({
    name: `imscope_collector_${name}`,
    help,
    registers: [registry],
  });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ ...named(name, help), labelNames });
  return {
    lines: counter(
      'tail_lines_total',
      'lines of tailed files that were taken, good and bad; blank ones are none',
    ),
    bytes: counter('tail_bytes_total', 'bytes of tailed files that were taken'),
    truncations: counter('tail_truncations_total', 'tailed files that were cut off or written anew'),
    failures: counter('tail_failures_total', 'steps of tailing that failed and were tried again', ['step']),
    files: new Gauge({
      ...named('tail_files', 'tailed files that are open'),
      collect() {
        this.set(files().length);
      },
    }),
    behind: new Gauge({
      ...named('tail_behind_bytes', 'bytes of tailed files that were not taken yet, by path'),
      labelNames: ['path'],
      collect() {
        this.reset();
        // One that was renamed counts under the path it had.
        for (const { path, behindBytes } of files()) this.inc({ path }, behindBytes);
      },
    }),
    read: new Gauge({
      ...named('tail_read_timestamp_seconds', 'when lines of the file at a path were last taken'),
      labelNames: ['path'],
      collect() {
        this.reset();
        for (const { path, readMs, goneSinceMs } of files()) {
          if (goneSinceMs === undefined) this.set({ path }, readMs / 1_000);
        }
      },
    }),
  };
}
