/*
 * Opens the one database of a deployment: MySQL in production, one SQLite file on one machine. Both are queried through
 * Kysely's MySQL forms; `sqlite-dialect.ts` says how SQLite reads them.
 */
import { isIP } from 'node:net';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import { Kysely } from 'kysely';
import { createMysqlDialect, type Tls } from './mysql-dialect.js';
import { createSqliteDialect } from './sqlite-dialect.js';
import { parseDatabaseUrl } from './database-url.js';

export type DialectName = 'mysql' | 'sqlite';

export type DatabaseOptions = {
  /** `sqlite:/path/file.db` or `mysql://user@host:3306/database`. A password in it is refused. */
  readonly url: string;
  /** MySQL only. */
  readonly password?: string;
  /** MySQL only: encrypts the connection and checks the server's certificate. */
  readonly tls?: Tls;
  /** Connections of the pool, MySQL only; further work waits for one. Default 10. */
  readonly connectionsMax?: number;
  /** A statement without an answer after this time fails, and its connection is closed. MySQL only. Default 30 s. */
  readonly statementTimeoutMs?: number;
  /** How long a statement waits for another writer, with this process blocked, SQLite only. Default 250 ms. */
  readonly busyTimeoutMs?: number;
};

/** Whatever a library function does not know the tables of. */
export type UntypedTables = Record<string, Record<string, unknown>>;

export type Database<T> = {
  readonly kysely: Kysely<T>;
  readonly dialect: DialectName;
  /** Where the data is, for messages: without a password. */
  readonly place: string;
  /**
   * A second handle on the same data for a long read. On SQLite it is a connection of its own, because a database has
   * only one, which everybody would wait for; on MySQL it is a connection of the same pool. Close it after use.
   */
  openReader(): Database<T>;
  /** Waits for the work in progress. Safe twice. */
  close(): Promise<void>;
};

/** Opens nothing yet: the first statement connects. Throws where the URL is wrong. */
export function openDatabase<T>(options: DatabaseOptions): Database<T> {
  const url = parseDatabaseUrl(options.url);
  if (url.dialect === 'sqlite') {
    const kysely = new Kysely<T>({
      dialect: createSqliteDialect({ file: url.file, busyTimeoutMs: options.busyTimeoutMs ?? 250 }),
    });
    return database(kysely, 'sqlite', url.file, () => openDatabase(options));
  }
  if (options.tls !== undefined && options.tls.verifyHost !== false && isIP(url.host) !== 0)
    throw new SettingsError([
      `the address of the database has no host name, but ${url.host}, which mysql2 cannot find in a certificate: give a name, or check the authority alone`,
    ]);
  const kysely = new Kysely<T>({
    dialect: createMysqlDialect({
      ...url,
      password: options.password,
      tls: options.tls,
      connectionsMax: options.connectionsMax ?? 10,
      statementTimeoutMs: options.statementTimeoutMs ?? 30_000,
    }),
  });
  const opened: Database<T> = database(kysely, 'mysql', url.place, () => ({
    ...opened,
    close: async () => {},
  }));
  return opened;
}

function database<T>(
  kysely: Kysely<T>,
  dialect: DialectName,
  place: string,
  openReader: () => Database<T>,
): Database<T> {
  let closed: Promise<void> | undefined;
  return {
    kysely,
    dialect,
    place,
    openReader,
    close: async () => (closed ??= kysely.destroy()),
  };
}
