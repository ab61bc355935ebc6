/* Runs the passes over terminated applications while this process holds their lease. */
import type { Logger } from '@imscope/runtime/logger.js';
import type { Running } from '@imscope/runtime/service.js';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import type { Database } from '@imscope/state/database.js';
import { workWithLease } from '@imscope/state/leased-work.js';
import type { LeaseTables } from '@imscope/state/leases.js';
import type { RegistryTables } from '../rows/tables.js';
import { countLatePurges } from './late-purges.js';
import { reapplyTombstones, type Tombstone } from './tombstones.js';
import { type LifecycleServices, type PassResult, runLifecyclePass } from './lifecycle-pass.js';

export type LifecycleOptions = Omit<LifecycleServices, 'database'> & {
  readonly database: Database<RegistryTables & LeaseTables>;
  /** Names this process among the holders of leases. */
  readonly holder: string;
  readonly logger: Logger;
  /** Read when the lease is taken: rows may have come back by a backup of the database’s own. */
  readonly readTombstones: () => Promise<readonly Tombstone[]>;
  readonly onPass: (result: PassResult & { readonly late: number }) => void;
  /** Default: a minute. */
  readonly passEveryMs?: number;
};

const PASS_EVERY_MS = 60_000;
/** Every step of a purge may be done twice, so a lease that is lost in one does no harm. */
const LEASE_TERM_MS = 30_000;

export function startLifecycle(options: LifecycleOptions): Running {
  const {
    holder,
    logger,
    database,
    onPass,
    readTombstones,
    passEveryMs = PASS_EVERY_MS,
    ...services
  } = options;
  const { now, withinMs } = services;
  const stopping = new AbortController();
  const ended = workWithLease(database, {
    name: 'registry-lifecycle',
    holder,
    termMs: LEASE_TERM_MS,
    now,
    stopping: stopping.signal,
    onError: (error) =>
      logger.error({ err: error }, 'a pass over terminated applications failed; it is repeated'),
    work: async (_lease, signal) => {
      const again = await reapplyTombstones(database, await readTombstones(), { nowMs: now(), withinMs });
      if (again.length > 0)
        logger.warn({ sdkAppIds: again }, 'purged applications came back and are purged again');
      while (!signal.aborted) {
        const result = await runLifecyclePass({ ...services, database }, () => !signal.aborted);
        const late = await countLatePurges(database.kysely, { nowMs: now(), withinMs });
        onPass({ ...result, late });
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
