import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openDatabase } from '@imscope/state/database.js';
import { sql } from 'kysely';
import { createClient } from 'redis';
import { startMariadb } from '../mariadb.js';
import { startRedis } from '../redis.js';
import { createTestMysql, testMysql } from '../test-databases.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-databases-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('a MariaDB that was killed starts again on its address, with its data', async (t) => {
  const server = await startMariadb({ dataDir: join(directory, 'mariadb') });
  t.after(async () => server.stop());
  const place = await createTestMysql(server.address, 'kept');
  const database = openDatabase(place);
  t.after(async () => database.close());
  await sql`create table kept (a int)`.execute(database.kysely);
  await sql`insert into kept values (7)`.execute(database.kysely);
  await server.kill();
  await server.restart();
  const read = async (): Promise<unknown[]> => (await sql`select a from kept`.execute(database.kysely)).rows;
  // The first statement may find the broken connection.
  assert.deepEqual(await read().catch(read), [{ a: 7 }]);
});

test('a Redis that was killed starts again on its address, with its data', async (t) => {
  const server = await startRedis({ dataDir: join(directory, 'redis') });
  t.after(async () => server.stop());
  const write = createClient({ url: `redis://${server.address}` });
  await write.connect();
  await write.set('kept', '7');
  await write.close();
  await server.kill();
  await server.restart();
  const read = createClient({ url: `redis://${server.address}` });
  await read.connect();
  assert.equal(await read.get('kept'), '7');
  await read.close();
});

test('each caller gets an empty database of its own, which it can remove', async () => {
  const [one, other] = [await testMysql('own'), await testMysql('own')];
  assert.notEqual(one.url, other.url);
  const database = openDatabase(one);
  assert.deepEqual(await database.kysely.introspection.getTables(), []);
  await one.drop();
  await other.drop();
  await assert.rejects(sql`create table gone (a int)`.execute(database.kysely));
  await database.close();
});
