import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openQueryWithoutStore, READ_ALL } from './query-under-test.js';
import { assertError } from './read-answer.js';

const dir = mkdtempSync(join(tmpdir(), 'imscope-dashboard-'));
after(() => rmSync(dir, { recursive: true }));
mkdirSync(join(dir, 'assets'));
writeFileSync(join(dir, 'index.html'), '<!doctype html>');
writeFileSync(join(dir, 'assets', 'index-1.js'), '1;');

const query = await openQueryWithoutStore({ DASHBOARD_DIR: dir });
await query.app.listen({ host: '127.0.0.1', port: 0 });
const { port } = query.app.server.address() as AddressInfo;

type Raw = { readonly head: string; readonly body: string };

/** Sends bytes, and reads until the server closes the connection. */
function exchange(...pieces: readonly (string | Buffer)[]): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (bytes) => (received += bytes.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => {
      const at = received.indexOf('\r\n\r\n');
      resolve({ head: received.slice(0, at), body: received.slice(at + 4) });
    });
    for (const piece of pieces) socket.write(piece);
  });
}

const headOf = (line: string, ...headers: string[]): string =>
  [line, 'Host: query', 'Connection: close', ...headers, '', ''].join('\r\n');

const REFUSED: [what: string, status: number, code: string, pieces: (string | Buffer)[]][] = [
  ['rubbish', 400, 'malformed_request', ['rubbish\r\n\r\n']],
  ['a TLS hello', 400, 'malformed_request', [Buffer.from('16030100a5010000a10303', 'hex')]],
  ['HTTP/2.0', 400, 'malformed_request', ['GET / HTTP/2.0\r\nHost: a\r\n\r\n']],
  ['HTTP/1.2', 400, 'malformed_request', [headOf('GET / HTTP/1.2')]],
  ['an unknown method', 400, 'malformed_request', [headOf('BREW /v1/session HTTP/1.1')]],
  ['a space in the address', 400, 'malformed_request', [headOf('GET /v1/a b HTTP/1.1')]],
  ['no Host', 400, 'malformed_request', ['GET /v1/session HTTP/1.1\r\nConnection: close\r\n\r\n']],
  ['two Hosts', 400, 'malformed_request', [headOf('GET /v1/session HTTP/1.1', 'Host: other')]],
  [
    'two tokens',
    400,
    'malformed_request',
    [headOf('GET / HTTP/1.1', 'Authorization: a', 'Authorization: b')],
  ],
  [
    'two lengths',
    400,
    'malformed_request',
    [headOf('POST / HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2')],
  ],
  ['NUL in a header', 400, 'malformed_request', [headOf('GET / HTTP/1.1', 'X-A: a\0b')]],
  ['a header of 17 kB', 431, 'headers_too_large', [headOf('GET / HTTP/1.1', `X-A: ${'a'.repeat(17_000)}`)]],
  [
    'an address of 20 kB',
    431,
    'headers_too_large',
    [headOf(`GET /v1/applications?from=${'a'.repeat(20_000)} HTTP/1.1`)],
  ],
  [
    '101 headers',
    431,
    'headers_too_large',
    [headOf('GET / HTTP/1.1', ...Array.from({ length: 101 }, (_, n) => `X-${n}: a`))],
  ],
  ['another expectation', 417, 'expectation_failed', [headOf('GET / HTTP/1.1', 'Expect: coffee')]],
  ['CONNECT', 404, 'not_found', ['CONNECT example:443 HTTP/1.1\r\nHost: example\r\n\r\n']],
  ['an address that cannot be decoded', 404, 'not_found', [headOf('GET /v1/%zz HTTP/1.1')]],
  ['an asterisk', 404, 'not_found', [headOf('GET * HTTP/1.1')]],
  ['a wrong method', 405, 'method_not_allowed', [headOf('TRACE /v1/session HTTP/1.1')]],
];

for (const [what, status, code, pieces] of REFUSED) {
  test(`${what} gets ${status} in the one form of errors, with its length`, async () => {
    const { head, body } = await exchange(...pieces);
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), head);
    assert.match(head, /^content-type: application\/json/im);
    assert.match(head, new RegExp(`^content-length: ${Buffer.byteLength(body, 'latin1')}$`, 'im'));
    assertError({ statusCode: status, body }, status, code);
  });
}

test('what could not be read is counted', async () => {
  await exchange('rubbish\r\n\r\n');
  const figures = await query.registry.metrics();
  assert.match(figures, /requests_total\{route="none",status="400",service="query"\} [1-9]/);
});

const one = '/v1/applications/101';
const ADDRESSES: Readonly<Record<string, string>> = {
  '/v1/applications': 'GET, HEAD, POST',
  [`${one}/overview`]: 'GET, HEAD, POST',
  [`${one}/interfaces`]: 'GET, HEAD, POST',
  [`${one}/timeseries`]: 'GET, HEAD, POST',
  [`${one}/monitor`]: 'GET, HEAD, POST',
  [`${one}/exceptions`]: 'GET, HEAD, POST',
  [`${one}/requests?limit=1`]: 'GET, HEAD, POST',
  '/v1/applications/%31%30%31/overview': 'GET, HEAD, POST',
  '/v1/applications//overview': 'GET, HEAD, POST',
  '/v1/openapi.json': 'GET, HEAD',
  '/v1/session': 'GET, HEAD, POST, DELETE',
  'http://query/v1/session': 'GET, HEAD, POST, DELETE',
  '/v1/sign-in-codes': 'POST',
  '/': 'GET, HEAD',
  '/applications/101': 'GET, HEAD',
  '/assets/index-1.js': 'GET, HEAD',
};

test('every address answers methods it does not know with 405 and Allow, before it reads a body', async () => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'] as const;
  for (const [url, allow] of Object.entries(ADDRESSES)) {
    for (const method of methods) {
      if (allow.split(', ').includes(method)) continue;
      const response = await fetchRaw(method, url);
      assert.equal(response.status, 405, `${method} ${url}`);
      assert.equal(response.allow, allow, `${method} ${url}`);
    }
  }
});

async function fetchRaw(method: string, url: string): Promise<{ status: number; allow: string | undefined }> {
  const body = method === 'HEAD' || method === 'GET' || method === 'TRACE' ? '' : '{"no":';
  const { head } = await exchange(
    headOf(`${method} ${url} HTTP/1.1`, 'Content-Type: application/json', `Content-Length: ${body.length}`),
    body,
  );
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]),
    allow: /^allow: (.*)$/im.exec(head)?.[1],
  };
}

test('addresses outside the API and the pages are 404 in the one form of errors, for every method', async () => {
  const none = [
    '/v1',
    '/v1/',
    '/v1x',
    '/v1/unknown',
    '/v1/applications/101',
    '/v1/applications/101/nothing',
    '/v2',

    '/v2/applications',
    '/v2/applications/101/overview',
    '/applications',
    '/applications/1/2',
    '/anything',
    '/assets/gone.js',
    '/V1/session',
    '/v1/session/',
    '//',
    '/index',
  ];
  for (const url of none) {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS'] as const) {
      const { head, body } = await exchange(headOf(`${method} ${url} HTTP/1.1`));
      assert.match(head, /^content-type: application\/json/im, url);
      assertError({ statusCode: Number(head.slice(9, 12)), body }, 404, 'not_found');
    }
  }
});

test('HEAD answers as GET does, without a body', async () => {
  for (const url of ['/', '/v1/openapi.json']) {
    const { head, body } = await exchange(headOf(`HEAD ${url} HTTP/1.1`));
    assert.match(head, /^HTTP\/1\.1 200 /, url);
    assert.equal(body, '');
  }
  const { head } = await exchange(
    headOf(`HEAD ${one}/overview HTTP/1.1`, `Authorization: Bearer ${READ_ALL}`),
  );
  assert.match(head, /^HTTP\/1\.1 503 /);
  assert.match(head, /^retry-after: \d+$/im);
});
