/*
 * Deletes what has ended or was cut off, while this process holds the lease of it: exports every minute; certificates'
 * objects and documents that no row names every hour.
 */
import { errorMessage } from '@imscope/runtime/error-message.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Running } from '@imscope/runtime/service.js';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import type { Database } from '@imscope/state/database.js';
import { workWithLease } from '@imscope/state/leased-work.js';
import type { LeaseTables } from '@imscope/state/leases.js';
import type { DocumentStore } from './documents/document-store.js';
import { readVersionsInForce } from './documents/versions-in-force.js';
import { sweepExports } from './exports/sweep-exports.js';
import type { RegistryMetrics } from './metrics.js';
import type { ObjectStore } from './objects/object-store.js';
import type { RegistryTables } from './rows/tables.js';
import { sweepCertificates } from './secrets/sweep-certificates.js';

export type SweepOptions = {
  readonly database: Database<RegistryTables & LeaseTables>;
  readonly documents: Pick<DocumentStore, 'sweepOrphans'>;
  readonly objects: Pick<ObjectStore, 'delete' | 'list' | 'deleteUnfinished'>;
  readonly metrics: Pick<RegistryMetrics, 'swept' | 'sweepFailures'>;
  readonly logger: Logger;
  /** Names this process among the holders of leases. */
  readonly holder: string;
  readonly now: () => number;
  /** Default: a minute. */
  readonly passEveryMs?: number;
};

const PASS_EVERY_MS = 60_000;
const ORPHANS_EVERY_MS = 3_600_000;
/** Every deletion may be done twice, so a lease that is lost in one does no harm. */
const LEASE_TERM_MS = 30_000;

export function startSweeps(options: SweepOptions): Running {
  const { database, holder, logger, now, passEveryMs = PASS_EVERY_MS } = options;
  const stopping = new AbortController();
  const ended = workWithLease(database, {
    name: 'registry-sweeps',
    holder,
    termMs: LEASE_TERM_MS,
    now,
    stopping: stopping.signal,
    onError: (error) => logger.error({ err: error }, 'a sweep failed; it is repeated'),
    work: async (_lease, signal) => {
      let orphansDueMs = 0;
      while (!signal.aborted) {
        const nowMs = now();
        await sweepEnded(options, nowMs);
        if (nowMs >= orphansDueMs) {
          await sweepOrphans(options, nowMs);
          orphansDueMs = nowMs + ORPHANS_EVERY_MS;
        }
        await waitUnlessStopping(passEveryMs, signal);
      }
    },
  });
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

async function sweepEnded({ metrics, logger, ...sweep }: SweepOptions, nowMs: number): Promise<void> {
  const { ended, orphans, unfinished, failures } = await sweepExports(sweep, nowMs);
  metrics.swept.inc({ what: 'ended_export' }, ended);
  metrics.swept.inc({ what: 'export_orphan' }, orphans);
  metrics.swept.inc({ what: 'unfinished_upload' }, unfinished);
  for (const failure of failures) reportFailure({ metrics, logger }, failure);
}

async function sweepOrphans(
  { database, documents, objects, metrics, logger }: SweepOptions,
  nowMs: number,
): Promise<void> {
  const inForce = readVersionsInForce(database.kysely);
  const sweeps = {
    certificate_orphan: () => sweepCertificates(database.kysely, objects, nowMs),
    document_orphan: () => documents.sweepOrphans(inForce, nowMs),
  };
  for (const [what, sweep] of Object.entries(sweeps)) {
    try {
      metrics.swept.inc({ what }, await sweep());
    } catch (error) {
      reportFailure({ metrics, logger }, `${what}: ${errorMessage(error)}`);
    }
  }
}

function reportFailure({ metrics, logger }: Pick<SweepOptions, 'metrics' | 'logger'>, failure: string): void {
  metrics.sweepFailures.inc();
  logger.error({ failure }, 'something that has ended was not deleted; the next pass tries again');
}
