/* A purge, then a restore of a backup from before it: nothing of the application comes back, in no place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEASE_MIGRATIONS, LEASE_SERVICE } from '@imscope/state/leases.js';
import { migrate } from '@imscope/state/migrate.js';
import { createBackup } from '../../src/backup/create-backup.js';
import { restoreBackup } from '../../src/backup/restore-backup.js';
import {
  APPLICATION,
  BACKENDS,
  type Backend,
  DAY_MS,
  type LifecycleUnderTest,
  openLifecycle,
  PURGE_MS,
  WITHIN_MS,
} from '../lifecycle/lifecycle-under-test.js';
import { confirmTrtc, terminateFilled, TRACES } from '../lifecycle/purged-application.js';
import { tracesOf } from '../lifecycle/traces.js';

async function openWithLeases(...args: Parameters<typeof openLifecycle>): Promise<LifecycleUnderTest> {
  const registry = await openLifecycle(...args);
  await migrate(registry.database, LEASE_SERVICE, LEASE_MIGRATIONS);
  return registry;
}

async function backup(registry: LifecycleUnderTest) {
  return createBackup({ ...registry, keepDays: 30, now: () => registry.clock.nowMs });
}

async function restore(registry: LifecycleUnderTest) {
  return restoreBackup(
    { ...registry, purgeWithinMs: WITHIN_MS, now: () => registry.clock.nowMs },
    { backup: 'newest', dryRun: false, replace: true },
  );
}

async function purges({ database }: LifecycleUnderTest) {
  return database.kysely.selectFrom('purge').selectAll().orderBy('started_ms').execute();
}

async function assertNoTraces(registry: LifecycleUnderTest): Promise<void> {
  for (const text of TRACES) assert.deepEqual(await tracesOf(registry, text), [], text);
}

function eachBackend(title: string, run: (registry: LifecycleUnderTest) => Promise<void>): void {
  for (const backend of BACKENDS satisfies readonly Backend[])
    test(`${backend}: ${title}`, async (t) => run(await openWithLeases(t, backend)));
}

eachBackend('a purge says until when the backups that hold the application are kept', async (registry) => {
  await terminateFilled(registry);
  const { expires_ms: expiresMs } = await backup(registry);
  registry.clock.nowMs += 1;
  await registry.pass();
  const [purge] = await purges(registry);
  assert.equal(purge?.backups_expire_ms, expiresMs);
});

eachBackend('what was purged after the backup is nowhere after the restore', async (registry) => {
  await terminateFilled(registry);
  await backup(registry);
  await registry.pass();
  registry.clock.nowMs += DAY_MS;
  assert.deepEqual((await restore(registry)).purged, [APPLICATION]);
  await assertNoTraces(registry);
});

eachBackend(
  'the registry completes the purge that the restore began, with a certificate',
  async (registry) => {
    await terminateFilled(registry);
    await backup(registry);
    await registry.pass();
    registry.clock.nowMs += DAY_MS;
    await restore(registry);
    await registry.pass();
    const all = await purges(registry);
    assert.equal(all.length, 1);
    assert.equal(all[0]?.completed_ms, registry.clock.nowMs);
    const places = await registry.database.kysely.selectFrom('purge_place').select('state').execute();
    assert.ok(places.every(({ state }) => state !== 'open'));
    await assertNoTraces(registry);
  },
);

eachBackend('a backup from before the termination does not share the application again', async (registry) => {
  await registry.create('Nachtigall', { share_with_trtc: true });
  await confirmTrtc(registry);
  await backup(registry);
  await registry.terminate(1);
  await confirmTrtc(registry);
  registry.clock.nowMs = PURGE_MS;
  await registry.pass();
  await restore(registry);
  const outbox = await registry.database.kysely.selectFrom('outbox').select('kind').execute();
  assert.deepEqual(outbox, [{ kind: 'trtc_end' }]);
  await confirmTrtc(registry);
  await registry.pass();
  assert.notEqual((await purges(registry))[0]?.completed_ms, null);
  await assertNoTraces(registry);
});

eachBackend(
  'an application that was created after the purge under its SDKAppID comes back',
  async (registry) => {
    await terminateFilled(registry);
    await registry.pass();
    registry.clock.nowMs += DAY_MS;
    await registry.create('Amsel');
    await backup(registry);
    assert.deepEqual((await restore(registry)).purged, []);
    await registry.pass();
    assert.ok((await tracesOf(registry, 'Amsel')).includes('application'));
  },
);
