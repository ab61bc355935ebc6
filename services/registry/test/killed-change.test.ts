import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Application } from '@imscope/schemas/registry-api/application.js';
import { BACKENDS, openRegistry, type RegistryUnderTest } from './backends.js';
import { newApplication } from './new-application.js';

const PROGRAM = fileURLToPath(new URL('change-and-die.ts', import.meta.url));

/** Runs the program until it is killed by itself. */
async function changeAndDie(registry: RegistryUnderTest, point: string): Promise<void> {
  const child = spawn(process.execPath, ['--conditions=imscope-source', '--import', 'tsx', PROGRAM, point], {
    env: { ...process.env, ...registry.env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');
}

const quotaChange = (revision: number, quota: number) => ({
  params: { sdk_app_id: 1 },
  revision,
  body: { settings: { quota_per_second: quota }, reason: 'after the kill' },
});

for (const backend of BACKENDS) {
  describe(`a process that is killed while it changes, ${backend}`, () => {
    let registry: RegistryUnderTest;
    let created: Application;
    before(async () => {
      registry = await openRegistry(backend, 'killed_change');
    });
    beforeEach(async () => {
      const { database, documents } = registry.state;
      await database.kysely.deleteFrom('application').execute();
      await database.kysely.deleteFrom('code_override').execute();
      await database.kysely.deleteFrom('audit').execute();
      await documents.deleteApplication(1);
      ({ application: created } = await registry.call('createApplication', { body: newApplication(1) }));
    });
    after(() => registry.stop());

    const complete = async () => {
      const application = await registry.call('getApplication', { params: { sdk_app_id: 1 } });
      const { versions } = await registry.call('listVersions', { params: { sdk_app_id: 1 } });
      const { entries } = await registry.call('listAudit', { query: { sdk_app_id: 1 } });
      return { application, versions: versions.map(({ reason }) => reason), audited: entries.length };
    };

    for (const point of ['after_document', 'before_commit']) {
      test(`${point}: nothing of the change is in force, and the next one is made`, async () => {
        await changeAndDie(registry, point);
        const { application, versions, audited } = await complete();
        assert.deepEqual(application, created);
        assert.deepEqual([versions.length, audited], [1, 1]);
        const changed = await registry.call('changeApplication', quotaChange(1, 22));
        assert.deepEqual([changed.version, changed.settings.quota_per_second], [2, 22]);
        assert.deepEqual(changed.settings.codes, {});
        const { state } = await registry.call('getVersion', { params: { sdk_app_id: 1, version: 2 } });
        assert.deepEqual(state.settings, changed.settings);
      });
    }

    test('after_commit: the whole change is in force', async () => {
      await changeAndDie(registry, 'after_commit');
      const { application, versions, audited } = await complete();
      assert.equal(application.settings.quota_per_second, 11);
      assert.deepEqual(application.settings.codes, { 5: 'success' });
      assert.deepEqual(versions, ['by the killed process', 'created']);
      assert.equal(audited, 2);
      const { differences } = await registry.call('diffVersions', {
        params: { sdk_app_id: 1 },
        query: { from: 1, to: 2 },
      });
      assert.deepEqual(differences.map(({ path }) => path).toSorted(), [
        '/settings/codes/5',
        '/settings/quota_per_second',
      ]);
    });
  });
}
