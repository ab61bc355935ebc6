import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  APPLICATION,
  BACKENDS,
  DAY_MS,
  type LifecycleUnderTest,
  noticeKinds,
  openLifecycle,
  PURGE_MS,
  START_MS,
} from './lifecycle-under-test.js';

async function distributedStatus({ database }: LifecycleUnderTest): Promise<unknown> {
  const { entry } = await database.kysely
    .selectFrom('entry')
    .select('entry')
    .where('entry_key', '=', `application/${APPLICATION}`)
    .executeTakeFirstOrThrow();
  return JSON.parse(entry ?? '{}').status;
}

const documents = async () => ({ kind: 'open', reason: 'MongoDB is away' }) as const;

for (const backend of BACKENDS) {
  test(`${backend}: a termination takes effect at once and names the day of the purge`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await registry.create('Chat', { share_with_trtc: true });
    const terminated = await registry.terminate(1);
    assert.deepEqual(
      [terminated.status, terminated.terminated_at, terminated.purge_at],
      ['terminated', new Date(START_MS).toISOString(), new Date(PURGE_MS).toISOString()],
    );
    assert.equal(await distributedStatus(registry), 'terminated');
    assert.deepEqual(await noticeKinds(registry), ['terminated']);
    const sharing = await registry.database.kysely
      .selectFrom('sharing')
      .selectAll()
      .executeTakeFirstOrThrow();
    assert.equal(sharing.end_requested_ms, START_MS + 1);
  });

  test(`${backend}: a suspended application can be terminated`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await registry.create('Chat');
    await registry.suspend(1);
    assert.equal((await registry.terminate(2)).status, 'terminated');
  });

  test(`${backend}: a restore before the purge makes the application active, complete and shared again`, async (t) => {
    const registry = await openLifecycle(t, backend);
    const { application } = await registry.create('Chat', { share_with_trtc: true });
    await registry.terminate(1);
    registry.clock.nowMs = PURGE_MS - 1;
    await registry.pass();
    const restored = await registry.restore(2);
    assert.deepEqual(
      [restored.status, restored.terminated_at, restored.purge_at, restored.details, restored.secrets],
      ['active', null, null, application.details, application.secrets],
    );
    assert.equal(await distributedStatus(registry), 'active');
    assert.equal((await noticeKinds(registry)).at(-1), 'restored');
    registry.clock.nowMs = PURGE_MS + DAY_MS;
    assert.deepEqual(await registry.pass(), { notices: 0, begun: 0, completed: 0 });
  });

  test(`${backend}: notices come 30, 7 and 1 days before the purge, once each`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await registry.create('Chat');
    await registry.terminate(1);
    const seen: [number, string][] = [];
    for (let hour = 0; START_MS + hour * 3_600_000 < PURGE_MS; hour += 6) {
      registry.clock.nowMs = START_MS + hour * 3_600_000;
      const before = (await noticeKinds(registry)).length;
      await registry.pass();
      for (const kind of (await noticeKinds(registry)).slice(before)) {
        seen.push([(PURGE_MS - registry.clock.nowMs) / DAY_MS, kind]);
      }
    }
    assert.deepEqual(seen, [
      [30, 'purge_in_30_days'],
      [7, 'purge_in_7_days'],
      [1, 'purge_in_1_day'],
    ]);
  });

  test(`${backend}: after an absence only the newest notice that is due is written`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await registry.create('Chat');
    await registry.terminate(1);
    registry.clock.nowMs = PURGE_MS - 2 * DAY_MS;
    await registry.pass();
    assert.deepEqual(await noticeKinds(registry), ['terminated', 'purge_in_7_days']);
  });

  test(`${backend}: an application that is terminated again gets its notices again`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await registry.create('Chat');
    await registry.terminate(1);
    registry.clock.nowMs = PURGE_MS - 20 * DAY_MS;
    await registry.pass();
    registry.clock.nowMs += 1_000;
    await registry.restore(2);
    const { purge_at: purgeAt } = await registry.terminate(3);
    registry.clock.nowMs = Date.parse(purgeAt ?? '') - 20 * DAY_MS;
    await registry.pass();
    assert.deepEqual(await noticeKinds(registry), [
      'terminated',
      'purge_in_30_days',
      'restored',
      'terminated',
      'purge_in_30_days',
    ]);
  });

  test(`${backend}: notices wait in the outbox for their receiver`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await registry.create('Chat');
    await registry.terminate(1);
    const rows = await registry.database.kysely
      .selectFrom('outbox')
      .selectAll()
      .where('kind', '=', 'notice')
      .execute();
    assert.deepEqual(
      rows.map(({ payload }) => JSON.parse(payload).kind),
      ['terminated'],
    );
  });

  test(`${backend}: what is not allowed in a state is refused and changes nothing`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await registry.create('Chat');
    await assert.rejects(registry.restore(1), { code: 'wrong_state' });
    await registry.terminate(1);
    await assert.rejects(registry.terminate(2), { code: 'wrong_state' });
    await assert.rejects(registry.suspend(2), { code: 'wrong_state' });
    await assert.rejects(registry.change(2, 'Talk'), { code: 'wrong_state' });
    await assert.rejects(registry.restore(1), { code: 'precondition_failed' });
    assert.deepEqual(await noticeKinds(registry), ['terminated']);
  });

  test(`${backend}: once the purge has begun the application cannot be restored`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await registry.create('Chat');
    await registry.terminate(1);
    registry.clock.nowMs = PURGE_MS;
    await registry.pass({ steps: { ...registry.services.steps, documents } });
    await assert.rejects(registry.restore(2), { code: 'precondition_failed' });
    await assert.rejects(registry.restore(3), { code: 'wrong_state', message: /the purge .* began at/ });
  });
}
