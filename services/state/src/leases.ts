/*
 * Named leases: of several processes one does a work that must not be done twice at once. A lease ends unless it is
 * renewed; then another process takes it over, with a greater fencing number. `assertLease` in the transaction of a
 * write keeps out a holder that was stopped, slept past its term and does not know it.
 *
 * Times are those of the processes: clocks that differ by more than a third of the term can give a lease to two.
 * Fencing holds even then.
 */
import type { Kysely, Transaction } from 'kysely';
import { EPOCH_MS, INTEGER, text } from './columns.js';
import type { Database } from './database.js';
import type { Migration } from './migrate.js';
import { transact } from './transact.js';

export type LeaseTables = {
  lease: { name: string; holder: string; fencing: number; expires_ms: number };
};

/** The service of `LEASE_MIGRATIONS` for `migrate`: all services of a database share one table of leases. */
export const LEASE_SERVICE = 'state';

export const LEASE_MIGRATIONS: readonly Migration[] = [
  {
    name: '0001-leases',
    statements: ({ schema }) => [
      schema
        .createTable('lease')
        .addColumn('name', text(100), (column) => column.primaryKey())
        .addColumn('holder', text(200), (column) => column.notNull())
        .addColumn('fencing', INTEGER, (column) => column.notNull())
        .addColumn('expires_ms', EPOCH_MS, (column) => column.notNull()),
    ],
  },
];

export type Lease = {
  readonly name: string;
  readonly holder: string;
  /** Greater with every holder. */
  readonly fencing: number;
  readonly expiresMs: number;
};

/** Another process has the lease now. */
export class LeaseLost extends Error {
  constructor({ name, holder, fencing }: Lease) {
    super(`the lease ${name} is no longer that of ${holder} with number ${fencing}: another process has it`);
  }
}

export type LeaseRequest = {
  readonly name: string;
  /** Names one process at one start: a host, its process id and something random. */
  readonly holder: string;
  readonly termMs: number;
  readonly nowMs: number;
};

/** Undefined where another holder's lease has not expired. */
export async function acquireLease<T>(
  database: Database<T>,
  { name, holder, termMs, nowMs }: LeaseRequest,
): Promise<Lease | undefined> {
  const leases = ofLeases(database);
  // Most calls find another holder, and write nothing.
  const seen = await leases.kysely
    .selectFrom('lease')
    .select('expires_ms')
    .where('name', '=', name)
    .executeTakeFirst();
  if (seen !== undefined && seen.expires_ms > nowMs) return undefined;
  return transact(leases, async (transaction) => {
    if (seen === undefined)
      await transaction
        .insertInto('lease')
        .ignore()
        .values({ name, holder: '', fencing: 0, expires_ms: 0 })
        .execute();
    const current = await lockedLease(transaction, name);
    if (current.expires_ms > nowMs) return undefined;
    const lease = { name, holder, fencing: current.fencing + 1, expiresMs: nowMs + termMs };
    await transaction
      .updateTable('lease')
      .set({ holder, fencing: lease.fencing, expires_ms: lease.expiresMs })
      .where('name', '=', name)
      .execute();
    return lease;
  });
}

/** Undefined where another process has taken it over; one that has expired and was not taken is renewed. */
export async function renewLease<T>(
  database: Database<T>,
  lease: Lease,
  { termMs, nowMs }: { readonly termMs: number; readonly nowMs: number },
): Promise<Lease | undefined> {
  const renewed = { ...lease, expiresMs: nowMs + termMs };
  const { numUpdatedRows } = await transact(ofLeases(database), async (transaction) =>
    transaction
      .updateTable('lease')
      .set({ expires_ms: renewed.expiresMs })
      .where('name', '=', lease.name)
      .where('fencing', '=', lease.fencing)
      .where('holder', '=', lease.holder)
      .executeTakeFirstOrThrow(),
  );
  return numUpdatedRows === 1n ? renewed : undefined;
}

/** Ends it now, so that the next one does not wait for its term. Its number stays used. */
export async function releaseLease<T>(database: Database<T>, lease: Lease): Promise<void> {
  await renewLease(database, lease, { termMs: 0, nowMs: 0 });
}

/**
 * In a transaction that writes under a lease: holds the lease until the commit.
 * @throws LeaseLost where it is another's
 */
export async function assertLease<T>(transaction: Transaction<T>, lease: Lease): Promise<void> {
  const current = await lockedLease(transaction as unknown as Transaction<LeaseTables>, lease.name);
  if (current.fencing !== lease.fencing || current.holder !== lease.holder) throw new LeaseLost(lease);
}

async function lockedLease(
  kysely: Kysely<LeaseTables>,
  name: string,
): Promise<{ holder: string; fencing: number; expires_ms: number }> {
  return kysely
    .selectFrom('lease')
    .select(['holder', 'fencing', 'expires_ms'])
    .where('name', '=', name)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

/** Callers know their own tables; `LEASE_MIGRATIONS` has made this one. */
function ofLeases<T>(database: Database<T>): Database<LeaseTables> {
  return database as unknown as Database<LeaseTables>;
}
