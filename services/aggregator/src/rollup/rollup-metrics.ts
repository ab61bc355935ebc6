/* Metrics of the rollups of ended hours, for Prometheus. Only the member that builds for its group sets them. */
import { Counter, Gauge, type Registry } from 'prom-client';

export function createRollupMetrics(registry: Registry) {
  const registers = [registry];
  return {
    rollupHoursBuilt: new Counter({
      name: 'imscope_aggregator_rollup_hours_built_total',
      help: 'hours of hour_rollup that were built, first or again, by kind; set by one member of the group',
      labelNames: ['kind'],
      registers,
    }),
    rollupPassedAt: new Gauge({
      name: 'imscope_aggregator_rollup_passed_at_seconds',
      help: 'when the last rollup pass ended without a failure, Unix time',
      labelNames: [],
      registers,
    }),
  };
}

export type RollupMetrics = ReturnType<typeof createRollupMetrics>;
