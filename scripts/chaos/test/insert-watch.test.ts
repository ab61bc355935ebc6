/*
 * Tests the watch of inserts with a fake store that answers on request: inserts are answered, ambiguous because store or
 * aggregator ended before the answer, or never begun.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, test } from 'node:test';
import { InsertFates, type InsertWatch, watchInserts } from '../insert-watch.js';

const BODY = 'x'.repeat(100_000);
let store: Server;
let fates: InsertFates;
let watch: InsertWatch;

beforeEach(async () => {
  store = createServer();
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  fates = new InsertFates();
  watch = await watchInserts((store.address() as AddressInfo).port, fates);
});

afterEach(async () => {
  await watch.close();
  store.closeAllConnections();
  store.close();
});

function insert(token: string, signal?: AbortSignal): Promise<Response> {
  const url = `${watch.url}/?query=INSERT&insert_deduplication_token=${token}`;
  return fetch(url, { method: 'POST', body: BODY, ...(signal === undefined ? {} : { signal }) });
}

/** Waits until the store has received the next insert completely. */
async function received(): Promise<{ body: string; response: ServerResponse }> {
  const [request, response] = (await once(store, 'request')) as [IncomingMessage, ServerResponse];
  return { body: await text(request), response };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

test('an answered insert is forwarded unchanged and is not ambiguous', async () => {
  const answer = insert('a');
  const { body, response } = await received();
  assert.equal(body, BODY);
  response.setHeader('x-clickhouse-summary', '{}').end('stored');
  const { status, headers } = await answer;
  assert.deepEqual(
    [status, headers.get('x-clickhouse-summary'), await (await answer).text()],
    [200, '{}', 'stored'],
  );
  assert.equal(fates.ambiguous, 0);
});

test('an insert is ambiguous if the store ends after receiving it, until the same token is answered', async () => {
  const lost = insert('b');
  const { response } = await received();
  response.destroy();
  await assert.rejects(lost);
  assert.equal(fates.ambiguous, 1);
  assert.deepEqual(fates.leftUnknown(), ['b']);
  const again = insert('b');
  (await received()).response.end();
  await (await again).text();
  await until(() => fates.leftUnknown().length === 0);
  assert.deepEqual([fates.ambiguous, fates.repeated], [1, 1]);
});

test('an insert is ambiguous if the aggregator ends before the answer', async () => {
  const gone = new AbortController();
  const next = watch.nextInsert(10_000);
  const lost = insert('c', gone.signal);
  await received();
  assert.equal(await next, true);
  gone.abort();
  await assert.rejects(lost);
  await until(() => fates.ambiguous === 1);
});

test('a refused insert, and one that reaches no store, is not ambiguous', async () => {
  const refused = insert('d');
  const { response } = await received();
  response.writeHead(500, { 'x-clickhouse-exception-code': '241' }).end('too much memory');
  assert.equal((await refused).status, 500);
  store.closeAllConnections();
  store.close();
  await assert.rejects(insert('e'));
  assert.equal(fates.ambiguous, 0);
  assert.deepEqual(fates.leftUnknown(), []);
});
