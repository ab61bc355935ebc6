import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FleetPage } from '@imscope/schemas/query-api/applications.js';
import { startService } from '../../../scripts/stack/services.js';
import {
  FEW,
  openQuery,
  openStoreAndQuery,
  type QueryUnderTest,
  READ_ALL,
  READ_FEW,
  WRITE,
  writeRegistryFile,
} from './query-under-test.js';
import { addressOf, assertError, readAnswer } from './read-answer.js';
import { storedRow } from './stored-row.js';

const { store, query } = await openStoreAndQuery(async (store) => {
  const time = Date.now() - 60_000;
  await store.insert([101, 103].map((sdk_app_id, block_row) => storedRow({ time, sdk_app_id, block_row })));
});

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

async function newCode(app: QueryUnderTest['app'], token = READ_FEW): Promise<string> {
  const response = await app.inject({
    method: 'POST',
    url: '/v1/sign-in-codes',
    headers: bearer(token),
  });
  assert.equal(response.statusCode, 201, response.body);
  return response.json<{ code: string }>().code;
}

function signIn(app: QueryUnderTest['app'], payload: object, headers: Record<string, string> = {}) {
  return app.inject({ method: 'POST', url: '/v1/session', payload, headers });
}

/** The session cookie out of a sign-in's answer, as a browser sends it back. */
function cookieOf(response: { headers: Record<string, unknown> }): string {
  return String(response.headers['set-cookie']).split(';', 1)[0] ?? '';
}

test('without a token, with an unknown one or with one that may only write, nothing is read', async () => {
  for (const path of ['/v1/applications', '/v1/applications/101/overview', '/v1/applications/101/requests']) {
    const refusals: [headers: Record<string, string>, status: number, code: string][] = [
      [{}, 401, 'missing_token'],
      [{ authorization: 'Basic abc' }, 401, 'missing_token'],
      [bearer('a-token-nobody-knows'), 401, 'invalid_token'],
      [bearer(WRITE), 403, 'not_allowed'],
      [{ cookie: 'imscope_session=forged' }, 401, 'invalid_token'],
    ];
    for (const [headers, status, code] of refusals) {
      assertError(await query.app.inject({ url: path, headers }), status, code);
    }
  }
});

test('a token sees its own applications, and of others not even whether they exist', async () => {
  const { data } = await readAnswer(query.app, FleetPage, 'applications', {}, READ_FEW);
  assert.deepEqual(
    data.applications.map((row) => row.sdk_app_id),
    [101],
  );
  const everything = await readAnswer(query.app, FleetPage, 'applications');
  assert.deepEqual(
    everything.data.applications.map((row) => row.sdk_app_id).toSorted((a, b) => a - b),
    [101, 103],
  );
  const messages = [];
  for (const other of ['103', '104']) {
    const response = await query.app.inject({
      url: addressOf(`applications/${other}/overview`),
      headers: bearer(READ_FEW),
    });
    messages.push(assertError(response, 403, 'not_allowed').replace(other, 'N'));
  }
  assert.equal(messages[0], messages[1]);
});

test('single requests are refused to a token of scope read, with the scope that is wanted', async () => {
  const response = await query.app.inject({
    url: '/v1/applications/101/requests',
    headers: bearer(READ_FEW),
  });
  assert.match(assertError(response, 403, 'not_allowed'), /ask for one with scope requests$/);
  const figures = await query.app.inject({ url: '/v1/applications/101/overview', headers: bearer(READ_FEW) });
  assert.equal(figures.statusCode, 200, figures.body);
});

test('a sign-in code works once and gives a session of the same applications', async () => {
  const code = await newCode(query.app);
  const response = await signIn(query.app, { code });
  assert.equal(response.statusCode, 200, response.body);
  const session = response.json<{
    name: string;
    applications: number[];
    scope: string;
    expires_at: string;
  }>();
  assert.equal(session.name, 'a few');
  assert.equal(session.scope, 'read');
  assert.deepEqual(session.applications, FEW);
  const termMs = Date.parse(session.expires_at) - Date.now();
  assert.ok(termMs > 11.9 * 3_600_000 && termMs <= 12 * 3_600_000);
  assert.match(
    String(response.headers['set-cookie']),
    /^imscope_session=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  const headers = { cookie: cookieOf(response) };
  const who = await query.app.inject({ url: '/v1/session', headers });
  assert.deepEqual(who.json(), session);
  const listed = await query.app.inject({ url: '/v1/applications', headers });
  assert.equal(listed.statusCode, 200);
  assertError(await query.app.inject({ url: '/v1/applications/103/overview', headers }), 403, 'not_allowed');
  assertError(await signIn(query.app, { code }), 401, 'invalid_token');
});

test('a read token signs in, a write token does not', async () => {
  const response = await signIn(query.app, { token: READ_ALL });
  assert.equal(response.json<{ applications: unknown }>().applications, 'all');
  assertError(await signIn(query.app, { token: WRITE }), 401, 'invalid_token');
});

test('signing out clears the cookie, and without one there is no session', async () => {
  const response = await query.app.inject({ method: 'DELETE', url: '/v1/session' });
  assert.equal(response.statusCode, 204);
  assert.match(String(response.headers['set-cookie']), /^imscope_session=;.*Expires=Thu, 01 Jan 1970/);
  assertError(await query.app.inject({ url: '/v1/session' }), 401, 'missing_token');
});

test('a session signed with another key is refused', async () => {
  const other = await openQuery({
    ...store.environment,
    SESSION_KEY: 'another key of 32 characters or more',
  });
  const response = await signIn(other.app, { token: READ_ALL });
  const headers = { cookie: cookieOf(response) };
  assert.equal((await other.app.inject({ url: '/v1/session', headers })).statusCode, 200);
  assertError(await query.app.inject({ url: '/v1/applications', headers }), 401, 'invalid_token');
  await other.close();
});

test('other sites cannot sign anyone in or out', async () => {
  const foreign: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ];
  for (const headers of foreign) {
    assertError(await signIn(query.app, { token: READ_ALL }, headers), 403, 'not_allowed');
    assertError(
      await query.app.inject({ method: 'DELETE', url: '/v1/session', headers }),
      403,
      'not_allowed',
    );
  }
  const own = { host: 'scope.example:8080', origin: 'http://scope.example:8080' };
  assert.equal((await signIn(query.app, { token: READ_ALL }, own)).statusCode, 200);
  const behindProxy = { 'sec-fetch-site': 'same-origin', origin: 'https://scope.example' };
  assert.equal((await signIn(query.app, { token: READ_ALL }, behindProxy)).statusCode, 200);
});

test('after ten failed sign-ins from an address further ones wait, right or wrong', async () => {
  const own = await openQuery(store.environment);
  for (let guess = 0; guess < 10; guess++) {
    assertError(await signIn(own.app, { code: `wrong-guess-number-${guess}` }), 401, 'invalid_token');
  }
  const refused = await signIn(own.app, { token: READ_ALL });
  assertError(refused, 429, 'too_many_requests');
  const waitS = Number(refused.headers['retry-after']);
  assert.ok(waitS >= 1 && waitS <= 60);
  const elsewhere = await own.app.inject({
    method: 'POST',
    url: '/v1/session',
    payload: { token: READ_ALL },
    remoteAddress: '192.0.2.9',
  });
  assert.equal(elsewhere.statusCode, 200);
  assert.match(await own.registry.metrics(), /refused_total\{reason="sign_in_guesses",service="query"\} 1/);
  await own.close();
});

test('bodies that are no sign-in get the documented answer and are never repeated', async () => {
  const secret = 'short-secret';
  const cases: [payload: string, type: string, status: number, code: string][] = [
    ['{', 'application/json', 400, 'unreadable_body'],
    ['', 'application/json', 400, 'empty_body'],
    ['null', 'application/json', 400, 'invalid_parameter'],
    [JSON.stringify({ token: secret }), 'application/json', 400, 'invalid_parameter'],
    [JSON.stringify({ token: READ_ALL, code: READ_ALL }), 'application/json', 400, 'invalid_parameter'],
    ['a=b', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
    [JSON.stringify({ token: 'x'.repeat(5_000) }), 'application/json', 413, 'body_too_large'],
  ];
  for (const [payload, type, status, code] of cases) {
    const response = await query.app.inject({
      method: 'POST',
      url: '/v1/session',
      payload,
      headers: { 'content-type': type },
    });
    const message = assertError(response, status, code);
    assert.ok(!message.includes(secret));
  }
});

test('a token removed from the file loses its sessions in the running process', async () => {
  const registryFile = join(store.dir, 'own-registry.json');
  writeRegistryFile(registryFile);
  const service = await startService({
    name: 'query',
    mode: 'source',
    env: { ...store.environment, REGISTRY_FILE: registryFile, QUERY_PORT: '0', LOG_LEVEL: 'info' },
    logFile: join(store.dir, 'query.log'),
  });
  try {
    const base = `http://127.0.0.1:${await listeningPort(service.logFile)}`;
    const response = await fetch(`${base}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: READ_FEW }),
    });
    const [cookie = ''] = response.headers.getSetCookie();
    const read = async (): Promise<number> => {
      const answer = await fetch(`${base}/v1/applications`, {
        headers: { cookie: cookie.split(';', 1)[0] ?? '' },
      });
      await answer.text();
      return answer.status;
    };
    assert.equal(await read(), 200);
    writeRegistryFile(registryFile, []);
    while ((await read()) === 200);
    assert.equal(await read(), 401);
  } finally {
    const exit = await service.stop();
    assert.equal(exit.code, 0);
  }
});

async function listeningPort(logFile: string): Promise<number> {
  const log = await readFile(logFile, 'utf8');
  const port = /"port":(\d+)[^\n]*"msg":"listening"/.exec(log)?.[1];
  assert.ok(port !== undefined, log);
  return Number(port);
}
