/* Removes a service's tables, with the records of their migrations. */
import { sql } from 'kysely';
import type { Database, UntypedTables } from './database.js';
import { createMigrationTable, MIGRATION_TABLE } from './migration-plan.js';

/** Afterwards `migrate` creates them again. If it was interrupted, call it again before anything else. */
export async function dropTables<T>(
  database: Database<T>,
  service: string,
  tables: readonly string[],
): Promise<void> {
  const { kysely } = database as unknown as Database<UntypedTables>;
  for (const table of tables) await kysely.schema.dropTable(table).ifExists().execute();
  await createMigrationTable(kysely);
  await sql`delete from ${sql.table(MIGRATION_TABLE)} where service = ${service}`.execute(kysely);
}

/** Names of the tables there are. */
export async function existingTables<T>({ kysely }: Database<T>): Promise<ReadonlySet<string>> {
  const tables = await kysely.introspection.getTables();
  return new Set(tables.map(({ name }) => name));
}
