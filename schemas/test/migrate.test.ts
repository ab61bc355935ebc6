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

/** The engine without a server: migrations are the same statements for both. */
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

test('all tables and views are created, a second run finds nothing to do', async () => {
  await database('complete');
  const planned = await migrate(store, { dryRun: true });
  assert.deepEqual(await store.select('SHOW TABLES'), []);
  const steps = await migrate(store, { dryRun: false });
  assert.deepEqual(steps, planned);
  const tables = (await store.select('SHOW TABLES')).map((row) => row['name']);
  for (const table of [
    'request_log',
    'interface_metric',
    'edge_account',
    'block_ledger',
    'request_log_kept',
    'hour_rollup',
    'hour_rollup_build',
  ]) {
    assert.ok(tables.includes(table), `${table} is missing`);
  }
  assert.deepEqual(await migrate(store, { dryRun: false }), []);
});

test('a migration that failed half way continues after its last good statement', async () => {
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

const INSERT = `INSERT INTO request_log (time, sdk_app_id, interface, code, cause, request_id, block_id, block_row)
  SELECT now64(3) - INTERVAL number SECOND, number % 7, 'openim/sendmsg', number % 3 = 0 ? NULL : 70001, 'cause',
    toString(number), 18446744073709551615, number
  FROM numbers(20000)`;
const CONTENT = `SELECT count() AS n, sum(cityHash64(time, sdk_app_id, ifNull(code, 0), cause, request_id, block_id, block_row)) AS h
  FROM request_log`;

/** Everything before a migration, with rows in it. */
async function preparedBefore(number: string, name: string): Promise<{ index: number; content: unknown }> {
  await database(name);
  const all = readMigrations();
  const index = all.findIndex(({ id }) => id.startsWith(number));
  await migrate(store, { dryRun: false, migrations: all.slice(0, index) });
  await store.command(INSERT);
  return { index, content: await store.select(CONTENT) };
}

test('a table with rows in it gets cheaper codecs and parts, twice, and keeps every row', async () => {
  const { index, content } = await preparedBefore('0007', 'cheaper');
  const upTo = readMigrations().slice(0, index + 1);
  await migrate(store, { dryRun: false, migrations: upTo });
  assert.deepEqual(await store.select(CONTENT), content);
  // A statement that was interrupted before it was recorded runs again.
  for (const sql of upTo[index]?.statements ?? []) await store.command(sql);
  await store.command(`${INSERT} SETTINGS materialize_skip_indexes_on_insert = 0`);
  await store.command('OPTIMIZE TABLE request_log FINAL');
  const columns = await store.select(`SELECT name FROM system.columns
    WHERE database = 'cheaper' AND table = 'request_log' AND compression_codec = 'CODEC(LZ4)' ORDER BY name`);
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['cause', 'code', 'http_status', 'outcome', 'sdk_app_id', 'weight'],
  );
  const [plan] =
    await store.select(`SELECT count() AS n, sum(secondary_indices_compressed_bytes > 0) AS indexed
    FROM system.parts WHERE database = 'cheaper' AND table = 'request_log' AND active`);
  assert.equal(
    Number(plan?.['indexed']),
    Number(plan?.['n']),
    'a merge builds the index that inserts left out',
  );
  const [found] = await store.select(`SELECT count() AS n FROM request_log WHERE request_id = '4711'`);
  assert.equal(Number(found?.['n']), 2);
});

test('a table with rows in it gets a new sorting key, wherever that was interrupted, and keeps every row', async () => {
  const { index, content } = await preparedBefore('0008', 'sorted_again');
  const sorting = readMigrations()[index];
  assert.ok(sorting);
  // Each statement runs and is not recorded: the next run runs it once more.
  for (const sql of sorting.statements) {
    await store.command(sql);
    await store.command(sql);
  }
  assert.deepEqual(await store.select(CONTENT), content);
  await migrate(store, { dryRun: false });
  assert.deepEqual(await store.select(CONTENT), content);
  const tables = (await store.select('SHOW TABLES')).map(({ name }) => String(name));
  assert.deepEqual(
    tables.filter((name) => name.startsWith('request_log')),
    ['request_log', 'request_log_kept'],
  );
  const [table] = await store.select(
    "SELECT sorting_key FROM system.tables WHERE database = 'sorted_again' AND name = 'request_log'",
  );
  assert.equal(table?.['sorting_key'], 'sdk_app_id, toStartOfMinute(time)');
});

test('a span of time of one application is found by the primary key', async () => {
  await database('pruned');
  await migrate(store, { dryRun: false });
  const yesterday = "toDateTime64(toStartOfDay(now('UTC')) - INTERVAL 1 DAY, 3, 'UTC')";
  await store.command(`INSERT INTO request_log (time, sdk_app_id, request_id)
    SELECT ${yesterday} + INTERVAL number MILLISECOND, number % 10, '' FROM numbers(1000000)`);
  const rows = await store.select(`EXPLAIN indexes = 1 SELECT count() FROM request_log
    WHERE sdk_app_id = 3 AND time >= ${yesterday} + INTERVAL 300250 MILLISECOND
      AND time < ${yesterday} + INTERVAL 420750 MILLISECOND`);
  const plan = rows.map((row) => String(row['explain'])).join('\n');
  const [, left, all] = /PrimaryKey[\s\S]*?Granules: (\d+)\/(\d+)/.exec(plan) ?? [];
  // Two minutes of one application in ten: 12,000 rows of a million, in granules of 8,192.
  assert.ok(Number(left) >= 1 && Number(left) <= 4 && Number(all) > 100, plan);
});
