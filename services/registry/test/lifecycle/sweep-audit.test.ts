import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACKENDS, DAY_MS, noticeKinds, openLifecycle, START_MS } from './lifecycle-under-test.js';

for (const backend of BACKENDS) {
  test(`${backend}: entries of the audit and notices are deleted after their time, newer ones stay`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await registry.create('Chat');
    await registry.terminate(1);
    registry.clock.nowMs = START_MS + DAY_MS;
    await registry.restore(2);
    const actions = async () => {
      const rows = await registry.database.kysely
        .selectFrom('audit')
        .select('action')
        .orderBy('id')
        .execute();
      return rows.map(({ action }) => action);
    };
    const before = await actions();
    assert.equal(before.length, 3);
    registry.clock.nowMs = START_MS + 90 * DAY_MS;
    await registry.pass({ auditKeptMs: 90 * DAY_MS });
    assert.deepEqual(await actions(), before);
    registry.clock.nowMs = START_MS + 90.5 * DAY_MS;
    await registry.pass({ auditKeptMs: 90 * DAY_MS });
    assert.deepEqual(await actions(), ['application.restore']);
    assert.deepEqual(await noticeKinds(registry), ['restored']);
  });
}
