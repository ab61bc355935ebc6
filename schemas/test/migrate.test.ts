import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Session } from 'chdb';
import { type MigrationStore, migrate, readMigrations } from '../src/migrate.js';

let directory: string;
let session: Session;
let store: MigrationStore;

/** The engine itself, without a server: a migration is statements, whatever carries them. */
function storeOver(engine: Session): MigrationStore {
  return {
    command: async (sql, params = {}) => {
      await engine.queryBindAsync(sql, params);
    },
    select: async (sql) => {
      const text = (await engine.queryAsync(sql, { format: 'JSONEachRow' })).text();
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'imscope-migrate-'));
  session = new Session(path.join(directory, 'data'));
  store = storeOver(session);
});

after(() => {
  session.close();
  rmSync(directory, { recursive: true });
});

async function database(name: string): Promise<void> {
  await store.command(`CREATE DATABASE ${name}`);
  await store.command(`USE ${name}`);
}

function migrationsOf(files: Record<string, string>): URL {
  const folder = mkdtempSync(path.join(directory, 'files-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return pathToFileURL(`${folder}/`);
}

test('all tables and views come into being, a second run finds nothing to do', async () => {
  await database('whole');
  const planned = await migrate(store, { dryRun: true });
  assert.deepEqual(await store.select('SHOW TABLES'), []);
  const taken = await migrate(store, { dryRun: false });
  assert.deepEqual(taken, planned);
  const tables = (await store.select('SHOW TABLES')).map((row) => row['name']);
  for (const table of [
    'request_log',
    'interface_metric',
    'edge_account',
    'block_ledger',
    'request_log_kept',
  ]) {
    assert.ok(tables.includes(table), `${table} is missing`);
  }
  assert.deepEqual(await migrate(store, { dryRun: false }), []);
});

test('a migration that fails half way goes on behind its last good statement', async () => {
  await database('resumed');
  const broken = migrationsOf({
    '0001_two.sql': 'CREATE TABLE a (x Int8) ENGINE = Memory;\nINSERT INTO missing VALUES (1);\n',
  });
  await assert.rejects(migrate(store, { dryRun: false, migrations: readMigrations(broken) }));
  await store.command('CREATE TABLE missing (x Int8) ENGINE = Memory');
  const steps = await migrate(store, { dryRun: false, migrations: readMigrations(broken) });
  assert.deepEqual(
    steps.map(({ statement }) => statement),
    [1],
  );
});

test('a table with rows in it takes cheaper codecs and parts, twice, and keeps every row', async () => {
  await database('with_rows');
  const all = readMigrations();
  const cheaper = all.findIndex(({ id }) => id.startsWith('0007'));
  await migrate(store, { dryRun: false, migrations: all.slice(0, cheaper) });
  const insert = `INSERT INTO request_log (time, sdk_app_id, interface, code, cause, request_id, block_id, block_row)
    SELECT now64(3), number % 7, 'openim/sendmsg', number % 3 = 0 ? NULL : 70001, 'cause', toString(number), 18446744073709551615, number
    FROM numbers(20000)`;
  const content = `SELECT count() AS n, sum(cityHash64(sdk_app_id, ifNull(code, 0), cause, request_id, block_id, block_row)) AS h
    FROM request_log`;
  await store.command(insert);
  const before = await store.select(content);
  await migrate(store, { dryRun: false });
  assert.deepEqual(await store.select(content), before);
  // Cut off before it was booked, a statement runs again.
  for (const sql of all[cheaper]?.statements ?? []) await store.command(sql);
  await store.command(`${insert} SETTINGS materialize_skip_indexes_on_insert = 0`);
  await store.command('OPTIMIZE TABLE request_log FINAL');
  const columns = await store.select(`SELECT name FROM system.columns
    WHERE database = 'with_rows' AND table = 'request_log' AND compression_codec = 'CODEC(LZ4)' ORDER BY name`);
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['cause', 'code', 'http_status', 'outcome', 'sdk_app_id', 'weight'],
  );
  const [plan] =
    await store.select(`SELECT count() AS n, sum(secondary_indices_compressed_bytes > 0) AS indexed
    FROM system.parts WHERE database = 'with_rows' AND table = 'request_log' AND active`);
  assert.equal(
    Number(plan?.['indexed']),
    Number(plan?.['n']),
    'a merge builds the index that inserts left out',
  );
  const [found] = await store.select(`SELECT count() AS n FROM request_log WHERE request_id = '4711'`);
  assert.equal(Number(found?.['n']), 2);
});

test('a file that was applied and then changed is refused, and nothing is applied', async () => {
  await database('changed');
  const first = readMigrations(migrationsOf({ '0001_a.sql': 'CREATE TABLE a (x Int8) ENGINE = Memory;' }));
  await migrate(store, { dryRun: false, migrations: first });
  const second = readMigrations(
    migrationsOf({
      '0001_a.sql': 'CREATE TABLE a (x Int16) ENGINE = Memory;',
      '0002_b.sql': 'CREATE TABLE b (x Int8) ENGINE = Memory;',
    }),
  );
  await assert.rejects(
    migrate(store, { dryRun: false, migrations: second }),
    /0001_a was applied with checksum/,
  );
  assert.equal((await store.select('SHOW TABLES')).length, 2);
});

test('files without a number of their own are refused', () => {
  assert.throws(() => readMigrations(migrationsOf({ 'first.sql': 'SELECT 1' })), /name it NNNN_/);
  assert.throws(
    () => readMigrations(migrationsOf({ '0001_a.sql': 'SELECT 1', '0001_b.sql': 'SELECT 1' })),
    /number of its own/,
  );
});
