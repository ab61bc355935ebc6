/* Exports, over a real connection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskIpAddress, parseIpAddress } from '@imscope/schemas/ip-address.js';
import { openQuery, openStoreAndQuery, READ_ALL, READ_FEW, REQUESTS_FEW } from './query-under-test.js';
import { openStream, readAll } from './open-stream.js';
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
  { EXPORTS_MAX: '4' },
);
await query.app.listen({ host: '127.0.0.1', port: 0 });
const get = (path: string, parameters: Record<string, string> = {}, token = READ_ALL, service = query) =>
  openStream(service, path, parameters, token);

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
