/* Opens what the registry keeps: rows, documents, objects, secrets. Closed in the reverse order. */
import { type Database, openDatabase } from '@imscope/state/database.js';
import { DATABASE_SETTINGS, type DatabaseConfig, databaseOptions } from '@imscope/state/database-settings.js';
import { LEASE_MIGRATIONS, LEASE_SERVICE, type LeaseTables } from '@imscope/state/leases.js';
import { migrate } from '@imscope/state/migrate.js';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import type { Config } from '@imscope/runtime/config.js';
import { BACKUP_SETTINGS } from './backup/backup-settings.js';
import { assertNotRestoring } from './backup/restore-marker.js';
import { REGISTRY_SETTINGS, type RegistryConfig } from './config.js';
import type { DocumentStore } from './documents/document-store.js';
import { openMongoDocuments } from './documents/mongo-documents.js';
import { createRowDocuments } from './documents/row-documents.js';
import type { FolderObjects } from './objects/folder-objects.js';
import { OBJECT_SETTINGS, openObjects } from './objects/object-settings.js';
import { OBJECT_ROOMS, type ObjectStore } from './objects/object-store.js';
import { REGISTRY_MIGRATIONS } from './rows/migrations.js';
import type { RegistryTables } from './rows/tables.js';
import { exportDaysMax } from './exports/export-settings.js';
import { checkMasterKeys } from './secrets/data-keys.js';
import { CannotOpen } from './secrets/envelope.js';
import { createSecretStore, type Secrets } from './secrets/create-secret-store.js';
import { type MasterKeys, readMasterKeys } from './secrets/master-keys.js';

export type RegistryDatabase = Database<RegistryTables & LeaseTables>;

/** Settings of the places. */
export const PLACE_SETTINGS = {
  ...DATABASE_SETTINGS,
  mongoUrl: REGISTRY_SETTINGS.mongoUrl,
  mongoPassword: REGISTRY_SETTINGS.mongoPassword,
  ...OBJECT_SETTINGS,
  ...BACKUP_SETTINGS,
  exportDays: REGISTRY_SETTINGS.exportDays,
};
export type PlaceConfig = Config<typeof PLACE_SETTINGS>;

export type RegistryPlaces = {
  readonly database: RegistryDatabase;
  readonly documents: DocumentStore;
  readonly objects: ObjectStore | FolderObjects;
  close(): Promise<void>;
};

export type RegistryState = RegistryPlaces & {
  readonly secrets: Secrets;
  /** What could not be checked, one sentence each. */
  readonly notes: readonly string[];
};

/** A change of a large table may take this long. */
const MIGRATION_STATEMENT_MS = 3_600_000;

/** @throws SettingsError where a setting names what cannot be used */
export async function openState(config: RegistryConfig): Promise<RegistryState> {
  const masterKeys = readMasterKeys(config);
  const places = await openPlaces(config);
  try {
    await requireTables(places.database);
    await requireMasterKeys(places.database, masterKeys);
    await assertNotRestoring(places.database);
    const notes = await places.objects.check();
    return { ...places, secrets: createSecretStore(masterKeys, places.objects), notes };
  } catch (error) {
    await places.close();
    throw error;
  }
}

/** Opens the places alone, whatever they hold, also without tables. */
export async function openPlaces(config: PlaceConfig): Promise<RegistryPlaces> {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).toReversed()) await one();
  };
  try {
    const database = openRegistryDatabase(config);
    closers.push(() => database.close());
    const documents = await openDocuments(config, database, closers);
    const objects = await openObjects(config, [
      { room: OBJECT_ROOMS.exports, days: exportDaysMax(config) },
      { room: OBJECT_ROOMS.backups, days: config.backupKeepDays },
    ]);
    closers.push(() => objects.close());
    return { database, documents, objects, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param statementTimeoutMs longest time of a statement; the library's where left out */
export function openRegistryDatabase(config: DatabaseConfig, statementTimeoutMs?: number): RegistryDatabase {
  return openDatabase({
    ...databaseOptions(config),
    ...(statementTimeoutMs === undefined ? {} : { statementTimeoutMs }),
  });
}

/** @returns the statements that were done, or with `dryRun` would be */
export async function migrateTables(config: DatabaseConfig, dryRun: boolean): Promise<readonly string[]> {
  const database = openRegistryDatabase(config, MIGRATION_STATEMENT_MS);
  try {
    const leases = await migrate(database, LEASE_SERVICE, LEASE_MIGRATIONS, { dryRun });
    const own = await migrate(database, 'registry', REGISTRY_MIGRATIONS, { dryRun });
    return [...leases.statements, ...own.statements].map(({ sql }) => sql);
  } finally {
    await database.close();
  }
}

/** The file of one machine is brought up to date by itself. A server's tables are changed by the command, once for all. */
async function requireTables(database: RegistryDatabase): Promise<void> {
  const dryRun = database.dialect === 'mysql';
  const leases = await migrate(database, LEASE_SERVICE, LEASE_MIGRATIONS, { dryRun });
  const own = await migrate(database, 'registry', REGISTRY_MIGRATIONS, { dryRun });
  const open = leases.statements.length + own.statements.length;
  if (dryRun && open > 0) {
    throw new SettingsError([
      `DATABASE_URL names ${database.place}, which lacks ${open} changes of its tables: run the command migrate first`,
    ]);
  }
}

async function openDocuments(
  { mongoUrl, mongoPassword }: PlaceConfig,
  database: RegistryDatabase,
  closers: (() => Promise<void> | void)[],
): Promise<DocumentStore> {
  if (mongoUrl === '') return createRowDocuments(database.kysely);
  const documents = await openMongoDocuments({ url: mongoUrl, password: mongoPassword });
  closers.push(() => documents.close());
  return documents;
}

/** A wrong key would be found at the first secret only. */
async function requireMasterKeys(database: RegistryDatabase, masterKeys: MasterKeys): Promise<void> {
  try {
    await checkMasterKeys(database.kysely, masterKeys);
  } catch (error) {
    throw error instanceof CannotOpen ? new SettingsError([error.message]) : error;
  }
}
