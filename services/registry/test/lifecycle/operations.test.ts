/* The end of an application through the running registry: its API, its workers, real receivers. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PurgeCertificate } from '@imscope/schemas/registry-api/records.js';
import { redisNames } from '@imscope/schemas/registry-entry.js';
import { createClient } from 'redis';
import { until } from '../../../../scripts/pipeline/until.js';
import { BACKENDS, type BackendName, openRegistry, type RegistryUnderTest } from '../backends.js';
import { startReceiver } from '../callbacks/receiver.js';
import { newApplication } from '../new-application.js';
import { refusedAs } from '../refused-as.js';
import { startSignedReceiver } from '../sharing/signed-receiver.js';
import { DAY_MS, PURGE_MS, START_MS } from './lifecycle-under-test.js';

const KEYS = { 'trtc-1': 'the key of TRTC, long', 'notice-1': 'the key of notices, long' };
const SHARED = { configuration: { share_with_trtc: true } };

async function open(t: TestContext, backend: BackendName) {
  const clock = { nowMs: START_MS };
  const now = (): number => clock.nowMs;
  const trtc = await startSignedReceiver(t, KEYS, now);
  const notices = await startSignedReceiver(t, KEYS, now);
  const env = {
    TRTC_URL: trtc.url,
    TRTC_KEY_ID: 'trtc-1',
    TRTC_KEY: KEYS['trtc-1'],
    NOTICE_URL: notices.url,
    NOTICE_KEY_ID: 'notice-1',
    NOTICE_KEY: KEYS['notice-1'],
  };
  const registry = await openRegistry(backend, 'lifecycle', { now, env, lifecycleEveryMs: 50 });
  t.after(() => registry.stop());
  return { clock, trtc, notices, registry };
}

const created = (registry: RegistryUnderTest, sdkAppId: number) =>
  registry.call('createApplication', {
    body: newApplication(sdkAppId, {
      ...SHARED,
      details: { name: 'Chat', data_centre: 'singapore', subscriptions: ['trtc'] },
    }),
  });
const terminated = (registry: RegistryUnderTest, sdkAppId: number) =>
  registry.call('terminateApplication', {
    params: { sdk_app_id: sdkAppId },
    body: { reason: 'contract ended' },
    revision: 1,
  });

async function purged(registry: RegistryUnderTest, sdkAppId: number): Promise<PurgeCertificate> {
  const { database } = registry.state;
  await until(`application ${sdkAppId} is purged`, async () => {
    const rows = await database.kysely
      .selectFrom('purge')
      .select('completed_ms')
      .where('sdk_app_id', '=', sdkAppId)
      .execute();
    return rows.some(({ completed_ms: completedMs }) => completedMs !== null);
  });
  return registry.call('getPurge', { params: { sdk_app_id: sdkAppId } });
}

/** The entry of application 1 in Redis; null: deleted. Where there is no Redis, that of the database. */
async function inRedis({ env, state }: RegistryUnderTest): Promise<unknown> {
  const key = 'application/1';
  const url = env['REDIS_URL'];
  if (url === undefined) {
    const rows = state.database.kysely.selectFrom('entry').select('entry').where('entry_key', '=', key);
    return (await rows.executeTakeFirst())?.entry ?? null;
  }
  const client = createClient({ url });
  await client.connect();
  try {
    const { entries } = redisNames(env['REDIS_PREFIX'] ?? '');
    const change: unknown = JSON.parse((await client.hGet(entries, key)) ?? '{"entry":null}');
    return typeof change === 'object' && change !== null && 'entry' in change ? change.entry : undefined;
  } finally {
    client.destroy();
  }
}

for (const backend of BACKENDS) {
  test(`${backend}: from creation to the certificate in two months`, async (t) => {
    const { clock, trtc, notices, registry } = await open(t, backend);
    const params = { sdk_app_id: 1 };
    await created(registry, 1);
    await until('TRTC has the details', async () => trtc.accepted.length === 1);
    assert.notEqual(await inRedis(registry), null);
    await terminated(registry, 1);
    await until('TRTC has the end', async () => trtc.accepted.at(-1)?.event === 'end');
    await until('the end is recorded', async () => {
      const { sharings } = await registry.call('listSharings', { params });
      return sharings[0]?.ended_at !== null;
    });
    for (const days of [30, 7, 1]) {
      clock.nowMs = PURGE_MS - days * DAY_MS;
      const kind = days === 1 ? 'purge_in_1_day' : `purge_in_${days}_days`;
      await until(`the notice ${kind} was sent`, async () =>
        notices.accepted.some(({ body }) => JSON.parse(body).notice.kind === kind),
      );
    }
    clock.nowMs = PURGE_MS;
    const certificate = await purged(registry, 1);
    assert.equal(await inRedis(registry), null, 'Redis holds the deletion alone');
    assert.deepEqual(
      certificate.places.map(({ place, state }) => [place, state]),
      [
        ['distribution', 'done'],
        ['trtc', 'done'],
        ['documents', 'done'],
        ['objects', 'done'],
        ['telemetry', 'not_used'],
        ['rows', 'done'],
      ],
    );
    await assert.rejects(registry.call('getApplication', { params }), refusedAs('not_found', 404));
    await until('the last notice was sent', async () => notices.accepted.length === 5);
    const listed = await registry.call('listNotices', { query: params });
    assert.deepEqual(
      listed.notices.map(({ kind }) => kind),
      ['purged', 'purge_in_1_day', 'purge_in_7_days', 'purge_in_30_days', 'terminated'],
    );
    assert.equal((await created(registry, 1)).application.version, 1);
  });

  test(`${backend}: notices and purges are listed page by page, newest first`, async (t) => {
    const { clock, registry } = await open(t, backend);
    for (const sdkAppId of [1, 2, 3]) {
      await created(registry, sdkAppId);
      await terminated(registry, sdkAppId);
    }
    clock.nowMs = PURGE_MS;
    for (const sdkAppId of [1, 2, 3]) await purged(registry, sdkAppId);
    const purges: number[] = [];
    let after: string | null | undefined;
    while (after !== null) {
      const query = { limit: 2, ...(after === undefined ? {} : { after }) };
      const page = await registry.call('listPurges', { query });
      purges.push(...page.purges.map(({ sdk_app_id: sdkAppId }) => sdkAppId));
      after = page.next;
    }
    assert.deepEqual(purges, [3, 2, 1]);
    const first = await registry.call('listNotices', { query: { limit: 4 } });
    const second = await registry.call('listNotices', { query: { limit: 4, after: first.next ?? '' } });
    const ids = [...first.notices, ...second.notices].map(({ id }) => id);
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => b - a),
    );
    assert.deepEqual([ids.length, second.next], [6, null]);
  });

  test(`${backend}: what was never purged or shared is said so`, async (t) => {
    const { registry } = await open(t, backend);
    const nobody = { params: { sdk_app_id: 9 } };
    await assert.rejects(
      registry.call('getPurge', nobody),
      refusedAs('not_found', 404, /has not been purged/),
    );
    await assert.rejects(registry.call('listSharings', nobody), refusedAs('not_found', 404));
    await registry.call('createApplication', { body: newApplication(9) });
    assert.deepEqual(await registry.call('listSharings', nobody), { is_configured: true, sharings: [] });
  });
}

test('without TRTC_URL the API says that nothing is shared', async (t) => {
  const registry = await openRegistry('embedded', 'lifecycle');
  t.after(() => registry.stop());
  await created(registry, 1);
  const answer = await registry.call('listSharings', { params: { sdk_app_id: 1 } });
  assert.equal(answer.is_configured, false);
  assert.deepEqual(
    answer.sharings.map(({ shared_at: sharedAt, attempts }) => [sharedAt, attempts]),
    [[null, 0]],
  );
});

test('an administrator tries the callback of an application', async (t) => {
  const receiver = await startReceiver(t, (_request, response) => response.writeHead(503).end());
  const callbacks = {
    resolveHost: async () => ['127.0.0.1'],
    isAddressAllowed: (address: string) => address === '127.0.0.1',
  };
  const registry = await openRegistry('embedded', 'lifecycle', { callbacks });
  t.after(() => registry.stop());
  const url = `http://callback.example.com:${receiver.port}/im`;
  const callback = { enabled: true, url, timeout_ms: 5_000, events: [] };
  await registry.call('createApplication', { body: newApplication(1, { configuration: { callback } }) });
  const answer = await registry.call('testCallback', { params: { sdk_app_id: 1 } });
  assert.deepEqual([answer.address, answer.status], ['127.0.0.1', 503]);
  assert.deepEqual(receiver.received, [
    { method: 'POST', path: '/im', host: `callback.example.com:${receiver.port}`, body: '{"event":"test"}' },
  ]);
});
