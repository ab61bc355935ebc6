import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { DASHBOARD_PAGES } from '@imscope/schemas/query-api/dashboard-pages.js';
import { openQuery, type QueryUnderTest, writeRegistryFile } from './query-under-test.js';
import { assertError } from './read-answer.js';

const dir = mkdtempSync(join(tmpdir(), 'imscope-query-'));
const registryFile = join(dir, 'registry.json');
const dashboardDir = join(dir, 'dashboard');
const INDEX = '<!doctype html><title>imscope</title>';
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(5_000))});`;
const environment = { REGISTRY_FILE: registryFile, STORE_URL: 'http://127.0.0.1:9' };
let query: QueryUnderTest;

before(async () => {
  writeRegistryFile(registryFile);
  mkdirSync(join(dashboardDir, 'assets'), { recursive: true });
  writeFileSync(join(dashboardDir, 'index.html'), INDEX);
  writeFileSync(join(dashboardDir, 'assets', 'index-3f2a.js'), SCRIPT);
  writeFileSync(join(dir, 'secret.txt'), 'outside');
  query = await openQuery({ ...environment, DASHBOARD_DIR: dashboardDir });
});
after(async () => {
  await query.close();
  rmSync(dir, { recursive: true });
});

test('all pages of the dashboard get its index, revalidated each time', async () => {
  for (const url of [
    '/',
    '/index.html',
    '/applications/1400000001',
    '/applications/1400000001?from=now-1h',
  ]) {
    const response = await query.app.inject({ url });
    assert.equal(response.statusCode, 200, url);
    assert.equal(response.body, INDEX);
    assert.match(String(response.headers['content-type']), /^text\/html/);
    assert.equal(response.headers['cache-control'], 'no-cache');
  }
});

test('every page of the dashboard’s router is one that is served', () => {
  const source = readFileSync(new URL('../../dashboard/src/app.tsx', import.meta.url), 'utf8');
  const routes = Array.from(source.matchAll(/<Route path="([^"]+)"/g), ([, path]) => path);
  assert.deepEqual(new Set(routes), new Set<string | undefined>(DASHBOARD_PAGES));
});

test('an address with a malformed application id is not a page', async () => {
  for (const id of ['0x10', '1.0', '007', '0', '-1', '1e3', '9007199254740993', 'x', '%20']) {
    assertError(await query.app.inject({ url: `/applications/${id}` }), 404, 'not_found');
  }
});

test('hashed assets may be kept for ever, and travel compressed', async () => {
  const response = await query.app.inject({
    url: '/assets/index-3f2a.js',
    headers: { 'accept-encoding': 'gzip' },
  });
  assert.equal(response.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal(response.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(response.rawPayload).toString(), SCRIPT);
});

test('files that are missing, addresses of the API and ways out of the folder are not the index', async () => {
  for (const url of ['/assets/gone-1.js', '/v1/nothing', '/v1', '/../secret.txt', '/%2e%2e/secret.txt']) {
    assertError(await query.app.inject({ url }), 404, 'not_found');
  }
});

test('no page may load, send or be framed anywhere else', async () => {
  const { headers } = await query.app.inject({ url: '/' });
  const policy = String(headers['content-security-policy']);
  for (const rule of [
    "default-src 'none'",
    "script-src 'self'",
    "connect-src 'self'",
    "frame-ancestors 'none'",
  ]) {
    assert.ok(policy.split(';').includes(rule), policy);
  }
  assert.ok(!policy.includes('unsafe'));
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['strict-transport-security'], undefined);
});

test('behind TLS the cookie is Secure and HSTS is sent', async () => {
  const secure = await openQuery({ ...environment, COOKIE_SECURE: 'true' });
  const response = await secure.app.inject({ method: 'DELETE', url: '/v1/session' });
  assert.match(String(response.headers['set-cookie']), /; Secure/);
  assert.match(String(response.headers['strict-transport-security']), /^max-age=/);
  await secure.close();
});

test('without a dashboard only the API is served; a folder without an index does not start', async () => {
  const alone = await openQuery(environment);
  assertError(await alone.app.inject({ url: '/' }), 404, 'not_found');
  await alone.close();
  await assert.rejects(
    openQuery({ ...environment, DASHBOARD_DIR: join(dir, 'none') }),
    /holds no index.html/,
  );
});
