/*
 * The databases that all test files of a run share. A file uses a database, prefix or bucket of its own name.
 * `./scripts/test` starts them (test-run/start-databases.ts) and names them in the environment. A file that is run by
 * hand starts servers of its own where none are named; they end with its process.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '@imscope/state/database.js';
import { sql } from 'kysely';
import { MARIADB_PASSWORD, MARIADB_USER, startMariadb } from './mariadb.js';
import { startMongodb } from './mongodb.js';
import { startRedis } from './redis.js';
import type { Restartable } from './restartable.js';
import { startS3 } from './s3.js';

export type TestMysql = {
  /** For `openDatabase`. */
  readonly url: string;
  readonly password: string;
  /** Removes the database. */
  drop(): Promise<void>;
};

/** A new, empty database on the MariaDB of this run. @param name the test file's, of letters, digits and _ */
export async function testMysql(name: string): Promise<TestMysql> {
  return createTestMysql(await addressOf('IMSCOPE_TEST_MYSQL'), name);
}

/** A new, empty database on the MariaDB at `address`. */
export async function createTestMysql(address: string, name: string): Promise<TestMysql> {
  const database = `${name}_${randomBytes(4).toString('hex')}`;
  const urlOf = (databaseName: string): string => `mysql://${MARIADB_USER}@${address}/${databaseName}`;
  const run = async (statement: string): Promise<void> => {
    const server = openDatabase({ url: urlOf('mysql'), password: MARIADB_PASSWORD });
    try {
      await sql.raw(`${statement} \`${database}\``).execute(server.kysely);
    } finally {
      await server.close();
    }
  };
  await run('create database');
  return {
    url: urlOf(database),
    password: MARIADB_PASSWORD,
    drop: async () => run('drop database if exists'),
  };
}

/** `redis://127.0.0.1:port`, without a password. */
export async function testRedis(): Promise<string> {
  return `redis://${await addressOf('IMSCOPE_TEST_REDIS')}`;
}

/** Of the server of MongoDB's protocol, which is FerretDB: `mongodb://127.0.0.1:port`, without credentials. */
export async function testMongodb(): Promise<string> {
  return addressOf('IMSCOPE_TEST_MONGODB');
}

/** Of the S3 server, with its credentials: `http://access-key:secret-key@127.0.0.1:port` (`readS3Address`). */
export async function testS3(): Promise<string> {
  return addressOf('IMSCOPE_TEST_S3');
}

const STARTS = {
  IMSCOPE_TEST_MYSQL: startMariadb,
  IMSCOPE_TEST_REDIS: startRedis,
  IMSCOPE_TEST_MONGODB: startMongodb,
  IMSCOPE_TEST_S3: startS3,
} as const;
const own = new Map<string, Promise<string>>();

async function addressOf(variable: keyof typeof STARTS): Promise<string> {
  const given = process.env[variable];
  if (given !== undefined && given !== '') return given;
  const address = own.get(variable) ?? startOwn(STARTS[variable]);
  own.set(variable, address);
  return address;
}

type Start = (options: {
  readonly dataDir: string;
  readonly background: boolean;
}) => Promise<Restartable & { readonly address: string }>;

async function startOwn(start: Start): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'imscope-test-database-'));
  const server = await start({ dataDir, background: true });
  process.once('exit', () => {
    process.kill(server.process().pid, 'SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });
  return server.address;
}
