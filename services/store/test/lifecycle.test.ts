import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'node:http';
import { test } from 'node:test';
import { answerOf, ask, spawnStore, startStore, temporaryDirectory } from './running-store.js';

test('SIGTERM ends with code 0, and the next start finds the data again', async (context) => {
  const STORE_DATA_DIR = temporaryDirectory(context);
  const first = await startStore(context, { STORE_DATA_DIR });
  await answerOf(first, 'CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a');
  await answerOf(first, 'INSERT INTO t VALUES (1), (2)');
  assert.equal(await first.end('SIGTERM'), 0);
  const second = await startStore(context, { STORE_DATA_DIR });
  assert.equal(await answerOf(second, 'SELECT sum(a) FROM t'), '3');
});

test('a stop waits for an insert whose data is still being sent', async (context) => {
  const STORE_DATA_DIR = temporaryDirectory(context);
  const first = await startStore(context, { STORE_DATA_DIR });
  await answerOf(first, 'CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a');
  const sending = request(`${first.url}/?query=INSERT%20INTO%20t%20FORMAT%20TSV`, { method: 'POST' });
  const answered = once(sending, 'response') as Promise<[{ statusCode?: number; resume(): void }]>;
  await new Promise((resolve) => sending.write('1\n', resolve));
  await answerOf(first, 'SELECT 1');
  const ended = once(first.process, 'exit');
  first.process.kill('SIGTERM');
  const stopping = async (): Promise<boolean> =>
    fetch(`${first.adminUrl}/ready`).then(
      (response) => response.status === 503,
      () => true,
    );
  while (!(await stopping()));
  sending.end('2\n');
  const [response] = await answered;
  response.resume();
  assert.equal(response.statusCode, 200);
  assert.deepEqual(await ended, [0, null]);
  const second = await startStore(context, { STORE_DATA_DIR });
  assert.equal(await answerOf(second, 'SELECT sum(a) FROM t'), '3');
});

test('a stop cancels endless reads', async (context) => {
  const store = await startStore(context);
  const endless = ask(store, 'SELECT sum(sipHash64(number)) FROM numbers(1000000000000)');
  const busy = async (): Promise<boolean> =>
    (await (await fetch(`${store.adminUrl}/metrics`)).text()).includes(
      'sessions_busy{lane="read",service="store"} 1',
    );
  while (!(await busy()));
  assert.equal(await store.end('SIGTERM'), 0);
  assert.deepEqual([(await endless).status, (await endless).code], [503, '236']);
});

test('after SIGKILL the next start has every acknowledged row, and removes the scratch files that remain', async (context) => {
  const STORE_DATA_DIR = temporaryDirectory(context);
  const STORE_SPOOL_DIR = join(temporaryDirectory(context), 'spool');
  mkdirSync(STORE_SPOOL_DIR);
  const first = await startStore(context, { STORE_DATA_DIR, STORE_SPOOL_DIR });
  await answerOf(first, 'CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a');
  for (let row = 0; row < 20; row += 1) await answerOf(first, `INSERT INTO t VALUES (${row})`);
  await first.end('SIGKILL');
  const left = (): string[] =>
    readdirSync(STORE_SPOOL_DIR).flatMap((owner) => readdirSync(join(STORE_SPOOL_DIR, owner)));
  assert.equal(left().length, 1);
  const before = left();
  const second = await startStore(context, { STORE_DATA_DIR, STORE_SPOOL_DIR });
  assert.equal(await answerOf(second, 'SELECT count(), sum(a) FROM t'), '20\t190');
  assert.equal(left().length, 1);
  assert.notDeepEqual(left(), before);
  await second.end('SIGTERM');
  assert.deepEqual(left(), []);
});

test('a data directory held by another process is a clear error and exit code 1', async (context) => {
  const holder = await startStore(context);
  const second = spawnStore({ STORE_DATA_DIR: holder.dataDir, LOCK_WAIT_MS: '500' });
  const [code] = await once(second.process, 'exit');
  assert.equal(code, 1);
  assert.match(
    second.log(),
    /cannot be opened\. Most likely another process holds it .* give another STORE_DATA_DIR/,
  );
  assert.equal(await answerOf(holder, 'SELECT 1'), '1');
});

test('settings that leave the store open, or too few threads, are refused at the start', async (context) => {
  const STORE_DATA_DIR = temporaryDirectory(context);
  const failures: [Record<string, string>, RegExp, number][] = [
    [{ STORE_HOST: '0.0.0.0' }, /STORE_PASSWORD is not set/, 1],
    [{ UV_THREADPOOL_SIZE: '4' }, /UV_THREADPOOL_SIZE is 4: 10 sessions take at least 14/, 1],
    [{ READ_SESSIONS_MAX: '0' }, /READ_SESSIONS_MAX is "0"/, 2],
  ];
  for (const [environment, message, expected] of failures) {
    const failed = spawnStore({ STORE_DATA_DIR, ...environment });
    const [code] = await once(failed.process, 'exit');
    assert.match(failed.log(), message);
    assert.equal(code, expected);
  }
});

test('without UV_THREADPOOL_SIZE the process starts itself again with enough threads, and the child ends when its parent is killed', async (context) => {
  const STORE_DATA_DIR = temporaryDirectory(context);
  const first = await startStore(context, { STORE_DATA_DIR, UV_THREADPOOL_SIZE: undefined });
  const sleeping = Array.from({ length: 4 }, () => answerOf(first, 'SELECT sleep(2)'));
  await answerOf(first, 'CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a');
  await Promise.all(sleeping);
  await first.end('SIGKILL');
  const second = await startStore(context, { STORE_DATA_DIR, UV_THREADPOOL_SIZE: undefined });
  assert.equal(await answerOf(second, 'EXISTS TABLE t'), '1');
  assert.equal(await second.end('SIGTERM'), 0);
});

test('/ready reports the engine, /metrics its statements', async (context) => {
  const store = await startStore(context);
  assert.equal((await fetch(`${store.adminUrl}/ready`)).status, 200);
  await answerOf(store, 'CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a');
  await answerOf(store, 'INSERT INTO t VALUES (1), (2)');
  await ask(store, 'selec 1');
  const metrics = await (await fetch(`${store.adminUrl}/metrics`)).text();
  for (const line of [
    'imscope_store_queries_total{kind="command",result="ok",service="store"} 1',
    'imscope_store_queries_total{kind="insert",result="ok",service="store"} 1',
    'imscope_store_queries_total{kind="command",result="refused",service="store"} 1',
    'imscope_store_inserted_rows_total{service="store"} 2',
    'imscope_store_query_seconds_count{service="store",kind="insert"} 1',
  ])
    assert.ok(metrics.includes(line), line);
});
