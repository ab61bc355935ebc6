/* The settings of the database, the same in every service that has tables in it. */
import { readFileSync } from 'node:fs';
import { choice, type Config, secret, type Settings, text } from '@imscope/runtime/config.js';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import type { DatabaseOptions } from './database.js';

const DATABASE_URL = {
  pattern: /^(sqlite:.+|mysql:\/\/[^:@\s]+@[^@\s]+\/[\w-]+)$/,
  allowed: 'sqlite:/path/file.db or mysql://user@host:3306/database, without a password',
};

export const DATABASE_SETTINGS = {
  databaseUrl: text({ ...DATABASE_URL, purpose: 'database of the rows' }),
  databasePassword: secret({ default: '', purpose: 'password at the database; not used by SQLite' }),
  databaseTls: choice({
    values: ['off', 'verify_ca', 'verify_identity'],
    default: 'off',
    purpose: 'verify_identity: encrypted, MySQL’s certificate is checked; verify_ca: but not its host name',
  }),
  databaseCaFile: text({
    default: '',
    purpose: 'authorities of MySQL’s certificate in PEM; not set: those that Node.js knows',
  }),
} satisfies Settings;

/** For a service that does without a database where none is set. */
export const OPTIONAL_DATABASE_SETTINGS = {
  ...DATABASE_SETTINGS,
  databaseUrl: text({
    ...DATABASE_URL,
    default: '',
    purpose: 'database of what people set, such as mutes; not set: nothing can be set',
  }),
} satisfies Settings;

export type DatabaseConfig = Config<typeof DATABASE_SETTINGS>;

/** For `openDatabase`. Throws SettingsError where the file cannot be read. */
export function databaseOptions({
  databaseUrl,
  databasePassword,
  databaseTls,
  databaseCaFile,
}: DatabaseConfig): DatabaseOptions {
  const common = { url: databaseUrl, password: databasePassword };
  if (databaseTls === 'off') return common;
  const verifyHost = databaseTls === 'verify_identity';
  return {
    ...common,
    tls: databaseCaFile === '' ? { verifyHost } : { verifyHost, ca: readCa(databaseCaFile) },
  };
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SettingsError([`DATABASE_CA_FILE cannot be read: ${errorMessage(error)}`]);
  }
}
