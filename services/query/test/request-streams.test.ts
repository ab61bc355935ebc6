/* Exports and the live tail, over a real connection. */
import assert from 'node:assert/strict';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { hashToken } from '@imscope/access/tokens.js';
import { maskIpAddress, parseIpAddress } from '@imscope/schemas/ip-address.js';
import {
  openQuery,
  openStoreAndQuery,
  READ_ALL,
  READ_FEW,
  REQUESTS_FEW,
  writeRegistryFile,
} from './query-under-test.js';
import { until } from '../../../scripts/pipeline/until.js';
import { addressOf, assertError } from './read-answer.js';
import { seededRows, type StoredRow, storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const TO_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 60 * MINUTE_MS;
const FROM_MS = TO_MS - 60 * MINUTE_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };
const APP = 101;
/** So many rows that they fill every buffer between the store and a caller that does not read. */
const LARGE_APP = 102;
const LARGE_ROWS = 300_000;
const TAILED_APP = 201;

const FORMULAS = [
  '=1+1',
  '+1',
  '-1',
  '@x',
  '\t=1',
  '\r=1',
  "'=1",
  'a=1',
  '',
  'said "no", twice\nthen left',
  '群组',
];
const rows: StoredRow[] = [
  ...seededRows({ seed: 3, count: 400, sdkAppId: APP, fromMs: FROM_MS, toMs: TO_MS }),
  ...FORMULAS.map((cause, index) =>
    storedRow({
      time: FROM_MS + 1,
      sdk_app_id: APP,
      cause,
      code: -5,
      exception: 'Formula',
      request_id: `=${index}`,
      block_id: '7',
      block_row: index,
    }),
  ),
];

const { store, query } = await openStoreAndQuery(
  async (store) => {
    await store.insert(rows);
    await store.client.command({
      query: `INSERT INTO request_log (time, sdk_app_id, interface, exit_ip, cause, request_id, block_row)
        SELECT fromUnixTimestamp64Milli(${FROM_MS} + number % ${TO_MS - FROM_MS}), ${LARGE_APP}, 'openim/sendmsg', toIPv6('::1'),
          hex(sipHash128(number)), hex(sipHash128(number + 1)), number
        FROM numbers(${LARGE_ROWS})`,
    });
  },
  { EXPORTS_MAX: '4', TAILS_MAX: '4' },
);
await query.app.listen({ host: '127.0.0.1', port: 0 });
const open: IncomingMessage[] = [];

afterEach(() => {
  for (const response of open.splice(0)) response.destroy();
});

function get(
  path: string,
  parameters: Record<string, string> = {},
  token = READ_ALL,
  service = query,
): Promise<IncomingMessage> {
  const { port } = service.app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${addressOf(path, parameters)}`;
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      url,
      { headers: { authorization: `Bearer ${token}` }, agent: false },
      (response) => {
        open.push(response);
        resolve(response);
      },
    );
    sent.on('error', reject).end();
  });
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const oldestFirst = rows.toSorted(
  (a, b) => a.time - b.time || Number(BigInt(a.block_id) - BigInt(b.block_id)) || a.block_row - b.block_row,
);

/** A row as NDJSON has it. */
function shown(row: StoredRow) {
  const { block_id: _id, block_row: _row, latency_us, upstream_us, rtt_us, ...rest } = row;
  return {
    ...rest,
    time: new Date(row.time).toISOString(),
    exit_ip: maskIpAddress(parseIpAddress(row.exit_ip) ?? Buffer.alloc(16)),
    latency_ms: latency_us / 1000,
    upstream_ms: upstream_us === null ? null : upstream_us / 1000,
    rtt_ms: rtt_us === null ? null : rtt_us / 1000,
  };
}

test('an export has every request of the window, oldest first, masked, and says how many', async () => {
  const response = await get(`applications/${APP}/export`, { ...WINDOW, format: 'ndjson' });
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['x-imscope-rows'], String(rows.length));
  assert.match(String(response.headers['content-type']), /^application\/x-ndjson/);
  assert.match(
    String(response.headers['content-disposition']),
    /filename="imscope-requests-101-\d{8}T\d+Z\.ndjson"/,
  );
  const lines = (await readAll(response)).toString().trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line): unknown => JSON.parse(line)),
    oldestFirst.map(shown),
  );
});

test('a cell of a CSV that a spreadsheet would take for a formula begins with an apostrophe, numbers are numbers', async () => {
  const response = await get(`applications/${APP}/export`, {
    ...WINDOW,
    exception: 'Formula',
    format: 'csv',
  });
  const [header = [], ...cells] = parseCsv((await readAll(response)).toString());
  const column = (name: string): (string | undefined)[] => cells.map((row) => row[header.indexOf(name)]);
  assert.deepEqual(
    column('cause'),
    FORMULAS.map((cause) => (/^[=+\-@\t\r]/.test(cause) ? `'${cause}` : cause)),
  );
  assert.deepEqual(
    column('request_id'),
    FORMULAS.map((_, index) => `'=${index}`),
  );
  assert.deepEqual(new Set(column('code')), new Set(['-5']));
  assert.deepEqual(new Set(column('exit_ip')), new Set(['203.0.113.0/24']));
  assert.deepEqual(new Set(column('time')), new Set([new Date(FROM_MS + 1).toISOString()]));
});

/** RFC 4180. */
function parseCsv(text: string): string[][] {
  const found: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    if (quoted === undefined && plain === '' && end === '') break;
    found.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '\n') found.push([]);
  }
  return found.slice(0, -1);
}

test('an export as Parquet is a complete file of that format', async () => {
  const response = await get(`applications/${APP}/export`, { ...WINDOW, format: 'parquet' });
  const file = await readAll(response);
  assert.equal(file.subarray(0, 4).toString(), 'PAR1');
  assert.equal(file.subarray(-4).toString(), 'PAR1');
  const footer = file.subarray(-8 - file.readUInt32LE(file.length - 8), -8).toString('latin1');
  for (const name of ['time', 'exit_ip', 'latency_ms', 'outcome', 'weight']) assert.ok(footer.includes(name));
  assert.ok(!footer.includes('block_id'));
});

test('an export is filtered, by addresses in a body only, and is about what the caller may read', async () => {
  const count = async (
    parameters: Record<string, string>,
    path = `applications/${APP}/export`,
    token?: string,
  ) => (await get(path, { ...WINDOW, ...parameters }, token)).headers['x-imscope-rows'];
  const failures = rows.filter((row) => row.outcome === 'service_error');
  assert.equal(await count({ outcome: 'service_error' }), String(failures.length));
  assert.equal(await count({ outcome: 'service_error' }, 'fleet/export'), String(failures.length));
  assert.equal(
    await count({ cause: 'queue' }, 'fleet/export', REQUESTS_FEW),
    await count({ cause: 'queue' }),
  );
  const posted = await query.app.inject({
    method: 'POST',
    url: `/v1/applications/${APP}/export`,
    headers: { authorization: `Bearer ${READ_ALL}` },
    payload: { ...WINDOW, prefix: ['2001:db8:aaaa::/48'], format: 'ndjson' },
  });
  const found = rows.filter((row) => row.exit_ip.startsWith('2001:'));
  assert.equal(posted.body.trimEnd().split('\n').length, found.length);
  const refusals: [path: string, parameters: Record<string, string>, token: string, code: string][] = [
    [`applications/${APP}/export`, {}, READ_FEW, '403 not_allowed'],
    ['applications/103/export', {}, REQUESTS_FEW, '403 not_allowed'],
    [`applications/${APP}/tail`, {}, READ_FEW, '403 not_allowed'],
    ['applications/103/tail', {}, REQUESTS_FEW, '403 not_allowed'],
    [`applications/${APP}/export`, { prefix: '203.0.113.0/24' }, READ_ALL, '400 personal_filter_in_url'],
    [`applications/${APP}/tail`, { exit_ip: '203.0.113.7' }, READ_ALL, '400 personal_filter_in_url'],
    [`applications/${APP}/export`, { format: 'xlsx' }, READ_ALL, '400 invalid_parameter'],
    [`applications/${APP}/tail`, { from: 'now-1h' }, READ_ALL, '400 unknown_parameter'],
  ];
  for (const [path, parameters, token, code] of refusals) {
    const response = await query.app.inject({
      url: addressOf(path, parameters),
      headers: { authorization: `Bearer ${token}` },
    });
    assertError(response, Number(code.slice(0, 3)), code.slice(4));
  }
});

test('an export with more requests than are allowed is refused and not cut', async () => {
  const own = await openQuery({ ...store.environment, EXPORT_ROWS_MAX: String(rows.length - 1) });
  const ask = (filters: Record<string, string>) =>
    own.app.inject({
      url: addressOf(`applications/${APP}/export`, { ...WINDOW, ...filters }),
      headers: { authorization: `Bearer ${READ_ALL}` },
    });
  const message = assertError(await ask({}), 422, 'query_too_large');
  assert.match(message, new RegExp(`has ${rows.length} requests, ${rows.length - 1} are allowed`));
  assert.equal((await ask({ outcome: 'success' })).statusCode, 200);
  await own.close();
});

/** Exports that run in the store. */
async function running(): Promise<number> {
  const result = await store.client.query({
    query: `SELECT count() AS c FROM system.processes WHERE query LIKE '%CSVWithNames%' AND query LIKE '%request_log%' AND query NOT LIKE '%system.processes%'`,
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ c: number }>();
  return Number(row?.c);
}

const largeExport = (service = query) =>
  get(`applications/${LARGE_APP}/export`, { ...WINDOW, format: 'csv' }, READ_ALL, service);

test('an export of a caller who leaves ends in the store', async () => {
  const response = await largeExport();
  assert.equal(response.headers['x-imscope-rows'], String(LARGE_ROWS));
  assert.equal(await running(), 1);
  response.destroy();
  while ((await running()) > 0);
  assert.match(await query.registry.metrics(), /imscope_query_exports_open\{[^}]*\} 0/);
});

test('a caller who does not read is left, and its export ends in the store; a caller who reads gets all', async () => {
  const own = await openQuery({ ...store.environment, EXPORTS_MAX: '4', ANSWER_SEND_MS_MAX: '1500' });
  await own.app.listen({ host: '127.0.0.1', port: 0 });
  const unread = await largeExport(own);
  const read = readAll(await largeExport(own));
  assert.equal((await read).toString().split('\n').length, LARGE_ROWS + 2);
  while ((await running()) > 0);
  await assert.rejects(readAll(unread), /aborted|ECONNRESET/);
  await own.close();
});

test('one caller has half of the exports, and gets another one after it has ended one', async () => {
  const [first] = [await largeExport(), await largeExport()];
  const refused = await largeExport();
  const body = (await readAll(refused)).toString();
  assertError({ statusCode: refused.statusCode ?? 0, body }, 429, 'too_many_requests');
  first?.destroy();
  for (;;) {
    const response = await largeExport();
    if (response.statusCode === 200) break;
    response.resume();
  }
});

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

test('a tail of a reader who does not read drops requests, and says how many when it is read again', async () => {
  const { response, next } = await tail(`applications/${TAILED_APP}/tail`, { node: 'gw-slow' });
  response.pause();
  const valueOf = async (name: string, labels: Readonly<Record<string, string>>): Promise<number> => {
    const text = await query.registry.getSingleMetricAsString(`imscope_query_${name}`);
    const label = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
    const line = text.split('\n').find((each) => label.every((one) => each.includes(one)));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  const droppedByReader = () => valueOf('tail_dropped_total', { reason: 'reader' });
  const shownSoFar = () => valueOf('store_rows_read_total', { question: 'tail' });
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
