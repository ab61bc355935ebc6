/* Live tails, over a real connection. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashToken } from '@imscope/access/tokens.js';
import { until } from '../../../scripts/pipeline/until.js';
import { openStream, readAll } from './open-stream.js';
import {
  openQuery,
  openStoreAndQuery,
  READ_ALL,
  REQUESTS_FEW,
  writeRegistryFile,
} from './query-under-test.js';
import { assertError } from './read-answer.js';
import { type StoredRow, storedRow } from './stored-row.js';

const APP = 101;
const TAILED_APP = 201;

const { store, query } = await openStoreAndQuery(async () => undefined, { TAILS_MAX: '4' });
await query.app.listen({ host: '127.0.0.1', port: 0 });

const get = (path: string, parameters: Record<string, string> = {}, token = READ_ALL, service = query) =>
  openStream(service, path, parameters, token);

type Event = { readonly event: string; readonly data: Readonly<Record<string, unknown>> };

/** The events of a tail after `open`, one after the other; undefined at its end. */
async function tail(
  path: string,
  parameters: Record<string, string> = {},
  token = READ_ALL,
  service = query,
) {
  const response = await get(path, parameters, token, service);
  assert.equal(response.statusCode, 200);
  assert.match(String(response.headers['content-type']), /^text\/event-stream/);
  const events = eventsOf(response);
  const next = async (): Promise<Event | undefined> => {
    const result = await events.next();
    return result.done === true ? undefined : result.value;
  };
  assert.equal((await next())?.event, 'open');
  return { response, next };
}

async function* eventsOf(response: IncomingMessage): AsyncGenerator<Event> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += String(chunk);
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const found = /^event: (\w+)\ndata: (.*)$/.exec(block);
      if (found?.[1] === undefined || found[2] === undefined) continue;
      yield { event: found[1], data: JSON.parse(found[2]) as Event['data'] };
    }
  }
}

let blocks = 0;

/** Stores rows as an aggregator does: the rows, then the ledger's row. */
async function storeBlock(made: readonly Partial<StoredRow>[], times = 1): Promise<void> {
  blocks += 1;
  const blockId = String(9_223_372_036_854_775_900n + BigInt(blocks));
  const time = Date.now() - 2_000;
  const stored = made.map((row, index) =>
    storedRow({ time, sdk_app_id: TAILED_APP, ...row, block_id: blockId, block_row: index }),
  );
  await store.insert(stored);
  const ledger = {
    cluster: 'test',
    topic: 'im.request-log',
    epoch: 1,
    partition: 0,
    first_offset: blocks,
    last_offset: blocks,
    cut: 'rows',
    rows: stored.length,
    block_ids: [blockId],
    first_appended: Date.now(),
    last_appended: Date.now(),
    first_event: Math.min(...stored.map((row) => row.time)),
    last_event: Math.max(...stored.map((row) => row.time)),
  };
  for (let written = 0; written < times; written++) {
    await store.client.insert({ table: 'block_ledger', values: [ledger], format: 'JSONEachRow' });
  }
}

test('a tail shows what is stored from then on, once, masked and filtered', async () => {
  await storeBlock([{ request_id: 'before' }]);
  const all = await tail(`applications/${TAILED_APP}/tail`);
  const failures = await tail('fleet/tail', { outcome: 'service_error', cause: 'QUEUE' });
  // The ledger's row is written twice, as after a restart of the aggregator.
  await storeBlock(
    [{ request_id: 'a' }, { request_id: 'b', outcome: 'service_error', cause: 'queue full' }],
    2,
  );
  await storeBlock([{ request_id: 'c' }], 2);
  await storeBlock([{ request_id: 'd', outcome: 'service_error', cause: 'queue full', sdk_app_id: 202 }]);
  await storeBlock([{ request_id: 'e' }]);
  const ids = async (events: typeof all, count: number) => {
    const found: unknown[] = [];
    while (found.length < count) found.push((await events.next())?.data['request_id']);
    return found;
  };
  assert.deepEqual(await ids(all, 4), ['a', 'b', 'c', 'e']);
  const first = await failures.next();
  assert.equal(first?.event, 'request');
  assert.equal(first.data['sdk_app_id'], TAILED_APP);
  assert.equal(first.data['exit_ip'], '203.0.113.0/24');
  assert.deepEqual(await ids(failures, 1), ['d']);
});

test('a tail says how many requests exceed its rate', async () => {
  const { next } = await tail(`applications/${TAILED_APP}/tail`, { node: 'gw-many' });
  await storeBlock(
    Array.from({ length: 250 }, (_, index) => ({ node: 'gw-many', request_id: String(index) })),
  );
  const events: Event[] = [];
  while (events.length < 201) {
    const event = await next();
    assert.ok(event !== undefined);
    events.push(event);
  }
  // The newest are shown, oldest of them first.
  assert.deepEqual(
    events.slice(0, 200).map(({ data }) => data['request_id']),
    Array.from({ length: 200 }, (_, index) => String(index + 50)),
  );
  assert.deepEqual(events[200], { event: 'dropped', data: { rate: 50, reader: 0 } });
});

test('a tail of a caller does not show what the caller may not read, and the number of tails is bounded', async () => {
  const few = await tail('fleet/tail', {}, REQUESTS_FEW);
  await tail('fleet/tail', {}, REQUESTS_FEW);
  const refused = await get('fleet/tail', {}, REQUESTS_FEW);
  const body = (await readAll(refused)).toString();
  assertError({ statusCode: refused.statusCode ?? 0, body }, 429, 'too_many_requests');
  await storeBlock([{ request_id: 'foreign' }, { request_id: 'own', sdk_app_id: APP }]);
  assert.equal((await few.next())?.data['request_id'], 'own');
});

test('a tail ends when its token is revoked, and says so', async () => {
  const path = join(store.dir, 'revoked.json');
  const token = { name: 'for a while', sha256: hashToken('revoked-revoked-revoked-1'), scope: 'requests' };
  writeRegistryFile(path, [{ ...token, applications: 'all' }]);
  const service = await openQuery({ ...store.environment, REGISTRY_FILE: path });
  await service.app.listen({ host: '127.0.0.1', port: 0 });
  const { next } = await tail('fleet/tail', {}, 'revoked-revoked-revoked-1', service);
  writeRegistryFile(path, []);
  assert.deepEqual(await next(), { event: 'end', data: { reason: 'token' } });
  assert.equal(await next(), undefined);
  await service.close();
});

test('a tail says where the store did not answer, and goes on', async () => {
  const { next } = await tail(`applications/${TAILED_APP}/tail`, { node: 'gw-gap' });
  await store.client.command({ query: 'RENAME TABLE block_ledger TO block_ledger_away' });
  const gap = await next();
  await store.client.command({ query: 'RENAME TABLE block_ledger_away TO block_ledger' });
  assert.equal(gap?.event, 'gap');
  assert.match(String(gap.data['message']), /^the store did not answer: requests that were stored meanwhile/);
  await storeBlock([{ node: 'gw-gap', request_id: 'after' }]);
  let event = await next();
  while (event?.event === 'gap') event = await next();
  assert.equal(event?.data['request_id'], 'after');
});

async function metricOf(name: string, label: string): Promise<number> {
  const text = await query.registry.getSingleMetricAsString(`imscope_query_${name}`);
  const line = text.split('\n').find((each) => each.includes(label));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const droppedByReader = () => metricOf('tail_dropped_total', 'reason="reader"');
const shownSoFar = () => metricOf('store_rows_read_total', 'question="tail"');

test('a tail of a reader who does not read drops requests, and says how many when it is read again', async () => {
  const { response, next } = await tail(`applications/${TAILED_APP}/tail`, { node: 'gw-slow' });
  response.pause();
  const cause = 'x'.repeat(2_000);
  // The kernel holds some megabytes for a reader; each block is 400 kB.
  while ((await droppedByReader()) === 0) {
    const before = await shownSoFar();
    await storeBlock(Array.from({ length: 200 }, () => ({ node: 'gw-slow', cause })));
    await until('the block is read', async () => (await shownSoFar()) > before);
  }
  const dropped = await droppedByReader();
  let event = await next();
  while (event !== undefined && !(event.event === 'dropped' && Number(event.data['reader']) > 0))
    event = await next();
  assert.ok(Number(event?.data['reader']) >= dropped);
});

test('a tail ends when the service stops, and says so', async () => {
  const { next } = await tail('fleet/tail');
  const closed = query.app.close();
  assert.deepEqual(await next(), { event: 'end', data: { reason: 'stopping' } });
  assert.equal(await next(), undefined);
  await closed;
});
