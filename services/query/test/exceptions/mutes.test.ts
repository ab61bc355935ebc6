import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hashToken } from '@imscope/access/tokens.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { Mutes } from '@imscope/schemas/query-api/mutes.js';
import { Value } from 'typebox/value';
import { createMutesOf, muteGroup } from '../../src/state/mutes.js';
import { openState } from '../../src/state/open-state.js';
import { openQueryWithoutStore, READ_ALL, READ_FEW } from '../query-under-test.js';
import { assertError } from '../read-answer.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-mutes-'));
const databaseUrl = `sqlite:${join(directory, 'state.db')}`;
const query = await openQueryWithoutStore({ DATABASE_URL: databaseUrl });
const without = await openQueryWithoutStore();
const database = await openState({
  databaseUrl,
  databasePassword: '',
  databaseTls: 'off',
  databaseCaFile: '',
});
after(async () => {
  await database?.close();
  rmSync(directory, { recursive: true, force: true });
});

const GROUP = '0123456789abcdef';
const MUTE = { for: '8h', reason: 'known since Tuesday' };
const DAY_MS = 86_400_000;
const silent = createLogger('query', 'silent');

function send(
  method: 'POST' | 'DELETE',
  whose: string,
  options: {
    token?: string;
    group?: string;
    body?: object;
    headers?: Record<string, string>;
    app?: typeof query;
  } = {},
) {
  const { token = READ_ALL, group = GROUP, body = MUTE, headers = {}, app = query } = options;
  return app.app.inject({
    method,
    url: `/v1/${whose}/exceptions/${group}/mute`,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(method === 'POST' ? { payload: body } : {}),
  });
}

async function list(token = READ_ALL, of = query): Promise<Mutes> {
  const response = await of.app.inject({
    url: '/v1/exception-mutes',
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(response.statusCode, 200, response.body);
  return Value.Parse(Mutes, response.json());
}

test('a mute is in force until it ends or is ended, and both changes are in the audit', async () => {
  assert.equal((await send('POST', 'applications/101')).statusCode, 200);
  const [muted] = (await list()).mutes;
  assert.deepEqual(
    [muted?.group, muted?.sdk_app_id, muted?.by, muted?.reason],
    [GROUP, 101, 'everything', MUTE.reason],
  );
  assert.equal((await send('DELETE', 'applications/101')).statusCode, 204);
  const { mutes, changes } = await list();
  assert.deepEqual(mutes, []);
  assert.deepEqual(
    changes.slice(0, 2).map(({ action, sdk_app_id, subject, actor }) => [action, sdk_app_id, subject, actor]),
    [
      ['exception.unmute', 101, GROUP, 'everything'],
      ['exception.mute', 101, GROUP, 'everything'],
    ],
  );
  assertError(await send('DELETE', 'applications/101'), 404, 'not_found');
});

test('muting again replaces the mute', async () => {
  await send('POST', 'applications/102');
  await send('POST', 'applications/102', { body: { for: '2d', reason: 'longer' } });
  const own = (await list()).mutes.filter((mute) => mute.sdk_app_id === 102);
  assert.deepEqual(
    own.map(({ reason }) => reason),
    ['longer'],
  );
});

test('a mute for all applications wants a token of all, one for an application a token of that', async () => {
  assertError(await send('POST', 'fleet', { token: READ_FEW }), 403, 'not_allowed');
  assertError(await send('POST', 'applications/999', { token: READ_FEW }), 403, 'not_allowed');
  assert.equal((await send('POST', 'fleet')).statusCode, 200);
  assert.equal((await send('POST', 'applications/999', { group: 'f'.repeat(16) })).statusCode, 200);
  const seen = (await list(READ_FEW)).mutes;
  assert.ok(seen.some(({ scope }) => scope === 'fleet'));
  assert.ok(!seen.some((mute) => mute.sdk_app_id === 999));
});

test('mutes of an application that was terminated since are not listed, nor their changes', async () => {
  const TERMINATED = 103;
  assert.equal((await send('POST', `applications/${TERMINATED}`)).statusCode, 200);
  const registry = join(directory, 'terminated.json');
  const entry = { sha256: hashToken(READ_ALL), scope: 'requests' };
  for (const applications of ['all', [TERMINATED]]) {
    const tokens = [{ ...entry, name: 'reader', applications }];
    const states = [{ sdk_app_id: TERMINATED, status: 'terminated' }];
    writeFileSync(registry, JSON.stringify({ tokens, applications: states }));
    const later = await openQueryWithoutStore({ DATABASE_URL: databaseUrl, REGISTRY_FILE: registry });
    const { mutes, changes } = await list(READ_ALL, later);
    assert.ok(mutes.every((mute) => mute.sdk_app_id !== TERMINATED));
    assert.ok(changes.every((change) => change.sdk_app_id !== TERMINATED));
  }
  assert.ok((await list()).mutes.some((mute) => mute.sdk_app_id === TERMINATED));
});

test('a mute without reason or end, or with one beyond 90 days, is refused', async () => {
  for (const body of [
    { for: '8h' },
    { reason: 'why' },
    { for: '8h', reason: '' },
    { for: '91d', reason: 'why' },
    { for: '0h', reason: 'why' },
  ]) {
    assertError(await send('POST', 'applications/101', { body }), 400, 'invalid_parameter');
  }
  assert.equal(
    (await send('POST', 'applications/101', { body: { for: '90d', reason: 'why' } })).statusCode,
    200,
  );
});

test('another site cannot mute by the session of a browser', async () => {
  for (const method of ['POST', 'DELETE'] as const) {
    assertError(
      await send(method, 'applications/101', { headers: { 'sec-fetch-site': 'cross-site' } }),
      403,
      'not_allowed',
    );
  }
});

test('without a database muting says which setting is missing', async () => {
  const message = assertError(await send('POST', 'applications/101', { app: without }), 409, 'no_database');
  assert.match(message, /DATABASE_URL/);
});

test('mutes that have ended are in force no more, and that of an application comes before that of all', async () => {
  assert.ok(database !== undefined);
  const nowMs = Date.now();
  const groupId = 'a'.repeat(16);
  const mute = { groupId, actor: 'someone', untilMs: nowMs + DAY_MS };
  await muteGroup(database, { ...mute, sdkAppId: 0, reason: 'all' }, nowMs);
  await muteGroup(database, { ...mute, sdkAppId: 103, reason: 'one', untilMs: nowMs + DAY_MS / 2 }, nowMs);
  const mutesOf = createMutesOf(database, silent);
  const reasonAt = async (atMs: number, sdkAppId: number) =>
    (await mutesOf({ kind: 'application', sdkAppId }, atMs)).mutes.get(groupId)?.reason;
  assert.equal(await reasonAt(nowMs, 103), 'one');
  assert.equal(await reasonAt(nowMs, 104), 'all');
  assert.equal(await reasonAt(nowMs + DAY_MS * 0.75, 103), 'all');
  assert.equal(await reasonAt(nowMs + DAY_MS, 103), undefined);
});

test('answers show no mutes where the database cannot be read, and do not fail', async () => {
  const closed = await openState({
    databaseUrl: `sqlite:${join(directory, 'closed.db')}`,
    databasePassword: '',
    databaseTls: 'off',
    databaseCaFile: '',
  });
  await closed?.close();
  const { mutes, isKnown } = await createMutesOf(closed, silent)(
    { kind: 'application', sdkAppId: 101 },
    Date.now(),
  );
  assert.deepEqual([mutes.size, isKnown], [0, false]);
});
