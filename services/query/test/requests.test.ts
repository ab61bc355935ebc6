import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestContext } from '@imscope/schemas/query-api/request-context.js';
import { FleetRequestPage, RequestPage, type RequestRow } from '@imscope/schemas/query-api/requests.js';
import { decodePlace } from '../src/figures/row-place.js';
import { FEW, openStoreAndQuery, READ_ALL, REQUESTS_FEW } from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';
import { assertFigures, groupRows, sumWeights } from './recompute.js';
import { seededRows, type StoredRow, storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const TO_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 60 * MINUTE_MS;
const FROM_MS = TO_MS - 240 * MINUTE_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };
const APP = 101;
const PATH = `applications/${APP}/requests`;

const spread = seededRows({ seed: 7, count: 1_500, sdkAppId: APP, fromMs: FROM_MS, toMs: TO_MS }).map(
  (row, index) => ({
    ...row,
    rtt_us: index % 3 === 0 ? null : index * 100,
    cause: row.cause === 'no route' ? '群组 no route' : row.cause,
  }),
);
/** All in one millisecond, over several blocks: only block and row distinguish them. */
const crowd = Array.from({ length: 300 }, (_, index) =>
  storedRow({
    time: FROM_MS + 100 * MINUTE_MS,
    sdk_app_id: APP,
    request_id: `crowd-${index}`,
    block_id: String(9_223_372_036_854_775_800n + BigInt(index % 20)),
    block_row: index,
  }),
);
const rows: StoredRow[] = [...spread, ...crowd];
/** Of applications that the token for a few may read, and may not. */
const elsewhere = [102, 103].flatMap((sdkAppId) =>
  seededRows({ seed: sdkAppId, count: 300, sdkAppId, fromMs: FROM_MS + sdkAppId, toMs: TO_MS }).map(
    (row) => ({
      ...row,
      request_id: `/${row.request_id}`,
    }),
  ),
);
const newestFirst = [...rows].toSorted(
  (a, b) =>
    b.time - a.time ||
    Number(BigInt(b.block_id) > BigInt(a.block_id)) - Number(BigInt(b.block_id) < BigInt(a.block_id)) ||
    b.block_row - a.block_row,
);

const { store, query } = await openStoreAndQuery(async (store) => {
  await store.insert([...rows, ...elsewhere]);
});

/** All pages of a question, one after the other; `between` runs after each page. */
async function readPages(
  filters: Record<string, string | string[]>,
  between: (page: number) => Promise<void> = () => Promise.resolve(),
): Promise<{ rows: RequestRow[]; pages: number[]; windows: Set<string> }> {
  const read: RequestRow[] = [];
  const pages: number[] = [];
  const windows = new Set<string>();
  let cursor: string | null = null;
  do {
    const asked: Record<string, string | string[]> = cursor === null ? filters : { ...filters, cursor };
    const { data, window } = await readAnswer(query.app, RequestPage, PATH, asked);
    read.push(...data.requests);
    pages.push(data.requests.length);
    windows.add(JSON.stringify(window));
    cursor = data.next_cursor;
    await between(pages.length);
  } while (cursor !== null);
  return { rows: read, pages, windows };
}

test('pages run newest first over every row exactly once while new rows arrive, in a window that stays', async () => {
  const filters = { from: 'now-6h', limit: '290' };
  let arrived = 0;
  const result = await readPages(filters, async (page) => {
    // Newer than all there is, so they sort before the first page.
    const fresh = storedRow({ time: Date.now() - 1, sdk_app_id: APP, request_id: `fresh-${page}` });
    await store.insert([fresh]);
    arrived++;
  });
  assert.deepEqual(
    result.rows.map((row) => row.request_id),
    newestFirst.map((row) => row.request_id),
  );
  assert.equal(result.pages.length, Math.ceil(rows.length / 290));
  assert.equal(arrived, result.pages.length);
  assert.equal(result.windows.size, 1);
});

test('a last page that is full has no cursor after it', async () => {
  const result = await readPages({ ...WINDOW, request_id: 'crowd-5', limit: '1' });
  assert.deepEqual(result.pages, [1]);
});

test('a row carries every field as it was stored, durations in milliseconds, the address masked', async () => {
  const [newest] = newestFirst;
  assert.ok(newest !== undefined);
  const { data } = await readAnswer(query.app, RequestPage, PATH, { ...WINDOW, limit: '1' });
  const place = data.requests[0]?.place ?? '';
  const { time: timeMs, block_id: blockId, block_row: blockRow } = newest;
  assert.deepEqual(decodePlace(place), { timeMs, blockId, blockRow });
  assert.deepEqual(data.requests, [
    {
      time: new Date(newest.time).toISOString(),
      interface: newest.interface,
      exit_ip: masked(newest.exit_ip),
      latency_ms: newest.latency_us / 1000,
      upstream_ms: newest.upstream_us === null ? null : newest.upstream_us / 1000,
      rtt_ms: newest.rtt_us === null ? null : newest.rtt_us / 1000,
      code: newest.code,
      http_status: newest.http_status,
      outcome: newest.outcome,
      exception: newest.exception,
      cause: newest.cause,
      node: newest.node,
      region: newest.region,
      platform: newest.platform,
      sdk_version: newest.sdk_version,
      request_id: newest.request_id,
      weight: newest.weight,
      place,
      links: [],
    },
  ]);
});

function masked(address: string): string {
  const known: Record<string, string> = {
    '::ffff:203.0.113.7': '203.0.113.0/24',
    '::ffff:198.51.100.200': '198.51.100.0/24',
    '2001:db8:aaaa:bbbb::1': '2001:db8:aaaa::/48',
  };
  return known[address] ?? `no mask known for ${address}`;
}

test('addresses are masked to /24 and /48, whatever kind they are', async () => {
  const cases: [address: string, masked: string][] = [
    ['::ffff:1.2.3.4', '1.2.3.0/24'],
    ['::ffff:255.255.255.255', '255.255.255.0/24'],
    ['::ffff:0.0.0.1', '0.0.0.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2400:cb00:ffff:ffff::', '2400:cb00:ffff::/48'],
    ['fe80::1234', 'fe80::/48'],
    ['::1', '::/48'],
    // Resembles a mapped address but is not one.
    ['::ffff:0:102:304', '::/48'],
  ];
  const time = FROM_MS + MINUTE_MS;
  await store.insert(
    cases.map(([exit_ip], index) =>
      storedRow({ time, sdk_app_id: 300, exit_ip, request_id: `ip-${index}`, block_row: index }),
    ),
  );
  const { data } = await readAnswer(query.app, RequestPage, 'applications/300/requests', WINDOW);
  assert.deepEqual(
    Object.fromEntries(data.requests.map((row) => [row.request_id, row.exit_ip])),
    Object.fromEntries(cases.map(([, shown], index) => [`ip-${index}`, shown])),
  );
});

test('requests are found by exception, id, durations, status, cause and the common filters', async () => {
  const slowUs = 1_000_500;
  const cases: { filter: Record<string, string | string[]>; keeps: (row: StoredRow) => boolean }[] = [
    {
      filter: { exception: ['UpstreamTimeout', 'BadGateway'] },
      keeps: (row) => row.exception === 'UpstreamTimeout' || row.exception === 'BadGateway',
    },
    { filter: { request_id: '101-7-42' }, keeps: (row) => row.request_id === '101-7-42' },
    { filter: { latency_ms_min: '1000.5' }, keeps: (row) => row.latency_us >= slowUs },
    {
      filter: { latency_ms_min: '10', latency_ms_max: '100.5' },
      keeps: (row) => row.latency_us >= 10_000 && row.latency_us <= 100_500,
    },
    { filter: { upstream_ms_min: '9' }, keeps: (row) => (row.upstream_us ?? 0) >= 9_000 },
    { filter: { rtt_ms_min: '70' }, keeps: (row) => (row.rtt_us ?? 0) >= 70_000 },
    {
      filter: { http_status: ['502', '504'] },
      keeps: (row) => row.http_status === 502 || row.http_status === 504,
    },
    // The address data are not loaded here: no provider is known.
    { filter: { isp: '', request_id: '101-7-43' }, keeps: (row) => row.request_id === '101-7-43' },
    { filter: { cause: 'TIMED' }, keeps: (row) => row.cause === 'upstream timed out' },
    { filter: { cause: '群组' }, keeps: (row) => row.cause.includes('群组') },
    {
      filter: { code: 'none', outcome: 'unknown', region: 'south' },
      keeps: (row) => row.code === null && row.outcome === 'unknown' && row.region === 'south',
    },
  ];
  for (const { filter, keeps } of cases) {
    const { rows: found } = await readPages({ ...WINDOW, ...filter, limit: '50' });
    const expected = newestFirst.filter(keeps).map((row) => row.request_id);
    assert.ok(expected.length > 0);
    assert.deepEqual(
      found.map((row) => row.request_id),
      expected,
    );
  }
});

test('the fleet is searched in the scope of the caller, newest first over all pages, by any of the filters', async () => {
  const filter = { ...WINDOW, outcome: 'service_error', cause: 'queue', limit: '7' };
  for (const [token, isReadable] of [
    [READ_ALL, () => true],
    [REQUESTS_FEW, (row: StoredRow) => FEW.includes(row.sdk_app_id)],
  ] as const) {
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const asked: Record<string, string> = cursor === null ? filter : { ...filter, cursor };
      const { data } = await readAnswer(query.app, FleetRequestPage, 'fleet/requests', asked, token);
      found.push(...data.requests.map((row) => `${row.sdk_app_id} ${row.request_id} ${row.name}`));
      cursor = data.next_cursor;
    } while (cursor !== null);
    const expected = [...rows, ...elsewhere]
      .filter((row) => row.outcome === 'service_error' && row.cause.includes('queue') && isReadable(row))
      .toSorted((a, b) => b.time - a.time || Number(BigInt(b.block_id) - BigInt(a.block_id)));
    assert.ok(expected.some((row) => row.sdk_app_id !== APP));
    assert.deepEqual(
      found,
      expected.map((row) => `${row.sdk_app_id} ${row.request_id} `),
    );
  }
});

async function findById(row: StoredRow, token: string) {
  const path = `requests/${encodeURIComponent(row.request_id)}`;
  const { data } = await readAnswer(query.app, FleetRequestPage, path, {}, token);
  return data.requests.map((one) => [one.sdk_app_id, one.request_id]);
}

test('a request is found by its id alone, in the scope of the caller', async () => {
  const [first, second] = [elsewhere[5], elsewhere.find((row) => !FEW.includes(row.sdk_app_id))];
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual(await findById(first, REQUESTS_FEW), [[first.sdk_app_id, first.request_id]]);
  assert.deepEqual(await findById(second, READ_ALL), [[second.sdk_app_id, second.request_id]]);
  assert.deepEqual(await findById(second, REQUESTS_FEW), []);
});

function post(body: object) {
  return query.app.inject({
    method: 'POST',
    url: `/v1/${PATH}`,
    headers: { authorization: `Bearer ${READ_ALL}` },
    payload: { ...WINDOW, limit: 200, ...body },
  });
}

test('pages of a search by prefix are posted, and their cursor does not depend on the prefix', async () => {
  const prefix = ['198.51.100.0/24'];
  const first = (await post({ prefix })).json<{ data: RequestPage }>().data;
  assert.ok(first.next_cursor !== null);
  const ids = [...first.requests];
  let cursor: string | null = first.next_cursor;
  while (cursor !== null) {
    const page: RequestPage = (await post({ prefix, cursor })).json<{ data: RequestPage }>().data;
    ids.push(...page.requests);
    cursor = page.next_cursor;
  }
  assert.deepEqual(
    ids.map((row) => row.request_id),
    newestFirst.filter((row) => row.exit_ip === '::ffff:198.51.100.200').map((row) => row.request_id),
  );
  const other = await post({ prefix: ['203.0.113.0/24'], cursor: first.next_cursor });
  assert.equal(other.statusCode, 200, other.body);
  assertError(await post({ cursor: first.next_cursor }), 400, 'invalid_parameter');
});

test('a cursor that was altered, belongs to another question or application, or is none, is refused', async () => {
  const { data } = await readAnswer(query.app, RequestPage, PATH, { ...WINDOW, limit: '10' });
  const cursor = data.next_cursor ?? '';
  assert.notEqual(cursor, '');
  const altered = `${cursor.slice(0, 20)}${cursor[20] === 'A' ? 'B' : 'A'}${cursor.slice(21)}`;
  const asked: [path: string, filters: Record<string, string>][] = [
    [PATH, { cursor: altered }],
    [PATH, { cursor: `${cursor}A` }],
    [PATH, { cursor: 'nonsense' }],
    [PATH, { cursor, node: 'gw-1' }],
    ['applications/102/requests', { cursor }],
  ];
  for (const [path, filters] of asked) {
    const response = await query.app.inject({
      url: addressOf(path, filters),
      headers: { authorization: `Bearer ${READ_ALL}` },
    });
    assertError(response, 400, 'invalid_parameter');
  }
});

const ALIGNED_MS = 5 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;

function rowsBetween(fromMs: number, toMs: number): StoredRow[] {
  return [...rows, ...elsewhere].filter(({ time }) => time >= fromMs && time < toMs);
}

/** The rows of both spans of a context, as its documentation says. */
function spansAround(row: StoredRow, minutes: number) {
  const fromMs = Math.floor((row.time - minutes * MINUTE_MS) / ALIGNED_MS) * ALIGNED_MS;
  const toMs = Math.ceil((row.time + minutes * MINUTE_MS) / ALIGNED_MS) * ALIGNED_MS;
  return {
    seconds: (toMs - fromMs) / 1000,
    around: rowsBetween(fromMs, toMs),
    before: rowsBetween(fromMs - HOUR_MS, fromMs),
  };
}

test('a context has the figures of the node, the interface and the prefix around a request and in the hour before', async () => {
  const row = spread.find((one) => one.time > FROM_MS + 120 * MINUTE_MS && one.exception !== '');
  assert.ok(row !== undefined);
  const { data: found } = await readAnswer(query.app, RequestPage, PATH, {
    ...WINDOW,
    request_id: row.request_id,
  });
  const place = found.requests[0]?.place ?? '';
  const minutes = 20;
  const { around, before, seconds } = spansAround(row, minutes);
  for (const named of [place, row.request_id]) {
    const path = `${PATH}/${encodeURIComponent(named)}/context`;
    const { data } = await readAnswer(query.app, RequestContext, path, { minutes: String(minutes) });
    assert.equal(data.request?.request_id, row.request_id);
    const matching: Record<string, (one: StoredRow) => boolean> = {
      // Of all applications.
      node: (one) => one.node === row.node,
      interface: (one) => one.sdk_app_id === APP && one.interface === row.interface,
    };
    for (const [of, matches] of Object.entries(matching)) {
      const shown = data.neighbours.find((one) => one.of === of);
      assert.ok(shown !== undefined && shown.around !== null && shown.before !== null);
      assertFigures(shown.around, around.filter(matches), seconds);
      assertFigures(shown.before, before.filter(matches), HOUR_MS / 1000);
      const codes = groupRows(
        around.filter((one) => matches(one) && one.outcome !== 'success'),
        (one) => `${one.code} ${one.outcome}`,
      );
      const counts = [...codes.values()].map((all) => sumWeights(all)).toSorted((a, b) => b - a);
      assert.deepEqual(
        shown.around.codes.map(({ count }) => count),
        counts.slice(0, 5),
      );
    }
    // Three addresses alone use the application.
    const prefix = data.neighbours.find(({ of }) => of === 'prefix');
    assert.deepEqual([prefix?.around, prefix?.before], [null, null]);
  }
});

test('a prefix of a context is shown from 20 requests and 5 addresses on, without codes', async () => {
  const time = FROM_MS + 2 * MINUTE_MS;
  for (const [sdkAppId, requests, addresses, isShown] of [
    [310, 20, 5, true],
    [311, 19, 5, false],
    [312, 20, 4, false],
  ] as const) {
    const made = Array.from({ length: requests }, (_, index) =>
      storedRow({
        time,
        sdk_app_id: sdkAppId,
        node: '',
        exit_ip: `::ffff:203.0.113.${index % addresses}`,
        request_id: `prefix-${sdkAppId}-${index}`,
        outcome: 'service_error',
        code: 91_000,
        block_row: index,
      }),
    );
    await store.insert(made);
    const path = `applications/${sdkAppId}/requests/prefix-${sdkAppId}-0/context`;
    const { data } = await readAnswer(query.app, RequestContext, path);
    assert.deepEqual(
      data.neighbours.map(({ of, value }) => [of, value]),
      [
        ['interface', 'openim/sendmsg'],
        ['prefix', '203.0.113.0/24'],
      ],
    );
    const shown = data.neighbours[1]?.around;
    assert.deepEqual([shown?.requests, shown?.codes], isShown ? [requests, []] : [undefined, undefined]);
  }
});

test('the context of a request that is not there is empty, and is about the application of the path alone', async () => {
  const { data: found } = await readAnswer(query.app, RequestPage, 'applications/103/requests', {
    ...WINDOW,
    limit: '1',
  });
  const [foreign] = found.requests;
  assert.ok(foreign !== undefined);
  for (const named of ['no-such-id', foreign.place, foreign.request_id]) {
    const path = `${PATH}/${encodeURIComponent(named)}/context`;
    const { data } = await readAnswer(query.app, RequestContext, path);
    assert.deepEqual(data, { request: null, around: null, before: null, neighbours: [] });
  }
});
