import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAsk } from '@imscope/schemas/query-api/ask.js';
import { QUESTIONS } from '@imscope/schemas/query-api/questions.js';
import { openStoreAndQuery, READ_ALL, WRITE } from './query-under-test.js';
import { assertError } from './read-answer.js';
import { storedRow } from './stored-row.js';

const MINUTE_MS = 60_000;
const TO_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 60 * MINUTE_MS;
const FROM_MS = TO_MS - 60 * MINUTE_MS;
const WINDOW = { from: new Date(FROM_MS).toISOString(), to: new Date(TO_MS).toISOString() };
const APP = 101;
const ADDRESSES = ['203.0.113.7', '203.0.113.200', '203.0.114.7', '2001:db8:7::1', '2001:db8:8::1'];

const { query } = await openStoreAndQuery(async (store) => {
  const rows = ADDRESSES.flatMap((address, index) =>
    Array.from({ length: index + 1 }, (_, count) =>
      storedRow({
        time: FROM_MS + count * MINUTE_MS,
        sdk_app_id: APP,
        exit_ip: address.includes(':') ? address : `::ffff:${address}`,
        block_row: index * 10 + count,
      }),
    ),
  );
  await store.insert(rows);
});

const ask = createAsk(async (url, { method, headers, body }) => {
  const answer = await query.app.inject({
    method,
    url,
    headers: { ...headers, authorization: `Bearer ${READ_ALL}` },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: answer.statusCode, text: async () => answer.body };
});

const post = (path: string, payload: object, headers: Readonly<Record<string, string>> = {}) =>
  query.app.inject({
    method: 'POST',
    url: path,
    headers: { authorization: `Bearer ${READ_ALL}`, ...headers },
    payload,
  });

const OVERVIEW = `/v1/applications/${APP}/overview`;

test('a question is answered by POST as by GET', async () => {
  const asked = await query.app.inject({
    url: `${OVERVIEW}?${new URLSearchParams({ ...WINDOW, region: 'north' }).toString()}`,
    headers: { authorization: `Bearer ${READ_ALL}` },
  });
  const posted = await post(OVERVIEW, { ...WINDOW, region: ['north'] });
  assert.equal(posted.statusCode, 200, posted.body);
  assert.deepEqual(posted.json<{ data: unknown }>().data, asked.json<{ data: unknown }>().data);
});

test('times are epoch milliseconds where asked for, in the rows and around them', async () => {
  const timeseries = `/v1/applications/${APP}/timeseries`;
  const read = async (parameters: Readonly<Record<string, string>>) => {
    const answer = await query.app.inject({
      url: `${timeseries}?${new URLSearchParams({ step: '10m', ...parameters }).toString()}`,
      headers: { authorization: `Bearer ${READ_ALL}` },
    });
    assert.equal(answer.statusCode, 200, answer.body);
    return answer.json<{ data: { time: unknown; requests: number }[]; window: { from: unknown } }>();
  };
  const asText = await read(WINDOW);
  const asNumbers = await read({ from: String(FROM_MS), to: String(TO_MS), times: 'epoch_ms' });
  assert.equal(asNumbers.window.from, FROM_MS);
  assert.deepEqual(
    asNumbers.data,
    asText.data.map((point) => ({ ...point, time: Date.parse(String(point.time)) })),
  );
  const posted = await post(timeseries, { ...WINDOW, step: '10m', times: 'epoch_ms' });
  assert.deepEqual(posted.json<typeof asNumbers>().data, asNumbers.data);
});

async function readRequests(parameters: object) {
  const answer = await post(`/v1/applications/${APP}/requests`, { ...WINDOW, ...parameters });
  assert.equal(answer.statusCode, 200, answer.body);
  return answer.json<{ data: { requests: { time: unknown; place: string }[]; next_cursor: string } }>().data;
}

test('a cursor of requests holds however times are written', async () => {
  const first = await readRequests({ limit: 4 });
  const second = await readRequests({ limit: 4, cursor: first.next_cursor, times: 'epoch_ms' });
  const both = (await readRequests({ limit: 8 })).requests;
  assert.deepEqual(
    [...first.requests, ...second.requests].map(({ place }) => place),
    both.map(({ place }) => place),
  );
  assert.equal(second.requests[0]?.time, Date.parse(String(both[4]?.time)));
});

/** The value at a path such as `latency_ms.p95`, as the columns of Grafana's Infinity plug-in select it. */
function select(row: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => new Map(Object.entries(value ?? {})).get(name), row);
}

test('the rows of a timeseries are flat columns of numbers for a tool that reads tables out of JSON', async () => {
  const columns = ['time', 'requests_per_s', 'success_rate', 'latency_ms.p95', 'outcomes.service_error'];
  const { body } = await post(`/v1/applications/${APP}/timeseries`, {
    ...WINDOW,
    step: '1m',
    times: 'epoch_ms',
  });
  const rows = select(JSON.parse(body), 'data');
  assert.ok(Array.isArray(rows));
  const cells = rows.map((row) => columns.map((path) => select(row, path)));
  assert.equal(cells.length, 60);
  for (const [index, [time, perSecond, ...others]] of cells.entries()) {
    assert.equal(time, FROM_MS + index * MINUTE_MS);
    assert.equal(typeof perSecond, 'number');
    for (const one of others) assert.ok(one === null || typeof one === 'number', String(one));
  }
  assert.ok(Number(cells[0]?.[1]) > 0);
});

const requestsOf = async (filters: object) => {
  const { data, window } = await ask('overview', { sdk_app_id: APP, ...WINDOW, ...filters });
  assert.equal(window.source, 'logs');
  return data.requests;
};

test('an address and a prefix in the body keep the requests that came from there', async () => {
  assert.equal(await requestsOf({ exit_ip: ['203.0.113.200'] }), 2);
  assert.equal(await requestsOf({ exit_ip: ['203.0.113.7', '2001:DB8:8:0::1'] }), 6);
  assert.equal(await requestsOf({ prefix: ['203.0.113.0/24'] }), 3);
  assert.equal(await requestsOf({ prefix: ['203.0.112.0/22', '2001:db8:8::/48'] }), 11);
  assert.equal(await requestsOf({ prefix: ['203.0.113.0/24'], exit_ip: ['203.0.114.7'] }), 0);
});

test('an address in a URL is refused before anything else, and is not repeated', async () => {
  for (const name of ['exit_ip', 'prefix', 'exit%5Fip']) {
    for (const { path } of Object.values(QUESTIONS)) {
      const url = `${path.replace(':sdk_app_id', String(APP))}?${name}=203.0.113.7`;
      const answer = await query.app.inject({ url, headers: { authorization: `Bearer ${READ_ALL}` } });
      const message = assertError(answer, 400, 'personal_filter_in_url');
      assert.doesNotMatch(message, /203/);
    }
  }
});

test('a text that is no address or prefix is refused without being repeated', async () => {
  const wrong = [
    { exit_ip: ['203.0.113.'] },
    { exit_ip: ['203.0.113.7:80'] },
    { prefix: ['203.0.113.0/33'] },
  ];
  for (const filters of [...wrong, { prefix: ['203.0.113.0'] }, { prefix: ['::/129'] }]) {
    const message = assertError(await post(OVERVIEW, { ...WINDOW, ...filters }), 400, 'invalid_parameter');
    assert.doesNotMatch(message, /203\.0\.113\.?(:80|0\/33|$)|129/);
  }
});

test('an address in a body of the wrong form is refused without being repeated', async () => {
  const address = '203.0.113.77';
  const many = Array.from({ length: 21 }, () => address);
  const bodies = [{ exit_ip: address }, { exit_ip: many }, { prefix: [`${address}${'0'.repeat(90)}`] }];
  for (const body of [...bodies, { exit_ip: [[address]] }, [{ exit_ip: address }]]) {
    const message = assertError(await post(OVERVIEW, body), 400, 'invalid_parameter');
    assert.doesNotMatch(message, /203\.0\.113\.77/, JSON.stringify(body));
  }
  const breakdown = await post(`/v1/applications/${APP}/breakdown`, { exit_ip: [address] });
  assert.match(assertError(breakdown, 400, 'invalid_parameter'), /^group_by is missing: give one or two/);
});

test('a body that is no object, has unknown parameters, or comes beside a query is refused', async () => {
  assertError(await post(OVERVIEW, [1]), 400, 'invalid_parameter');
  assertError(await post(OVERVIEW, { unknown: 1 }), 400, 'unknown_parameter');
  assertError(await post(`${OVERVIEW}?from=now-1h`, {}), 400, 'unknown_parameter');
  assertError(await post('/v1/applications', { prefix: ['203.0.113.0/24'] }), 400, 'unknown_parameter');
  assertError(await post(OVERVIEW, { interface: ['x'.repeat(70_000)] }), 413, 'body_too_large');
});

test('a POST needs a token, and comes from our own pages', async () => {
  assertError(await post(OVERVIEW, WINDOW, { authorization: `Bearer ${WRITE}` }), 403, 'not_allowed');
  assertError(await post(OVERVIEW, WINDOW, { 'sec-fetch-site': 'cross-site' }), 403, 'not_allowed');
});

test('an answer says what it cost: rows and bytes that the store read, and time', async () => {
  const { cost } = await ask('overview', { sdk_app_id: APP, ...WINDOW });
  assert.ok(
    cost !== undefined && cost.rows > 0 && cost.bytes > cost.rows && cost.ms > 0,
    JSON.stringify(cost),
  );
});
