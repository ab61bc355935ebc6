/*
 * Brings the tables of one service to their newest form. A migration is an ordered list of single statements, each
 * recorded when it is done, so that a run that was ended at any point goes on where it was. `migration-run.ts` says how.
 */
import type { Compilable, Kysely } from 'kysely';
import type { Database, DialectName, UntypedTables } from './database.js';
import {
  createMigrationTable,
  type MigrationKysely,
  type PlannedStatement,
  planMigrations,
} from './migration-plan.js';
import { runStatements } from './migration-run.js';

export type Migration = {
  /** Never changed once released, nor its statements: `0001-applications`. Up to 100 characters. */
  readonly name: string;
  /**
   * Statements of the schema builder, inserts, updates and deletes, in order. Only builds: nothing is executed here.
   * The SQL is checked against what was done before, so it depends on nothing but this code and the database's kind.
   */
  readonly statements: (kysely: Kysely<UntypedTables>, dialect: DialectName) => readonly Compilable[];
};

export type MigrateOptions = {
  /** Changes nothing; the answer holds the statements that a run would do. */
  readonly dryRun?: boolean;
  readonly now?: () => number;
  /** What it throws ends the run at that step. For logs and tests. */
  readonly onStep?: (step: MigrationStep) => void | Promise<void>;
};

/** `begun` and `run` are states of a statement that MySQL cannot do in one transaction with its record. */
export type MigrationStep = PlannedStatement & { readonly state: 'next' | 'begun' | 'run' | 'done' };

export type MigrateResult = {
  /** What was done, in order; with `dryRun` what would be done. */
  readonly statements: readonly PlannedStatement[];
  /** Migrations in the database that this version does not know: a newer version did them. */
  readonly unknown: readonly string[];
};

/**
 * Safe to call by several processes at once: one does a statement, the others find it done. Open the database with a
 * `statementTimeoutMs` above what the largest change of a table takes.
 * @throws where a migration that was begun has changed since, or a new one comes before one that was done
 */
export async function migrate<T>(
  database: Database<T>,
  service: string,
  migrations: readonly Migration[],
  { dryRun = false, now = Date.now, onStep = () => {} }: MigrateOptions = {},
): Promise<MigrateResult> {
  // Migrations know tables by name only.
  const untyped = database as unknown as Database<UntypedTables>;
  const plan = async (kysely: MigrationKysely): ReturnType<typeof planMigrations> =>
    planMigrations({ kysely, dialect: untyped.dialect, service, migrations });
  if (!dryRun) await createMigrationTable(untyped.kysely);
  const { pending, unknown } = await plan(untyped.kysely);
  if (dryRun || pending.length === 0) return { statements: pending, unknown };
  return { statements: await runStatements({ database: untyped, service, plan, now, onStep }), unknown };
}
