import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import type { Writer } from '../src/rows/application-rows.js';
import { BACKENDS, openRegistry, type RegistryUnderTest } from './backends.js';
import { changeQuota, dependenciesOf } from './direct-change.js';
import { newApplication } from './new-application.js';

const read = (registry: RegistryUnderTest) => registry.call('getApplication', { params: { sdk_app_id: 1 } });
const versions = async (registry: RegistryUnderTest): Promise<number[]> =>
  (await registry.call('listVersions', { params: { sdk_app_id: 1 } })).versions.map(({ version }) => version);

for (const backend of BACKENDS) {
  describe(`a change that fails in the middle, ${backend}`, () => {
    let registry: RegistryUnderTest;
    before(async () => {
      registry = await openRegistry(backend, 'failed_change');
    });
    after(() => registry.stop());

    test('nothing of it is in force, and its document is replaced by the next change', async () => {
      const { application } = await registry.call('createApplication', { body: newApplication(1) });
      const dependencies = dependenciesOf(registry.state, {
        onChange: async () => {
          throw new Error('the last step fails');
        },
      });
      await assert.rejects(changeQuota(dependencies, 11, 'fails'), /the last step fails/);
      assert.deepEqual(await read(registry), application);
      assert.deepEqual(await versions(registry), [1]);
      await changeQuota(dependenciesOf(registry.state), 22, 'succeeds');
      const { state, reason } = await registry.call('getVersion', { params: { sdk_app_id: 1, version: 2 } });
      assert.deepEqual([state.settings.quota_per_second, reason], [22, 'succeeds']);
    });
  });
}

test('a change whose connection to MySQL breaks before the commit is made once', async () => {
  const registry = await openRegistry('integrated', 'broken_connection');
  try {
    await registry.call('createApplication', { body: newApplication(1) });
    let broken = 0;
    const breakOnce = async (transaction: Writer): Promise<void> => {
      if (broken++ > 0) return;
      const { rows } = await sql<{ id: number }>`select connection_id() as id`.execute(transaction);
      await sql.raw(`kill ${rows[0]?.id}`).execute(registry.state.database.kysely);
    };
    await changeQuota(dependenciesOf(registry.state, { onChange: breakOnce }), 33, 'once');
    assert.equal(broken, 2);
    const { settings, revision, version } = await read(registry);
    assert.deepEqual([settings.quota_per_second, revision, version], [33, 2, 2]);
    assert.deepEqual(await versions(registry), [2, 1]);
    const { entries } = await registry.call('listAudit', { query: { sdk_app_id: 1 } });
    assert.deepEqual(
      entries.map(({ reason }) => reason),
      ['once', 'created'],
    );
  } finally {
    await registry.stop();
  }
});
