import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { answerOf, ask, startStore } from './running-store.js';

// One session a workload, so that each request uses the session of the request before.
const store = await startStore({ after }, { READ_SESSIONS_MAX: '1', WRITE_SESSIONS_MAX: '1' });
await answerOf(store, 'CREATE DATABASE other');
await answerOf(store, 'CREATE TABLE other.here (a UInt8) ENGINE = MergeTree ORDER BY a');

const setting = (name: string, parameters: Record<string, string> = {}): Promise<string> =>
  answerOf(store, `SELECT getSetting('${name}')`, parameters);

test('a setting of one request does not apply to the next', async () => {
  const before = await setting('max_block_size');
  assert.equal(await setting('max_block_size', { max_block_size: '77' }), '77');
  assert.equal(await setting('max_block_size'), before);
  assert.equal(await setting('max_block_size', { max_threads: '1' }), before);
});

test('a setting of a failed request does not apply to the next', async () => {
  const before = await setting('max_block_size');
  for (const sql of ['selec 1', 'SELECT nope', 'SELECT throwIf(1)'])
    assert.notEqual((await ask(store, sql, { parameters: { max_block_size: '78' } })).status, 200);
  const half = { max_block_size: '79', no_such_setting: '1' };
  assert.equal((await ask(store, 'SELECT 1', { parameters: half })).code, '115');
  assert.equal(await setting('max_block_size'), before);
});

test('settings of an insert do not apply to the next insert', async () => {
  await answerOf(
    store,
    'CREATE TABLE d (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100',
  );
  await answerOf(store, 'INSERT INTO d VALUES (1)', { insert_deduplication_token: 'x' });
  await answerOf(store, 'INSERT INTO d VALUES (2)');
  await answerOf(store, 'INSERT INTO d VALUES (3)', { insert_deduplication_token: 'x' });
  assert.equal(await answerOf(store, 'SELECT groupArray(a) FROM (SELECT a FROM d ORDER BY a)'), '[1,2]');
});

test('a query parameter of one request is unknown in the next', async () => {
  assert.equal(await answerOf(store, 'SELECT {x:String}', { param_x: 'mine' }), 'mine');
  assert.equal((await ask(store, 'SELECT {x:String}')).code, '456');
});

test('a database of one request is not the database of the next', async () => {
  assert.equal(await answerOf(store, 'SELECT currentDatabase()', { database: 'other' }), 'other');
  assert.equal(await answerOf(store, 'SELECT currentDatabase()'), 'default');
  assert.equal(await answerOf(store, 'EXISTS TABLE here', { database: 'other' }), '1');
  assert.equal(await answerOf(store, 'EXISTS TABLE here'), '0');
  assert.equal((await ask(store, 'SELECT 1', { parameters: { database: 'no`where' } })).code, '81');
  assert.equal(await answerOf(store, 'SELECT currentDatabase()'), 'default');
});

test('SET, USE and temporary tables have no effect on the next request', async () => {
  const before = await setting('max_block_size');
  for (const sql of ['SET max_block_size = 80', 'USE other', 'CREATE TEMPORARY TABLE gone (a UInt8)'])
    await answerOf(store, sql);
  assert.equal(await setting('max_block_size'), before);
  assert.equal(await answerOf(store, 'SELECT currentDatabase()'), 'default');
  assert.equal((await ask(store, 'SELECT * FROM gone')).code, '60');
});

test('a KILL that is too late for one read does not stop the next read of its session', async () => {
  const reads = "position(query, concat('INTO ', 'OUTFILE')) > 0";
  const gone = await answerOf(
    store,
    `SELECT extract(query, 'read-[^.]*[.]pipe') FROM system.processes WHERE ${reads}`,
  );
  assert.match(gone, /^read-0-\d+\.pipe$/);
  const abort = new AbortController();
  const running = fetch(store.url, {
    method: 'POST',
    body: 'SELECT sum(sipHash64(number)) AS next FROM numbers(1000000000000)',
    signal: abort.signal,
  }).catch(() => undefined);
  // TEST lists what a KILL would stop, and needs no session for reads.
  const kill = (part: string): Promise<string> =>
    answerOf(store, `KILL QUERY WHERE position(query, '${part}') > 0 AND ${reads} TEST`);
  try {
    while (!(await kill('AS next')).includes('AS next'));
    assert.equal(await kill(gone), '');
  } finally {
    abort.abort();
    await running;
  }
});

test('concurrent requests with different settings each use their own', async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => [
      index,
      await setting('max_block_size', { max_block_size: String(1000 + index) }),
    ]),
  );
  for (const [index, seen] of answers) assert.equal(seen, String(1000 + Number(index)));
});

test('the right to read files ends with the insert that needed it', async () => {
  await answerOf(store, 'CREATE TABLE from_input (a String) ENGINE = MergeTree ORDER BY a');
  await answerOf(store, "INSERT INTO from_input SELECT a FROM input('a String') FORMAT TSV\nx\n");
  const copy = await ask(store, 'INSERT INTO from_input SELECT * FROM default."/etc/hostname"');
  assert.equal(copy.code, '497');
});
