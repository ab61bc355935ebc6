/*
 * Does the statements of migrations.
 *
 * SQLite: a statement and its record are one transaction, which also keeps other processes away.
 *
 * MySQL: one connection holds a named lock. A change of a table commits by itself, so it is recorded as begun before,
 * and as done after it. One that was begun and not recorded as done is run again; there the answer "exists already" or
 * "does not exist any more" means done. Rows are written in one transaction with the record.
 */
import { errorMessage } from '@imscope/runtime/error-message.js';
import { sql } from 'kysely';
import type { Database, UntypedTables } from './database.js';
import { isConflict } from './database-error.js';
import type { MigrationStep } from './migrate.js';
import {
  MIGRATION_TABLE,
  type MigrationKysely,
  type MigrationPlan,
  type PendingStatement,
} from './migration-plan.js';
import { transact } from './transact.js';

export type StatementRun = {
  readonly database: Database<UntypedTables>;
  readonly service: string;
  readonly plan: (kysely: MigrationKysely) => Promise<MigrationPlan>;
  readonly now: () => number;
  readonly onStep: (step: MigrationStep) => void | Promise<void>;
};

/** @returns what this process has done itself */
export async function runStatements(run: StatementRun): Promise<PendingStatement[]> {
  return run.database.dialect === 'sqlite' ? runOnSqlite(run) : runOnMysql(run);
}

async function runOnSqlite({
  database,
  service,
  plan,
  now,
  onStep,
}: StatementRun): Promise<PendingStatement[]> {
  const done: PendingStatement[] = [];
  for (;;) {
    const statement = await transact(database, async (transaction) => {
      const [next] = (await plan(transaction)).pending;
      if (next === undefined) return undefined;
      await onStep({ ...next, state: 'next' });
      await execute(transaction, next);
      await onStep({ ...next, state: 'run' });
      await record(transaction, service, next, 'done', now());
      return next;
    });
    if (statement === undefined) return done;
    await onStep({ ...statement, state: 'done' });
    done.push(statement);
  }
}

async function runOnMysql({
  database,
  service,
  plan,
  now,
  onStep,
}: StatementRun): Promise<PendingStatement[]> {
  return database.kysely.connection().execute(async (connection) => {
    await lock(connection, service, database.place);
    try {
      const { pending } = await plan(connection);
      for (const statement of pending) {
        await onStep({ ...statement, state: 'next' });
        if (writesRows(statement)) {
          await connection.transaction().execute(async (transaction) => {
            await execute(transaction, statement);
            await onStep({ ...statement, state: 'run' });
            await record(transaction, service, statement, 'done', now());
          });
        } else {
          if (!statement.begun) await record(connection, service, statement, 'begun', now());
          await onStep({ ...statement, state: 'begun' });
          await changeTable(connection, statement);
          await onStep({ ...statement, state: 'run' });
          await record(connection, service, statement, 'done', now());
        }
        await onStep({ ...statement, state: 'done' });
      }
      return [...pending];
    } finally {
      await unlock(connection, service);
    }
  });
}

const ROW_STATEMENTS = new Set(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode']);

function writesRows({ query }: PendingStatement): boolean {
  return ROW_STATEMENTS.has(query.query.kind);
}

/** What MySQL answers to a change that is in force already. */
const IN_FORCE_NUMBERS = new Set([
  1050, // ER_TABLE_EXISTS_ERROR
  1051, // ER_BAD_TABLE_ERROR, of drop table
  1060, // ER_DUP_FIELDNAME
  1061, // ER_DUP_KEYNAME
  1068, // ER_MULTIPLE_PRI_KEY
  1091, // ER_CANT_DROP_FIELD_OR_KEY
  1826, // ER_FK_DUP_NAME
]);

async function changeTable(connection: MigrationKysely, statement: PendingStatement): Promise<void> {
  try {
    await execute(connection, statement);
  } catch (error) {
    if (!statement.begun || !IN_FORCE_NUMBERS.has(Number(serverNumber(error)))) throw error;
  }
}

/** Conflicts keep their own error, which `transact` tries again. */
async function execute(kysely: MigrationKysely, statement: PendingStatement): Promise<void> {
  try {
    await kysely.executeQuery(statement.query);
  } catch (error) {
    if (isConflict(error)) throw error;
    const { migration, position, statements } = statement;
    throw new Error(
      `migration ${migration} failed at statement ${position + 1} of ${statements}: ${errorMessage(error)}; the statement: ${statement.sql}`,
      { cause: error },
    );
  }
}

function serverNumber(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'errno' in cause ? cause.errno : undefined;
}

async function record(
  kysely: MigrationKysely,
  service: string,
  { migration, position, statements, checksum }: PendingStatement,
  state: 'begun' | 'done',
  nowMs: number,
): Promise<void> {
  await kysely
    .insertInto(MIGRATION_TABLE)
    .values({ service, migration, position, statements, checksum, state, at_ms: nowMs })
    .onDuplicateKeyUpdate({ state, at_ms: nowMs })
    .execute();
}

/** Below the time limit of a statement. */
const LOCK_WAIT_S = 10;
/** Ten minutes. */
const LOCK_WAITS_MAX = 60;

async function lock(connection: MigrationKysely, service: string, place: string): Promise<void> {
  for (let waits = 0; waits < LOCK_WAITS_MAX; waits++) {
    const { rows } = await sql<{
      locked: number | null;
    }>`select get_lock(${lockName(service)}, ${LOCK_WAIT_S})
      as locked`.execute(connection);
    if (rows[0]?.locked === 1) return;
  }
  throw new Error(
    `another process has been migrating ${service} in ${place} for ${(LOCK_WAIT_S * LOCK_WAITS_MAX) / 60} minutes: wait for it, or end it, then try again`,
  );
}

async function unlock(connection: MigrationKysely, service: string): Promise<void> {
  try {
    await sql`select release_lock(${lockName(service)})`.execute(connection);
  } catch {
    // The connection is gone, and its lock with it.
  }
}

/** Names of locks are the server's, not the database's, and have at most 64 characters. */
function lockName(service: string): ReturnType<typeof sql> {
  return sql`sha2(concat(database(), ' migration of ', ${service}), 256)`;
}
