/* The registry's tables in both databases, new and empty: an SQLite file, MariaDB. */
import { testMysql } from '@imscope/scripts/stack/test-databases.js';
import { type Database, type DatabaseOptions, openDatabase } from '@imscope/state/database.js';
import { migrate } from '@imscope/state/migrate.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REGISTRY_MIGRATIONS } from '../src/rows/migrations.js';
import type { RegistryTables } from '../src/rows/tables.js';

export type RegistryDatabase = {
  readonly database: Database<RegistryTables>;
  /** For a second process. */
  readonly options: DatabaseOptions;
  /** Closes and removes it. */
  close(): Promise<void>;
};

export const REGISTRY_DATABASES: Readonly<Record<'sqlite' | 'mysql', () => Promise<RegistryDatabase>>> = {
  async sqlite() {
    const directory = await mkdtemp(join(tmpdir(), 'imscope-registry-'));
    const options = { url: `sqlite:${join(directory, 'registry.db')}` };
    return opened(options, () => rm(directory, { recursive: true, force: true }));
  },
  async mysql() {
    const { url, password, drop } = await testMysql('registry');
    return opened({ url, password }, drop);
  },
};

async function opened(options: DatabaseOptions, remove: () => Promise<void>): Promise<RegistryDatabase> {
  const database = openDatabase<RegistryTables>(options);
  await migrate(database, 'registry', REGISTRY_MIGRATIONS);
  return {
    database,
    options,
    async close() {
      await database.close();
      await remove();
    },
  };
}
