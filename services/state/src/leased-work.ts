/* A work that one of several processes does, as long as it holds the lease. */
import { waitUnlessStopping } from '@imscope/runtime/wait-unless-stopping.js';
import type { Database } from './database.js';
import { acquireLease, type Lease, releaseLease, renewLease } from './leases.js';

export type LeasedWork = {
  readonly name: string;
  readonly holder: string;
  /** After a crash another process goes on after this time. It is renewed three times as often. */
  readonly termMs: number;
  readonly now: () => number;
  readonly stopping: AbortSignal;
  /** Ends soon after `signal`, which is aborted when the lease is lost or the process stops. */
  readonly work: (lease: Lease, signal: AbortSignal) => Promise<void>;
  /** Called with what the database or the work throws; the lease is tried for again. */
  readonly onError: (error: unknown) => void;
};

/** Resolves once `stopping` is aborted and the work has ended. */
export async function workWithLease<T>(database: Database<T>, options: LeasedWork): Promise<void> {
  const { name, holder, termMs, now, stopping, onError } = options;
  while (!stopping.aborted) {
    try {
      const lease = await acquireLease(database, { name, holder, termMs, nowMs: now() });
      if (lease !== undefined) await workOnce(database, lease, options);
    } catch (error) {
      onError(error);
    }
    await waitUnlessStopping(termMs / 3, stopping);
  }
}

async function workOnce<T>(
  database: Database<T>,
  lease: Lease,
  { termMs, now, stopping, work, onError }: LeasedWork,
): Promise<void> {
  const lost = new AbortController();
  const ended = new AbortController();
  const renewing = renewUntil(database, lease, {
    termMs,
    now,
    onError,
    ended: ended.signal,
    onLost: () => lost.abort(),
  });
  try {
    await work(lease, AbortSignal.any([stopping, lost.signal]));
  } finally {
    ended.abort();
    await renewing;
    if (!lost.signal.aborted) await releaseLease(database, lease);
  }
}

type Renewing = Pick<LeasedWork, 'termMs' | 'now' | 'onError'> & {
  readonly ended: AbortSignal;
  readonly onLost: () => void;
};

async function renewUntil<T>(
  database: Database<T>,
  lease: Lease,
  { termMs, now, onError, ended, onLost }: Renewing,
): Promise<void> {
  let { expiresMs } = lease;
  for (;;) {
    await waitUnlessStopping(termMs / 3, ended);
    if (ended.aborted) return;
    try {
      const renewed = await renewLease(database, lease, { termMs, nowMs: now() });
      if (renewed === undefined) return onLost();
      ({ expiresMs } = renewed);
    } catch (error) {
      onError(error);
      // The next attempt would come after the end of the term.
      if (now() + termMs / 3 >= expiresMs) return onLost();
    }
  }
}
