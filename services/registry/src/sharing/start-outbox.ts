/* Sends the outbox while this process holds its lease. */
import type { Running } from '@imscope/runtime/service.js';
import type { Logger } from '@imscope/runtime/logger.js';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import { workWithLease } from '@imscope/state/leased-work.js';
import type { LeaseTables } from '@imscope/state/leases.js';
import type { Database } from '@imscope/state/database.js';
import type { RegistryTables } from '../rows/tables.js';
import { type Backlog, type Channel, CHANNELS, readBacklog } from './outbox-channels.js';
import { deliverOutbox, type DeliveryServices } from './deliver-outbox.js';

export type OutboxOptions = Omit<DeliveryServices, 'database' | 'mayGoOn' | 'timeoutMs'> & {
  readonly database: Database<RegistryTables & LeaseTables>;
  /** Names this process among the holders of leases. */
  readonly holder: string;
  readonly logger: Logger;
  /** Every ten seconds: messages of a channel that wait, and since when the oldest does. */
  readonly onBacklog: (channel: Channel, backlog: Backlog) => void;
};

/** How often the messages that wait are counted. */
const COUNT_EVERY_MS = 10_000;
/** How soon after its transaction a message is sent at the latest. */
const POLL_MS = 500;
/** Of one attempt. Below the lease's term, so that no attempt outlives its lease. */
const TIMEOUT_MS = 10_000;
const LEASE_TERM_MS = 30_000;

export function startOutbox({ holder, logger, database, onBacklog, ...options }: OutboxOptions): Running {
  const stopping = new AbortController();
  const ended = workWithLease(database, {
    name: 'registry-outbox',
    holder,
    termMs: LEASE_TERM_MS,
    now: options.now,
    stopping: stopping.signal,
    onError: (error) => logger.error({ err: error }, 'the outbox was not sent; it is tried again'),
    work: async (_lease, signal) => {
      const services = { ...options, database, timeoutMs: TIMEOUT_MS, mayGoOn: () => !signal.aborted };
      let countedMs = Number.NEGATIVE_INFINITY;
      while (!signal.aborted) {
        const isMore = await deliverOutbox(services);
        if (performance.now() - countedMs >= COUNT_EVERY_MS) {
          for (const channel of CHANNELS) onBacklog(channel, await readBacklog(database.kysely, channel));
          countedMs = performance.now();
        }
        await waitUnlessStopping(isMore ? 0 : POLL_MS, signal);
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
