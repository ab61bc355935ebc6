import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request as httpRequest, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { openQueryWithoutStore } from './query-under-test.js';
import { assertError } from './read-answer.js';

type Passed = {
  readonly method?: string;
  readonly url?: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

/** An upstream that answers with what reached it. */
const echo = await upstream((request, response) => {
  text(request).then(
    (body) => {
      const { method, url, headers } = request;
      const status = url?.includes('conflict') === true ? 412 : 200;
      response.writeHead(status, { 'content-type': 'application/json', etag: '"7"' });
      return response.end(JSON.stringify({ method, url, headers, body }));
    },
    () => response.destroy(),
  );
});
const query = await openQueryWithoutStore({ REGISTRY_URL: echo.url });

test('a request reaches the registry with its method, address, body and caller', async () => {
  const response = await query.app.inject({
    method: 'PATCH',
    url: '/v1/registry/applications/1400000001?dry=%20x&dry=2',
    headers: {
      authorization: 'Bearer abcdefgh-abcdefgh',
      cookie: 'imscope_session=sealed',
      'if-match': '"6"',
      'content-type': 'application/json',
      'sec-fetch-site': 'same-origin',
    },
    payload: '{"reason": "as sent"}',
  });
  assert.equal(response.statusCode, 200, response.body);
  assert.equal(response.headers['etag'], '"7"');
  const passed = response.json<Passed>();
  assert.equal(passed.method, 'PATCH');
  assert.equal(passed.url, '/v1/registry/applications/1400000001?dry=%20x&dry=2');
  assert.equal(passed.body, '{"reason": "as sent"}');
  assert.equal(passed.headers.authorization, 'Bearer abcdefgh-abcdefgh');
  assert.equal(passed.headers.cookie, 'imscope_session=sealed');
  assert.equal(passed.headers['if-match'], '"6"');
});

test('answers of the registry that are errors are passed on as they are', async () => {
  const response = await query.app.inject({ url: '/v1/registry/conflict' });
  assert.equal(response.statusCode, 412);
});

test('headers between two hops and of other proxies do not reach the registry', async () => {
  const headers = {
    connection: 'x-hop, keep-alive',
    'x-hop': '1',
    'keep-alive': 'timeout=5',
    te: 'trailers',
    'x-forwarded-for': '203.0.113.9',
    forwarded: 'for=203.0.113.9',
  };
  const passed = (await query.app.inject({ url: '/v1/registry/tokens', headers })).json<Passed>();
  for (const name of ['x-hop', 'keep-alive', 'te', 'forwarded'])
    assert.equal(passed.headers[name], undefined, name);
  assert.equal(passed.headers['x-forwarded-for'], '127.0.0.1');
});

test('a change that another site caused does not reach the registry', async () => {
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
    assertError(
      await query.app.inject({ method: 'POST', url: '/v1/registry/tokens', headers }),
      403,
      'not_allowed',
    );
  }
});

test('an address that leads out of the registry’s is refused', async () => {
  const response = await query.app.inject({ url: '/v1/registry/..%2f..%2fmetrics' });
  assert.equal(response.statusCode, 400, response.body);
});

test('a body above the bound is refused, with a stated length and without', async () => {
  await query.app.listen({ host: '127.0.0.1', port: 0 });
  const stated = await query.app.inject({
    method: 'POST',
    url: '/v1/registry/imports',
    headers: { 'content-type': 'text/csv', 'content-length': String((32 << 20) + 1) },
  });
  assertError(stated, 413, 'body_too_large');
  const { port } = query.app.server.address() as AddressInfo;
  const sending = httpRequest({
    port,
    method: 'POST',
    path: '/v1/registry/imports',
    headers: { 'content-type': 'text/csv', 'transfer-encoding': 'chunked' },
  });
  sending.on('error', () => undefined);
  const answered = once(sending, 'response');
  const chunk = Buffer.alloc(1 << 20);
  for (let sent = 0; sent <= 33; sent++) sending.write(chunk);
  sending.end();
  const [response] = (await answered) as [IncomingMessage];
  assert.equal(response.statusCode, 413);
  sending.destroy();
});

test('a registry that is away is 503, and nothing is tried again', async () => {
  const away = await openQueryWithoutStore({ REGISTRY_URL: 'http://127.0.0.1:9' });
  const response = await away.app.inject({ url: '/v1/registry/applications' });
  assert.match(assertError(response, 503, 'unavailable'), /the registry is away/);
  let requests = 0;
  const busy = await upstream((_request, answer) => {
    requests += 1;
    answer.writeHead(503, { 'retry-after': '1' }).end('{"error":{"code":"unavailable","message":"busy"}}');
  });
  const passing = await openQueryWithoutStore({ REGISTRY_URL: busy.url });
  assert.equal((await passing.app.inject({ url: '/v1/registry/applications' })).statusCode, 503);
  assert.equal(requests, 1);
});

test('a registry that ends the connection instead of answering is 503', async () => {
  const cutting = await upstream((request) => void request.socket.destroy());
  const own = await openQueryWithoutStore({ REGISTRY_URL: cutting.url });
  assertError(await own.app.inject({ url: '/v1/registry/applications' }), 503, 'unavailable');
});

test('without a registry its addresses are not found, and the answer says what to set', async () => {
  const own = await openQueryWithoutStore();
  const response = await own.app.inject({ method: 'POST', url: '/v1/registry/applications' });
  assert.match(assertError(response, 404, 'not_found'), /set REGISTRY_URL/);
});

async function upstream(listener: RequestListener): Promise<{ url: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
