/*
 * A transaction that is done again where another writer or a broken connection ended it before its commit. A commit
 * without an answer is not done again: `CommitOutcomeUnknown` says that it may be in force.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ControlledTransaction, Transaction } from 'kysely';
import type { Database } from './database.js';
import { CommitOutcomeUnknown, isConflict, isConnectionLost } from './database-error.js';

export type TransactOptions = {
  /** How often the work is done at most. Then the last error is thrown. Default 8: about 3 s of waiting. */
  readonly attemptsMax?: number;
  /** No attempt begins after this time: a server that vanished takes 10 s for each. Default 15 s. */
  readonly withinMs?: number;
};

const ATTEMPTS_MAX = 8;
const WITHIN_MS = 15_000;
const WAIT_MS_FIRST = 20;
const WAIT_MS_MAX = 1_000;

/**
 * Runs `work` in one transaction and commits it. `work` may run several times, so it does nothing but read and write
 * through the transaction it is given. What it throws undoes everything and is thrown on.
 * @throws CommitOutcomeUnknown where the connection broke during the commit
 */
export async function transact<T, R>(
  database: Database<T>,
  work: (transaction: Transaction<T>) => Promise<R>,
  { attemptsMax = ATTEMPTS_MAX, withinMs = WITHIN_MS }: TransactOptions = {},
): Promise<R> {
  const endsAt = performance.now() + withinMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(database, work);
    } catch (error) {
      const nextMs = waitMs(attempt);
      const isLast = attempt >= attemptsMax || performance.now() + nextMs > endsAt;
      if (isLast || !isWorthAnotherTry(error)) throw error;
      await delay(nextMs);
    }
  }
}

async function runOnce<T, R>(
  database: Database<T>,
  work: (transaction: Transaction<T>) => Promise<R>,
): Promise<R> {
  const transaction = await database.kysely.startTransaction().execute();
  let result: R;
  try {
    result = await work(transaction);
  } catch (error) {
    await rollBack(transaction);
    throw error;
  }
  try {
    await transaction.commit().execute();
  } catch (error) {
    // Also gives the connection back.
    await rollBack(transaction);
    // A server that answers has undone the transaction: a conflict found late.
    throw isConnectionLost(error) ? new CommitOutcomeUnknown(database.place, error) : error;
  }
  return result;
}

/** A roll-back fails only where the connection is gone, which undoes the transaction too. */
async function rollBack<T>(transaction: ControlledTransaction<T>): Promise<void> {
  try {
    await transaction.rollback().execute();
  } catch {
    // The error that led here is the one to report.
  }
}

function isWorthAnotherTry(error: unknown): boolean {
  return !(error instanceof CommitOutcomeUnknown) && (isConflict(error) || isConnectionLost(error));
}

/** Doubles, with a random half, so that two that met do not meet again. */
function waitMs(attempt: number): number {
  const full = Math.min(WAIT_MS_MAX, WAIT_MS_FIRST * 2 ** (attempt - 1));
  return full / 2 + randomInt(full / 2 + 1);
}
