/* All metrics of the aggregator, for Prometheus. */
import type { Registry } from 'prom-client';
import { createConsumeMetrics } from './consume/consume-metrics.js';
import { createReconcileMetrics } from './reconcile/reconcile-metrics.js';
import { createRollupMetrics } from './rollup/rollup-metrics.js';

export function createAggregatorMetrics(registry: Registry) {
  return {
    ...createConsumeMetrics(registry),
    ...createReconcileMetrics(registry),
    ...createRollupMetrics(registry),
  };
}
