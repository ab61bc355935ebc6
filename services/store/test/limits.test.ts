import assert from 'node:assert/strict';
import { request } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type RunningStore, answerOf, ask, startStore } from './running-store.js';

const ENDLESS = 'SELECT sum(sipHash64(number)) AS endless FROM numbers(1000000000000)';

const metric = async (store: RunningStore, name: RegExp): Promise<number> => {
  const text = await (await fetch(`${store.adminUrl}/metrics`)).text();
  return Number(new RegExp(`^${name.source} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
};

test('without a free session requests wait in a queue; beyond the queue they get code 202', async (context) => {
  const store = await startStore(context, { READ_SESSIONS_MAX: '1', QUEUE_LENGTH_MAX: '1' });
  const abort = new AbortController();
  const endless = fetch(store.url, { method: 'POST', body: ENDLESS, signal: abort.signal }).catch(
    () => undefined,
  );
  while ((await metric(store, /imscope_store_sessions_busy\{lane="read",service="store"\}/)) === 0);
  const waits = answerOf(store, 'SELECT 1');
  while ((await metric(store, /imscope_store_queue_length\{lane="read",service="store"\}/)) === 0);
  const refused = await ask(store, 'SELECT 1');
  assert.deepEqual([refused.status, refused.code, refused.headers.get('retry-after')], [503, '202', '1']);
  assert.match(refused.text, /TOO_MANY_SIMULTANEOUS_QUERIES/);
  await answerOf(store, 'CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a');
  await answerOf(store, 'INSERT INTO t VALUES (1)');
  abort.abort();
  assert.equal(await waits, '1');
  await endless;
});

test('a client that disconnects leaves the queue', async (context) => {
  const store = await startStore(context, { READ_SESSIONS_MAX: '1', QUEUE_LENGTH_MAX: '1' });
  const [running, waiting] = [new AbortController(), new AbortController()];
  const ask = (sql: string, { signal }: AbortController): Promise<unknown> =>
    fetch(store.url, { method: 'POST', body: sql, signal }).catch(() => undefined);
  const first = ask(ENDLESS, running);
  while ((await metric(store, /imscope_store_sessions_busy\{lane="read",service="store"\}/)) === 0);
  const second = ask('SELECT 1', waiting);
  const line = /imscope_store_queue_length\{lane="read",service="store"\}/;
  while ((await metric(store, line)) === 0);
  waiting.abort();
  while ((await metric(store, line)) > 0);
  running.abort();
  await Promise.all([first, second]);
  assert.equal(await answerOf(store, 'SELECT 2'), '2');
});

test('bodies over the bound get 413, compressed or not, with or without Content-Length', async (context) => {
  const store = await startStore(context, { BODY_BYTES_MAX: '100000', QUERY_BYTES_MAX: '2000' });
  await answerOf(store, 'CREATE TABLE t (a String) ENGINE = MergeTree ORDER BY a');
  const url = `${store.url}/?query=INSERT%20INTO%20t%20FORMAT%20TSV`;
  const large = `${'x'.repeat(999)}\n`.repeat(101);
  const send = async (
    body: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<[number, string | null]> => {
    const response = await fetch(url, { method: 'POST', body, headers });
    await response.text();
    return [response.status, response.headers.get('x-clickhouse-exception-code')];
  };
  assert.deepEqual(await send(large), [413, '307']);
  assert.deepEqual(await send(gzipSync(large), { 'Content-Encoding': 'gzip' }), [413, '307']);
  const chunked = request(url, { method: 'POST' });
  const answered = once(chunked, 'response') as Promise<[{ statusCode?: number; resume(): void }]>;
  chunked.on('error', () => undefined);
  chunked.write(large.slice(0, 60_000));
  chunked.end(large.slice(60_000));
  const [response] = await answered;
  response.resume();
  assert.equal(response.statusCode, 413);
  assert.equal(await answerOf(store, 'SELECT count() FROM t'), '0');
  assert.deepEqual(await send(large.slice(0, 99_000)), [200, null]);

  const long = await ask(store, `SELECT '${'x'.repeat(2000)}'`);
  assert.deepEqual([long.status, long.code], [413, '229']);
  assert.equal((await ask(store, `INSERT INTO t VALUES ('${'x'.repeat(5000)}')`)).status, 200);
  assert.equal(await metric(store, /imscope_store_spool_bytes\{service="store"\}/), 0);
});

test('bodies that together exceed the bound of scratch files get code 241, and leave no file', async (context) => {
  const store = await startStore(context, { SPOOL_BYTES_MAX: '50000' });
  await answerOf(store, 'CREATE TABLE t (a String) ENGINE = MergeTree ORDER BY a');
  const parameters = { query: 'INSERT INTO t FORMAT TSV' };
  const refused = await ask(store, 'x\n'.repeat(30_000), { parameters });
  assert.deepEqual([refused.status, refused.code], [503, '241']);
  assert.equal(await metric(store, /imscope_store_spool_bytes\{service="store"\}/), 0);
  assert.equal((await ask(store, 'x\n'.repeat(20_000), { parameters })).status, 200);
});

test('a held result over its bound gets code 396; a streamed one has no bound', async (context) => {
  const store = await startStore(context, { RESULT_BYTES_MAX: '100000' });
  const sql = 'SELECT number FROM numbers(1000000)';
  const held = await ask(store, sql, { parameters: { wait_end_of_query: '1' } });
  assert.equal(held.code, '396');
  assert.equal((await ask(store, sql)).text.length, 6_888_890);
  assert.equal(await metric(store, /imscope_store_sessions_busy\{lane="read",service="store"\}/), 0);
});

test('a client that reads nothing is disconnected, and its session is free again', async (context) => {
  const store = await startStore(context, { READ_SESSIONS_MAX: '1', READER_STALL_MS: '1000' });
  const stalled = request(store.url, { method: 'POST' });
  const cut = new Promise((resolve) => stalled.once('close', resolve));
  stalled.on('error', () => undefined);
  stalled.on('response', (response) => {
    response.on('error', () => undefined);
    response.pause();
  });
  stalled.end('SELECT number FROM numbers(1000000000)');
  assert.equal(await answerOf(store, 'SELECT 1'), '1');
  stalled.destroy();
  await cut;
});

test('a large body that is refused at its beginning gets its answer', async (context) => {
  const store = await startStore(context);
  const url = `${store.url}/?query=INSERT%20INTO%20t%20FORMAT%20TSV`;
  const noise = Buffer.alloc(8_000_000, 'x');
  for (const headers of [{ 'Content-Encoding': 'gzip' }, { 'Content-Encoding': 'lz4' }]) {
    const response = await fetch(url, { method: 'POST', body: noise, headers });
    assert.match(await response.text(), /^Code: (?:117|89)\. /);
  }
});
