/*
 * The metrics of the registry.
 */
import { createHttpMetrics } from '@imscope/runtime/http-metrics.js';
import { Counter, Gauge, type Registry } from 'prom-client';

export type RegistryMetrics = ReturnType<typeof createMetrics>;

export function createMetrics(registry: Registry) {
  const common = (name: string, help: string) => ({
    name: `imscope_registry_${name}`,
    help,
    registers: [registry],
  });
  return {
    ...createHttpMetrics(registry, 'registry'),
    outboxAttempts: new Counter({
      ...common('outbox_attempts_total', 'messages sent to TRTC and of notices, by result'),
      labelNames: ['channel', 'result'] as const,
    }),
    outboxMessages: new Gauge({
      ...common('outbox_messages', 'messages that wait, as the process that sends them counts'),
      labelNames: ['channel'] as const,
    }),
    outboxOldestSeconds: new Gauge({
      ...common('outbox_oldest_seconds', 'age of the oldest message that waits; 0: none does'),
      labelNames: ['channel'] as const,
    }),
    purgesCompleted: new Counter(common('purges_completed_total', 'applications purged from every place')),
    purgesLate: new Gauge(common('purges_late', 'purges that have not completed by their latest date')),
    refused: new Counter({
      ...common('refused_total', 'callers turned away, by reason'),
      labelNames: ['reason'] as const,
    }),
    newestBackup: new Gauge(
      common(
        'newest_backup_timestamp_seconds',
        'when the newest complete backup was begun; 0: there is none',
      ),
    ),
    backupFailures: new Counter(common('backup_failures_total', 'backups and sweeps of backups that failed')),
    swept: new Counter({
      ...common('swept_total', 'ended exports, and what was cut off, that were deleted'),
      labelNames: ['what'] as const,
    }),
    sweepFailures: new Counter({
      ...common('sweep_failures_total', 'deletions that failed and are tried again'),
    }),
  };
}
