/* Opens the query service's tables in the database of the deployment. Without DATABASE_URL there are none. */
import { type Database, openDatabase } from '@imscope/state/database.js';
import { type DatabaseConfig, databaseOptions } from '@imscope/state/database-settings.js';
import { migrate } from '@imscope/state/migrate.js';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import { QUERY_MIGRATIONS } from './migrations.js';
import type { QueryTables } from './tables.js';

export type QueryDatabase = Database<QueryTables>;

/** A change of a large table may take this long. */
const MIGRATION_STATEMENT_MS = 3_600_000;
const SERVICE = 'query';

/**
 * The file of one machine is brought up to date by itself. A server's tables are changed by the command `migrate`.
 * @returns undefined where no database is set
 * @throws SettingsError where a server lacks changes of the tables
 */
export async function openState(config: DatabaseConfig): Promise<QueryDatabase | undefined> {
  if (config.databaseUrl === '') return undefined;
  const database = openDatabase<QueryTables>(databaseOptions(config));
  try {
    const dryRun = database.dialect === 'mysql';
    const { statements } = await migrate(database, SERVICE, QUERY_MIGRATIONS, { dryRun });
    if (dryRun && statements.length > 0) {
      throw new SettingsError([
        `DATABASE_URL names ${database.place}, which lacks ${statements.length} changes of the query service's tables: run its command migrate first`,
      ]);
    }
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** @returns the statements that were done, or with `dryRun` would be */
export async function migrateState(config: DatabaseConfig, dryRun: boolean): Promise<readonly string[]> {
  const database = openDatabase<QueryTables>({
    ...databaseOptions(config),
    statementTimeoutMs: MIGRATION_STATEMENT_MS,
  });
  try {
    const { statements } = await migrate(database, SERVICE, QUERY_MIGRATIONS, { dryRun });
    return statements.map(({ sql }) => sql);
  } finally {
    await database.close();
  }
}
