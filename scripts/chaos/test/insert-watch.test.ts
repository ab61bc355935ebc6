/*
 * What the watch says of inserts, against a store that answers when it is told to: answered, ambiguous because the store
 * or the aggregator was gone before the answer, and never begun.
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

/** The store has the next insert whole. */
async function received(): Promise<{ body: string; response: ServerResponse }> {
  const [request, response] = (await once(store, 'request')) as [IncomingMessage, ServerResponse];
  return { body: await text(request), response };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

test('an insert that is answered passes as it is, and is not ambiguous', async () => {
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

test('a store that goes away with the whole insert leaves it ambiguous, until the same token is answered', async () => {
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

test('an aggregator that goes away before the answer leaves its insert ambiguous', async () => {
  const gone = new AbortController();
  const next = watch.nextInsert(10_000);
  const lost = insert('c', gone.signal);
  await received();
  assert.equal(await next, true);
  gone.abort();
  await assert.rejects(lost);
  await until(() => fates.ambiguous === 1);
});

test('an insert that a refusal answered, or that found no store, is not ambiguous', async () => {
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
