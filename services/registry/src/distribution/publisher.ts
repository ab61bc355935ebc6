/*
 * Publishes entries to every sink, each at its own pace. Of several registries the holder of the lease publishes. It is
 * woken after a commit of its own process, and looks every half second for changes of others.
 */
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { Logger } from '@imscope/runtime/logger.js';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import type { Database } from '@imscope/state/database.js';
import { workWithLease } from '@imscope/state/leased-work.js';
import type { LeaseTables } from '@imscope/state/leases.js';
import type { RegistryTables } from '../rows/tables.js';
import type { EntrySink } from './entry-sink.js';
import { forgetDeletions } from './forget-deletions.js';
import { SinkFollower, type SinkState } from './sink-follower.js';

export type PublisherOptions = {
  readonly database: Database<RegistryTables & LeaseTables>;
  readonly sinks: readonly EntrySink[];
  readonly logger: Logger;
  /** Names this process at this start. */
  readonly holder: string;
  readonly now?: () => number;
};

export type Publisher = {
  /** Call it after the commit of a change. Does not wait. */
  wake(): void;
  /** Of each sink, as this process saw it last; only the holder of the lease sees it. */
  state(): readonly SinkState[];
  stop(): Promise<void>;
};

const LEASE = 'registry-entries';
const LEASE_TERM_MS = 6_000;
const POLL_MS = 500;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 800;
const FORGET_EVERY_MS = 600_000;

export function startPublisher(options: PublisherOptions): Publisher {
  const { database, sinks, logger, holder, now = Date.now } = options;
  const stopping = new AbortController();
  const events = new EventEmitter();
  // A few listeners a sink, while it fails.
  events.setMaxListeners(10 * (sinks.length + 1));
  const followers = sinks.map(
    (sink) => new SinkFollower({ sink, database, logger, now, newGeneration: randomUUID }),
  );
  const working = workWithLease(database, {
    name: LEASE,
    holder,
    termMs: LEASE_TERM_MS,
    now,
    stopping: stopping.signal,
    work: async (_lease, signal) => {
      const forgetting = forgetEvery({ ...options, now, followers }, signal);
      await Promise.all([forgetting, ...followers.map((follower) => follow(follower, events, signal))]);
    },
    onError: (error) => logger.error({ err: error }, 'entries cannot be published now: it is tried again'),
  });
  return {
    wake: () => void events.emit('change'),
    state: () => followers.map((follower) => follower.state),
    stop: async () => {
      stopping.abort();
      await working;
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  };
}

async function follow(follower: SinkFollower, events: EventEmitter, signal: AbortSignal): Promise<void> {
  follower.begin();
  while (!signal.aborted) {
    // Listens before it reads: a change that is committed meanwhile is not missed.
    const changed = untilChanged(events, signal);
    if (await follower.publishNews(signal)) await changed;
    else await waitUnlessStopping(RETRY_MS_MIN + Math.random() * (RETRY_MS_MAX - RETRY_MS_MIN), signal);
  }
}

async function untilChanged(events: EventEmitter, stopping: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(POLL_MS)]);
  await once(events, 'change', { signal }).catch(() => undefined);
}

async function forgetEvery(
  options: PublisherOptions & { readonly now: () => number; readonly followers: readonly SinkFollower[] },
  signal: AbortSignal,
): Promise<void> {
  const { database, sinks, logger, now, followers } = options;
  const names = sinks.map(({ name }) => name);
  while (!signal.aborted) {
    try {
      const cut = await forgetDeletions(database, names, now());
      for (const follower of followers) follower.forgetUpTo(cut);
    } catch (error) {
      logger.warn({ why: errorMessage(error) }, 'deleted entries are forgotten later');
    }
    await waitUnlessStopping(FORGET_EVERY_MS, signal);
  }
}
