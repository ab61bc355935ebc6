import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createLogger } from '@imscope/runtime/logger.js';
import { createRegistry } from '@imscope/runtime/metrics.js';
import { Type } from 'typebox';
import { type Ask, type AskOptions, createAsk, defineStoreQuery } from '../src/store/ask-store.js';
import { createMetrics } from '../src/metrics.js';
import { createQueryAdmission } from '../src/store/query-admission.js';
import { openQuery, openStore, READ_ALL, type StoreUnderTest } from './query-under-test.js';
import { metricsOf } from './stored-metric.js';
import { storedRow } from './stored-row.js';
import { addressOf, assertError } from './read-answer.js';

let store: StoreUnderTest;

before(async () => {
  store = await openStore();
});
after(async () => {
  await store.close();
});

const TEXT = defineStoreQuery('text', Type.Object({ text: Type.String() }));
const askText = (ask: Ask): Promise<unknown> => ask(TEXT, "SELECT repeat('x', 1000) AS text", {});
const readRows = (ask: Ask, rows: number): Promise<unknown> =>
  ask(TEXT, 'SELECT toString(sum(number)) AS text FROM numbers({rows:UInt32})', { rows });
const askOptions = (): AskOptions => ({
  client: store.client,
  admission: createQueryAdmission({ runningMax: 1, waitingMax: 1, waitMsMax: 60_000 }, () => undefined),
  metrics: createMetrics(createRegistry('query'), {
    storeQueriesInFlight: () => 0,
    storeQueriesWaiting: () => 0,
  }),
  logger: createLogger('query', 'silent'),
  timeoutMs: 60_000,
  memoryBytesMax: 1 << 30,
  rowsReadMax: 1_000_000,
});

const OVERVIEW = {
  url: addressOf('applications/101/overview'),
  headers: { authorization: `Bearer ${READ_ALL}` },
};

test('a store that is away answers 503 with Retry-After', async () => {
  const query = await openQuery({ ...store.environment, STORE_URL: 'http://127.0.0.1:9' });
  const response = await query.app.inject(OVERVIEW);
  assertError(response, 503, 'unavailable');
  assert.equal(response.headers['retry-after'], '5');
  assert.match(await query.registry.metrics(), /refused_total\{reason="store_away",service="query"\} [1-9]/);
  await query.close();
});

test('a store without tables answers 503, and neither names nor SQL of ours get out', async () => {
  const query = await openQuery({ ...store.environment, STORE_DATABASE: 'nothing_here' });
  const response = await query.app.inject(OVERVIEW);
  const message = assertError(response, 503, 'unavailable');
  assert.equal(message, 'the store does not answer: ask again in a few seconds');
  await query.close();
});

test('a question that runs out of time answers 504', async () => {
  // Rows enough for the least time limit, in one application.
  await store.client.command({
    query: `INSERT INTO request_log (time, sdk_app_id, interface, exit_ip, latency_us, code, http_status, outcome, node, region, request_id, block_id, block_row)
SELECT now64(3) - toIntervalMillisecond(number % 3000000), 101, concat('interface/', toString(number % 5000)), '::1', number, number % 100000, 200, 'service_error', 'n', 'r', toString(number), 1, number
FROM numbers(2000000)`,
  });
  const query = await openQuery({ ...store.environment, QUERY_TIMEOUT_MS: '100' });
  const response = await query.app.inject({ ...OVERVIEW, url: addressOf('applications/101/interfaces') });
  assert.match(assertError(response, 504, 'timeout'), /longer than 100 ms: ask for a shorter span/);
  assert.match(await query.registry.metrics(), /refused_total\{reason="timeout",service="query"\} [1-9]/);
  await query.close();
});

test('the results of one answer stay within its bytes together, and each answer has its own', async () => {
  const ask = createAsk(askOptions());
  const bounds = { rowsMax: 10, bytesMax: 3_000 };
  const first = ask.within(bounds);
  await askText(first);
  await askText(first);
  await assert.rejects(askText(first), { code: 'query_too_large' });
  await askText(ask.within(bounds));
});

test('rows are counted against the bound as JSON, in which they are larger than in the store', async () => {
  const few = createAsk(askOptions()).within({ rowsMax: 1_000, bytesMax: 10_000 });
  // As JSON a quote takes two bytes.
  const quotes = (rows: number): Promise<unknown> =>
    few(TEXT, `SELECT repeat('"', 10) AS text FROM numbers({rows:UInt32})`, { rows });
  await quotes(100);
  await assert.rejects(quotes(450), { code: 'query_too_large' });
});

test('the queries of one answer read no more rows than is allowed, together, and each answer has its own', async () => {
  const ask = createAsk(askOptions());
  const bounds = { rowsMax: 1, bytesMax: 10_000 };
  const first = ask.within(bounds);
  await readRows(first, 600_000);
  await assert.rejects(readRows(first, 600_000), {
    code: 'query_too_large',
    message: /^this question would read more than 1000000 rows of the store, the most that are allowed: /,
  });
  await readRows(ask.within(bounds), 600_000);
});

test('no query of an answer can write', async () => {
  const ask = createAsk(askOptions());
  await assert.rejects(ask(TEXT, 'CREATE TABLE written (text String) ENGINE = Memory', {}));
  const exists = await store.client.query({ query: 'EXISTS TABLE written', format: 'JSON' });
  assert.deepEqual((await exists.json()).data, [{ result: 0 }]);
});

test('a full queue of questions refuses callers with 503, and those in it are answered', async () => {
  // A fake store that does not answer before the test releases it.
  const held: (() => void)[] = [];
  let arrived: () => void;
  const twoArrived = new Promise<void>((resolve) => (arrived = resolve));
  const slow = createServer((_request, response) => {
    held.push(() => response.writeHead(500).end('let go'));
    if (held.length === 2) arrived();
  });
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const { port } = slow.address() as AddressInfo;
  const query = await openQuery({
    REGISTRY_FILE: join(store.dir, 'registry.json'),
    STORE_URL: `http://127.0.0.1:${port}`,
    STORE_QUERIES_MAX: '1',
    STORE_QUEUE_MAX: '2',
    // Those in the queue stay there until the end of the test.
    STORE_QUEUE_WAIT_MS_MAX: '60000',
  });
  // The readiness check and the first question occupy the store; two more questions fill the queue.
  const waiting = query.app.inject(OVERVIEW);
  await twoArrived;
  // Of another question: callers with the same one share its look-ups.
  const refused = await query.app.inject({ ...OVERVIEW, url: addressOf('applications/102/requests') });
  assertError(refused, 503, 'unavailable');
  assert.equal(refused.headers['retry-after'], '1');
  const figures = await query.registry.metrics();
  assert.match(figures, /store_queries_in_flight\{service="query"\} 1/);
  assert.match(figures, /store_queries_waiting\{service="query"\} 2/);
  assert.match(figures, /refused_total\{reason="queue_full",service="query"\} [1-9]/);
  slow.on('request', (_request, response) => response.end());
  for (const letGo of held) letGo();
  // The store answered 500, and no caller can mend that.
  assertError(await waiting, 503, 'unavailable');
  slow.closeAllConnections();
  await query.close();
  slow.close();
});

/** How many of these queries the store runs. */
async function running(part: string): Promise<number> {
  const result = await store.client.query({
    query: 'SELECT query FROM system.processes WHERE position(query, {part:String}) > 0',
    query_params: { part },
    format: 'JSON',
  });
  const { data } = await result.json<{ query: string }>();
  return data.filter(({ query }) => !query.includes('system.processes')).length;
}

test('when a caller leaves, the store stops the query of its question', { timeout: 100_000 }, async () => {
  // A row without end: the question would run for the two minutes that it may take. It shares no look-up with others:
  // those go on after a caller has left.
  const metrics = metricsOf([storedRow({ time: Date.now() - 60_000, sdk_app_id: 101 })], []);
  await store.client.insert({ table: 'interface_metric', values: metrics, format: 'JSONEachRow' });
  await store.client.command({
    query: `CREATE OR REPLACE VIEW interface_metric_kept AS
SELECT row.* FROM numbers(1000000000000) AS endless CROSS JOIN (SELECT * FROM interface_metric LIMIT 1) AS row`,
  });
  const query = await openQuery({
    ...store.environment,
    QUERY_TIMEOUT_MS: '120000',
    QUERY_ROWS_READ_MAX: '1000000000000000',
  });
  await query.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = query.app.server.address() as AddressInfo;
  const leaving = new AbortController();
  const asked = fetch(`http://127.0.0.1:${port}${addressOf('applications/101/callbacks')}`, {
    headers: OVERVIEW.headers,
    signal: leaving.signal,
  });
  while ((await running('interface_metric_kept')) === 0);
  leaving.abort();
  await assert.rejects(asked, { name: 'AbortError' });
  while ((await running('interface_metric_kept')) > 0);
  while (!/store_queries_in_flight\{service="query"\} 0/.test(await query.registry.metrics()));
  await query.close();
});
