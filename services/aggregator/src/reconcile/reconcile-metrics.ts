/* Metrics of reconciliation, for Prometheus. Only the member that reconciles for its group sets them. */
import { Gauge, type Registry } from 'prom-client';

export function createReconcileMetrics(registry: Registry) {
  const registers = [registry];
  return {
    reconcileDifferences: new Gauge({
      name: 'imscope_aggregator_reconcile_differences',
      help: 'places where ledger, rows, accounts or metrics differ, by check; set by one member of the group',
      labelNames: ['check'],
      registers,
    }),
    retiredLoss: new Gauge({
      name: 'imscope_aggregator_retired_loss_records',
      help: 'records of retired collectors: missing are lost, unaccounted is the most that no account covers; set by one member of the group',
      labelNames: ['kind'],
      registers,
    }),
    reconcileCheckedAt: new Gauge({
      name: 'imscope_aggregator_reconcile_checked_at_seconds',
      help: 'when the last reconcile pass ended, Unix time',
      labelNames: [],
      registers,
    }),
  };
}

export type ReconcileMetrics = ReturnType<typeof createReconcileMetrics>;
