/* The workers that carry changes on: the outbox, and the passes over terminated applications. */
import type { Running } from '@imscope/runtime/service.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import type { RegistryContext } from './create-registry.js';
import { type FindUndistributed, purgeDistribution } from './lifecycle/purge-distribution.js';
import { purgeDocuments } from './lifecycle/purge-documents.js';
import { purgeObjects } from './lifecycle/purge-objects.js';
import type { PurgeSteps } from './lifecycle/purge-places.js';
import { purgeTelemetry } from './lifecycle/purge-telemetry.js';
import { purgeTrtc } from './lifecycle/purge-trtc.js';
import { startLifecycle } from './lifecycle/start-lifecycle.js';
import { putTombstone, readTombstones } from './lifecycle/tombstones.js';
import type { RegistryMetrics } from './metrics.js';
import type { RegistryState } from './open-state.js';
import { endpointsOf } from './sharing/endpoint-settings.js';
import { startOutbox } from './sharing/start-outbox.js';

export type WorkerOptions = {
  readonly state: RegistryState;
  /** undefined: no telemetry store is named. */
  readonly store: ClickHouseClient | undefined;
  readonly findUndistributed: FindUndistributed;
  readonly metrics: RegistryMetrics;
  /** Names this process among the holders of leases. */
  readonly holder: string;
  readonly now: () => number;
  readonly passEveryMs: number | undefined;
};

const HOUR_MS = 3_600_000;

export function startWorkers(
  { config, logger, readiness }: RegistryContext,
  { state, store, findUndistributed, metrics, holder, now, passEveryMs }: WorkerOptions,
): readonly Running[] {
  const { database, objects } = state;
  const common = { database, holder, logger, now };
  return [
    startOutbox({
      ...common,
      endpoints: endpointsOf(config),
      onAttempt: (channel, result) => metrics.outboxAttempts.inc({ channel, result }),
      onBacklog: (channel, { messages, oldestMs }) => {
        metrics.outboxMessages.set({ channel }, messages);
        const ageMs = oldestMs === undefined ? 0 : Math.max(0, now() - oldestMs);
        metrics.outboxOldestSeconds.set({ channel }, ageMs / 1_000);
      },
    }),
    startLifecycle({
      ...common,
      ...(passEveryMs === undefined ? {} : { passEveryMs }),
      steps: purgeSteps(state, store, findUndistributed),
      putTombstone: async (tombstone) => putTombstone(objects, tombstone),
      readTombstones: async () => readTombstones(objects),
      areNoticesDelivered: config.noticeUrl !== '',
      withinMs: config.purgeWithinHours * HOUR_MS,
      auditKeptMs: config.auditKeepDays * 24 * HOUR_MS,
      onPass: ({ completed, late }) => {
        metrics.purgesCompleted.inc(completed);
        metrics.purgesLate.set(late);
        const note = `${late} purges are later than promised: GET /v1/registry/purges names the open places`;
        readiness.note('purges', late === 0 ? undefined : note);
      },
    }),
  ];
}

function purgeSteps(
  { database, documents, objects }: RegistryState,
  store: ClickHouseClient | undefined,
  findUndistributed: FindUndistributed,
): PurgeSteps {
  return {
    distribution: purgeDistribution(database, findUndistributed),
    trtc: purgeTrtc(database),
    documents: purgeDocuments(documents),
    objects: purgeObjects(database, objects),
    telemetry: store === undefined ? async () => ({ kind: 'not_used' }) : purgeTelemetry(store),
  };
}
