/* The two forms of a database's address. */

export type DatabaseUrl =
  | { readonly dialect: 'sqlite'; readonly file: string }
  | {
      readonly dialect: 'mysql';
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly database: string;
      /** `user@host:port/database` */
      readonly place: string;
    };

export const DATABASE_URL_ALLOWED =
  'sqlite:/path/file.db or mysql://user@host:3306/database, without a password';

const MYSQL_PORT = 3306;

/** Throws with what is allowed. The message holds no part of the URL that may be a password. */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const file = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(text)?.[1];
  if (file !== undefined) return { dialect: 'sqlite', file };
  if (!text.startsWith('mysql://') || !URL.canParse(text))
    throw new Error(`the address of the database is not one: give ${DATABASE_URL_ALLOWED}`);
  const url = new URL(text);
  if (url.password !== '')
    throw new Error(
      `the address of the database holds a password: remove it, and give it by the setting for the password`,
    );
  const database = decodeURIComponent(url.pathname.slice(1));
  if (url.hostname === '' || url.username === '' || !/^[\w-]+$/.test(database))
    throw new Error(
      `the address of the database lacks user, host or database name: give ${DATABASE_URL_ALLOWED}`,
    );
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? MYSQL_PORT : Number(url.port);
  const user = decodeURIComponent(url.username);
  return {
    dialect: 'mysql',
    host,
    port,
    user,
    database,
    place: `${user}@${url.hostname}:${port}/${database}`,
  };
}

/** For a setting: whether `openDatabase` accepts it. */
export function isDatabaseUrl(text: string): boolean {
  try {
    parseDatabaseUrl(text);
    return true;
  } catch {
    return false;
  }
}
