import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { type Generated, sql } from 'kysely';
import { startMariadb } from '../../../scripts/stack/mariadb.js';
import { createTestMysql } from '../../../scripts/stack/test-databases.js';
import { autoId, BOOLEAN, EPOCH_MS, INTEGER, LONG_TEXT, SHARE, text } from '../src/columns.js';
import { type Database, openDatabase } from '../src/database.js';
import { DatabaseUnavailable, isDuplicate, StatementTimeout } from '../src/database-error.js';
import { isDatabaseUrl } from '../src/database-url.js';
import { DIALECTS, emptyDatabase, newFile } from './both-databases.js';

type Item = {
  id: Generated<number>;
  name: string;
  note: string | null;
  at_ms: number;
  share: number;
  is_on: boolean | number;
};
type Tables = { item: Item };

async function withItems(dialect: (typeof DIALECTS)[number]): Promise<Database<Tables>> {
  const database = (await emptyDatabase(dialect)).open<Tables>();
  await database.kysely.schema
    .createTable('item')
    .addColumn('id', INTEGER, autoId)
    .addColumn('name', text(64), (column) => column.notNull().unique())
    .addColumn('note', LONG_TEXT)
    .addColumn('at_ms', EPOCH_MS, (column) => column.notNull())
    .addColumn('share', SHARE, (column) => column.notNull())
    .addColumn('is_on', BOOLEAN, (column) => column.notNull())
    .execute();
  return database;
}

const ITEM = { name: 'a', note: null, at_ms: 1_790_000_000_123, share: 0.1 + 0.2, is_on: true };

for (const dialect of DIALECTS) {
  test(`${dialect}: every column type reads back what was written`, async () => {
    const { kysely } = await withItems(dialect);
    const note = `it's "ä" 🙂 \\ ${'x'.repeat(100_000)}`;
    await kysely
      .insertInto('item')
      .values({ ...ITEM, note })
      .execute();
    await kysely
      .insertInto('item')
      .values({ ...ITEM, name: '3', at_ms: 2 ** 53 - 1, share: 1 })
      .execute();
    const rows = await kysely.selectFrom('item').selectAll().orderBy('id').execute();
    assert.deepEqual(rows, [
      { id: 1, name: 'a', note, at_ms: ITEM.at_ms, share: 0.1 + 0.2, is_on: 1 },
      { id: 2, name: '3', note: null, at_ms: 2 ** 53 - 1, share: 1, is_on: 1 },
    ]);
  });

  test(`${dialect}: an auto-increment id counts up and is told after an insert`, async () => {
    const { kysely } = await withItems(dialect);
    const first = await kysely.insertInto('item').values(ITEM).executeTakeFirstOrThrow();
    await kysely.deleteFrom('item').execute();
    const second = await kysely.insertInto('item').values(ITEM).executeTakeFirstOrThrow();
    assert.deepEqual([first.insertId, second.insertId], [1n, 2n]);
  });

  test(`${dialect}: text compares by bytes`, async () => {
    const { kysely } = await withItems(dialect);
    for (const name of ['a', 'A', 'ä', 'Z', 'z'])
      await kysely
        .insertInto('item')
        .values({ ...ITEM, name })
        .execute();
    const names = await kysely.selectFrom('item').select('name').orderBy('name').execute();
    assert.deepEqual(
      names.map(({ name }) => name),
      ['A', 'Z', 'a', 'z', 'ä'],
    );
    const like = await kysely.selectFrom('item').select('name').where('name', 'like', 'Z%').execute();
    assert.deepEqual(like, [{ name: 'Z' }]);
  });

  test(`${dialect}: an update counts the rows it found, also where it changes nothing`, async () => {
    const { kysely } = await withItems(dialect);
    await kysely.insertInto('item').values(ITEM).execute();
    const { numUpdatedRows } = await kysely
      .updateTable('item')
      .set({ note: null })
      .where('name', '=', 'a')
      .executeTakeFirst();
    assert.equal(numUpdatedRows, 1n);
  });

  test(`${dialect}: a row is written over where its key exists`, async () => {
    const { kysely } = await withItems(dialect);
    for (const note of ['first', 'second'])
      await kysely
        .insertInto('item')
        .values({ ...ITEM, note })
        .onDuplicateKeyUpdate({ note })
        .execute();
    await kysely
      .insertInto('item')
      .ignore()
      .values({ ...ITEM, note: 'third' })
      .execute();
    assert.deepEqual(await kysely.selectFrom('item').select('note').execute(), [{ note: 'second' }]);
  });

  test(`${dialect}: a key that exists is known as such`, async () => {
    const { kysely } = await withItems(dialect);
    await kysely.insertInto('item').values(ITEM).execute();
    await assert.rejects(kysely.insertInto('item').values(ITEM).execute(), isDuplicate);
  });

  test(`${dialect}: rows are selected for update within a transaction`, async () => {
    const { kysely } = await withItems(dialect);
    await kysely.insertInto('item').values(ITEM).execute();
    const rows = await kysely
      .transaction()
      .execute(async (transaction) => transaction.selectFrom('item').select('name').forUpdate().execute());
    assert.deepEqual(rows, [{ name: 'a' }]);
  });

  test(`${dialect}: sums and counts are numbers`, async () => {
    const { kysely } = await withItems(dialect);
    for (const name of ['a', 'b'])
      await kysely
        .insertInto('item')
        .values({ ...ITEM, name, at_ms: 2 })
        .execute();
    const row = await kysely
      .selectFrom('item')
      .select(({ fn }) => [fn.countAll().as('n'), fn.sum('at_ms').as('sum')])
      .executeTakeFirst();
    assert.deepEqual(row, { n: 2, sum: 4 });
  });

  test(`${dialect}: a value that is no value of SQL is refused or null, and never part of the statement`, async () => {
    const { kysely } = await withItems(dialect);
    await kysely.insertInto('item').values(ITEM).execute();
    const hostile: unknown = { name: 1 };
    const rows = await kysely
      .selectFrom('item')
      .select('name')
      .where(sql<boolean>`name = ${hostile}`)
      .execute()
      .catch(() => []);
    assert.deepEqual(rows, []);
  });

  test(`${dialect}: a reader reads while a transaction writes`, async () => {
    const database = await withItems(dialect);
    const reader = database.openReader();
    await database.kysely.transaction().execute(async (transaction) => {
      await transaction.insertInto('item').values(ITEM).execute();
      assert.deepEqual(await reader.kysely.selectFrom('item').select('name').execute(), []);
    });
    assert.equal((await reader.kysely.selectFrom('item').select('name').execute()).length, 1);
    await reader.close();
  });
}

test('sqlite: the file and its companions are readable by their owner only', async () => {
  const file = newFile();
  const database = openDatabase<Tables>({ url: `sqlite:${file}` });
  await sql`create table t (a integer)`.execute(database.kysely);
  for (const name of [file, `${file}-wal`, `${file}-shm`])
    assert.equal(statSync(name).mode & 0o777, 0o600, name);
  await database.close();
});

test('sqlite: text with the character NUL is refused instead of cut off', async () => {
  const { kysely } = (await emptyDatabase('sqlite')).open<Tables>();
  await assert.rejects(sql`select ${'a\0b'}`.execute(kysely), /NUL/);
});

test('sqlite: a file that is no database is named in the error', async () => {
  const database = openDatabase<Tables>({ url: 'sqlite:/proc/version' });
  await assert.rejects(sql`select 1`.execute(database.kysely), /\/proc\/version/);
});

test('mysql: a connection that cannot be made is named with its host, without the password', async () => {
  const { options } = await emptyDatabase('mysql');
  const database = openDatabase<Tables>({ ...options, password: 'not-this-one' });
  const error: unknown = await sql`select 1`.execute(database.kysely).catch((reason: unknown) => reason);
  assert.ok(error instanceof DatabaseUnavailable);
  assert.match(error.message, /imscope@127\.0\.0\.1:\d+\/state_/);
  assert.doesNotMatch(error.message, /not-this-one/);
  await database.close();
});

test('mysql: a connection is made again after the server was away', async (t) => {
  const server = await startMariadb({ dataDir: newFile() });
  t.after(async () => server.stop());
  const database = openDatabase<Tables>(await createTestMysql(server.address, 'away'));
  await sql`select 1`.execute(database.kysely);
  await server.kill();
  await assert.rejects(sql`select 1`.execute(database.kysely));
  await assert.rejects(sql`select 1`.execute(database.kysely), DatabaseUnavailable);
  await server.restart();
  assert.deepEqual((await sql`select 1 as a`.execute(database.kysely)).rows, [{ a: 1 }]);
  await database.close();
});

test('mysql: a statement without an answer ends in time, and the next one has another connection', async () => {
  const database = (await emptyDatabase('mysql')).open<Tables>({
    statementTimeoutMs: 200,
    connectionsMax: 1,
  });
  await assert.rejects(sql`select sleep(30)`.execute(database.kysely), StatementTimeout);
  assert.deepEqual((await sql`select 1 as a`.execute(database.kysely)).rows, [{ a: 1 }]);
});

test('mysql: a server that accepts and says nothing counts as away', async (t) => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const address = silent.address();
  assert.ok(typeof address === 'object' && address !== null);
  silent.on('connection', (socket) => socket.end());
  const database = openDatabase<Tables>({ url: `mysql://u@127.0.0.1:${address.port}/d` });
  await assert.rejects(sql`select 1`.execute(database.kysely), DatabaseUnavailable);
});

test('an address with a password, without a host or of another kind is refused, and not repeated', () => {
  for (const url of [
    'mysql://u:secret-word@h/d',
    'mysql://h/d',
    'postgres://u:secret-word@h/d',
    'sqlite:',
    'x',
  ])
    assert.throws(
      () => openDatabase({ url }),
      (error: Error) => !error.message.includes('secret-word') && /give /.test(error.message),
      url,
    );
  assert.ok(isDatabaseUrl('mysql://u@[::1]:3307/d'));
  assert.ok(isDatabaseUrl('sqlite:relative/file.db'));
});
