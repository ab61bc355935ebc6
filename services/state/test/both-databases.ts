/* Every test of this library runs against both: a SQLite file and a database on the MariaDB of the test run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testMysql } from '../../../scripts/stack/test-databases.js';
import { type Database, type DatabaseOptions, type DialectName, openDatabase } from '../src/database.js';

export type TestDatabase = {
  readonly dialect: DialectName;
  readonly options: DatabaseOptions;
  /** Another handle on the same database, as another process has. Closed after the tests. */
  open<T>(options?: Partial<DatabaseOptions>): Database<T>;
};

const directory = mkdtempSync(join(tmpdir(), 'imscope-state-'));
const closers: (() => Promise<void>)[] = [];
let files = 0;

after(async () => {
  for (const close of closers.toReversed()) await close();
  rmSync(directory, { recursive: true, force: true });
});

export const DIALECTS: readonly DialectName[] = ['sqlite', 'mysql'];

/** A new, empty database. */
export async function emptyDatabase(dialect: DialectName): Promise<TestDatabase> {
  const options = dialect === 'sqlite' ? { url: `sqlite:${newFile()}` } : await newMysql();
  return {
    dialect,
    options,
    open: <T>(more: Partial<DatabaseOptions> = {}) => {
      const opened = openDatabase<T>({ ...options, ...more });
      closers.push(async () => opened.close());
      return opened;
    },
  };
}

export function newFile(): string {
  files++;
  return join(directory, `${files}.db`);
}

async function newMysql(): Promise<DatabaseOptions> {
  const { url, password, drop } = await testMysql('state');
  closers.push(drop);
  return { url, password };
}
