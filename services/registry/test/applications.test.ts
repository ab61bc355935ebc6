import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CONFIGURATION_DEFAULTS } from '@imscope/schemas/registry-api/configuration.js';
import { SETTINGS_DEFAULTS } from '@imscope/schemas/registry-api/settings.js';
import { APPLICATION_KEY } from '../src/secrets/secret-store.js';
import { BACKENDS, openRegistry, type RegistryUnderTest } from './backends.js';
import { newApplication } from './new-application.js';
import { refusedAs } from './refused-as.js';

for (const backend of BACKENDS) {
  describe(`applications, ${backend}`, () => {
    let registry: RegistryUnderTest;
    before(async () => {
      registry = await openRegistry(backend, 'applications');
    });
    after(() => registry.stop());

    test('an application is created with defaults, and its key is shown once', async () => {
      const { application, key } = await registry.call('createApplication', { body: newApplication(1) });
      assert.match(key, /^[0-9a-f]{64}$/);
      assert.deepEqual(application.configuration, CONFIGURATION_DEFAULTS);
      assert.deepEqual(application.settings, SETTINGS_DEFAULTS);
      assert.deepEqual(
        application.secrets.map(({ name }) => name),
        [APPLICATION_KEY],
      );
      const read = await registry.call('getApplication', { params: { sdk_app_id: 1 } });
      assert.deepEqual(read, application);
      assert.equal(JSON.stringify(read).includes(key), false);
      const { kysely } = registry.state.database;
      const secret = { sdkAppId: 1, name: APPLICATION_KEY, value: key };
      assert.equal(await registry.state.secrets.verify(kysely, secret), true);
    });

    test('an application that exists is not created again', async () => {
      await registry.call('createApplication', { body: newApplication(2) });
      const again = registry.call('createApplication', {
        body: newApplication(2, { details: { name: 'Another', data_centre: 'frankfurt' } }),
      });
      await assert.rejects(again, refusedAs('already_exists', 409));
      const read = await registry.call('getApplication', { params: { sdk_app_id: 2 } });
      assert.equal(read.details.name, 'Application 2');
    });

    test('a change makes a new version and a new revision, and is in the audit', async () => {
      const { application } = await registry.call('createApplication', { body: newApplication(3) });
      const changed = await registry.call('changeApplication', {
        params: { sdk_app_id: 3 },
        revision: application.revision,
        body: {
          settings: { quota_per_second: 100, codes: { 30001: 'service_error' } },
          configuration: { message_recall: { within_s: 60 } },
          reason: 'a tighter quota',
        },
      });
      assert.deepEqual([changed.version, changed.revision], [2, 2]);
      assert.deepEqual(changed.configuration.message_recall, {
        enabled: true,
        within_s: 60,
        by_administrator_only: false,
      });
      const { entries } = await registry.call('listAudit', { query: { sdk_app_id: 3 } });
      const [newest] = entries;
      assert.equal(newest?.action, 'application.change');
      assert.equal(newest.actor, 'test administrator');
      assert.equal(newest.reason, 'a tighter quota');
      assert.deepEqual(newest.paths.toSorted(), [
        '/configuration/message_recall/within_s',
        '/settings/codes/30001',
        '/settings/quota_per_second',
      ]);
    });

    test('a change that changes nothing makes no version', async () => {
      const { application } = await registry.call('createApplication', { body: newApplication(4) });
      const same = await registry.call('changeApplication', {
        params: { sdk_app_id: 4 },
        revision: 1,
        body: { details: { name: 'Application 4' }, reason: 'nothing' },
      });
      assert.deepEqual(same, application);
    });

    test('null gives a member its default back', async () => {
      await registry.call('createApplication', {
        body: newApplication(5, { settings: { quota_per_second: 5, logged_share: 0.5 } }),
      });
      const { settings } = await registry.call('changeApplication', {
        params: { sdk_app_id: 5 },
        revision: 1,
        body: { settings: JSON.parse('{"quota_per_second":null,"logged_share":null}'), reason: 'defaults' },
      });
      assert.deepEqual(settings, SETTINGS_DEFAULTS);
    });

    test('limits and waits of single interfaces are stored', async () => {
      const interfaces = [{ interface: 'openim/getmsg', limit_per_second: 500, waits: true }];
      await registry.call('createApplication', { body: newApplication(55, { settings: { interfaces } }) });
      const { settings } = await registry.call('getApplication', { params: { sdk_app_id: 55 } });
      assert.deepEqual(settings.interfaces, interfaces);
    });

    test('versions are listed newest first, compared and rolled back', async () => {
      await registry.call('createApplication', { body: newApplication(6) });
      for (const [revision, quota] of [
        [1, 10],
        [2, 20],
      ] as const) {
        await registry.call('changeApplication', {
          params: { sdk_app_id: 6 },
          revision,
          body: { settings: { quota_per_second: quota }, reason: `quota ${quota}` },
        });
      }
      const first = await registry.call('listVersions', { params: { sdk_app_id: 6 }, query: { limit: 2 } });
      assert.deepEqual(
        first.versions.map(({ version, reason }) => [version, reason]),
        [
          [3, 'quota 20'],
          [2, 'quota 10'],
        ],
      );
      const rest = await registry.call('listVersions', {
        params: { sdk_app_id: 6 },
        query: { after: first.next ?? '' },
      });
      assert.deepEqual(
        rest.versions.map(({ version }) => version),
        [1],
      );
      assert.equal(rest.next, null);
      const { differences } = await registry.call('diffVersions', {
        params: { sdk_app_id: 6 },
        query: { from: 1, to: 3 },
      });
      assert.deepEqual(differences, [{ path: '/settings/quota_per_second', before: null, after: 20 }]);
      const back = await registry.call('rollback', {
        params: { sdk_app_id: 6 },
        revision: 3,
        body: { version: 2, reason: 'too much' },
      });
      assert.deepEqual([back.version, back.settings.quota_per_second], [4, 10]);
    });

    test('a suspended application is distributed as suspended, and resumed as active', async () => {
      await registry.call('createApplication', { body: newApplication(7) });
      const suspended = await registry.call('suspendApplication', {
        params: { sdk_app_id: 7 },
        revision: 1,
        body: { reason: 'unpaid' },
      });
      assert.equal(suspended.status, 'suspended');
      assert.equal(await distributedStatus(registry, 7), 'suspended');
      const again = registry.call('suspendApplication', {
        params: { sdk_app_id: 7 },
        revision: 2,
        body: { reason: 'twice' },
      });
      await assert.rejects(again, refusedAs('wrong_state', 409));
      await registry.call('resumeApplication', {
        params: { sdk_app_id: 7 },
        revision: 2,
        body: { reason: 'paid' },
      });
      assert.equal(await distributedStatus(registry, 7), 'active');
    });

    test('a rotated key replaces the old one', async () => {
      const { key: old } = await registry.call('createApplication', { body: newApplication(8) });
      const { key, application } = await registry.call('rotateKey', {
        params: { sdk_app_id: 8 },
        revision: 1,
        body: { reason: 'leaked' },
      });
      assert.notEqual(key, old);
      assert.deepEqual([application.revision, application.version], [2, 1]);
      const { kysely } = registry.state.database;
      const verify = (value: string) =>
        registry.state.secrets.verify(kysely, { sdkAppId: 8, name: APPLICATION_KEY, value });
      assert.deepEqual([await verify(old), await verify(key)], [false, true]);
    });

    test('a secret belongs to a certificate of the configuration, and ends with it', async () => {
      const certificate = {
        id: 'apns-1',
        channel: 'apns',
        pack_name: 'com.example.chat',
        app_id: 'app',
        sandbox: false,
      };
      await registry.call('createApplication', {
        body: newApplication(9, { configuration: { push_certificates: [certificate] } }),
      });
      const summary = await registry.call('putSecret', {
        params: { sdk_app_id: 9 },
        body: { name: 'push/apns-1/app_secret', value: 'hidden value', reason: 'set up' },
      });
      assert.equal(summary.name, 'push/apns-1/app_secret');
      const missing = registry.call('putSecret', {
        params: { sdk_app_id: 9 },
        body: { name: 'push/other/app_secret', value: 'hidden value', reason: 'set up' },
      });
      await assert.rejects(missing, refusedAs('not_found', 404));
      await registry.call('putCertificate', {
        params: { sdk_app_id: 9, certificate_id: 'apns-1' },
        body: { content_base64: 'aGlkZGVuIGNvbnRlbnQ=', reason: 'set up' },
      });
      const before = await registry.call('getApplication', { params: { sdk_app_id: 9 } });
      assert.equal(before.secrets.length, 3);
      const after = await registry.call('changeApplication', {
        params: { sdk_app_id: 9 },
        revision: before.revision,
        body: { configuration: { push_certificates: [] }, reason: 'no more pushes' },
      });
      assert.deepEqual(
        after.secrets.map(({ name }) => name),
        [APPLICATION_KEY],
      );
    });

    test('applications are found by a part of name or owner, and by the start of their id', async () => {
      const details = { name: 'Groß Café', data_centre: 'singapore', owner: 'Team Übersee' };
      await registry.call('createApplication', { body: newApplication(1_400_000_010, { details }) });
      const found = async (search: string) => {
        const { applications, total } = await registry.call('listApplications', { query: { search } });
        assert.equal(total, applications.length);
        return applications.map(({ sdk_app_id }) => sdk_app_id);
      };
      assert.deepEqual(await found('café'), [1_400_000_010]);
      assert.deepEqual(await found('ÜBERSEE'), [1_400_000_010]);
      assert.deepEqual(await found('14000000'), [1_400_000_010]);
      assert.deepEqual(await found('100%'), []);
    });

    test('pages of a search are in the order of ids, with the total of all that match', async () => {
      const first = await registry.call('listApplications', { query: { search: 'application', limit: 2 } });
      assert.deepEqual(
        first.applications.map(({ sdk_app_id }) => sdk_app_id),
        [1, 2],
      );
      const rest = await registry.call('listApplications', {
        query: { search: 'application', after: first.next ?? '' },
      });
      assert.deepEqual([rest.total, rest.applications.length], [first.total, first.total - 2]);
      assert.equal(rest.next, null);
    });

    test('pages of a list are in the order of ids and complete', async () => {
      const ids: number[] = [];
      let after: string | undefined;
      do {
        const page = await registry.call('listApplications', {
          query: { limit: 3, ...(after === undefined ? {} : { after }) },
        });
        ids.push(...page.applications.map(({ sdk_app_id }) => sdk_app_id));
        after = page.next ?? undefined;
      } while (after !== undefined);
      const { total } = await registry.call('listApplications', {});
      assert.equal(ids.length, total);
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      );
    });

    test('everything is there after a restart', async () => {
      const before = await registry.call('getApplication', { params: { sdk_app_id: 3 } });
      await registry.restart();
      assert.deepEqual(await registry.call('getApplication', { params: { sdk_app_id: 3 } }), before);
    });
  });
}

async function distributedStatus(registry: RegistryUnderTest, sdkAppId: number): Promise<unknown> {
  const { entry } = await registry.state.database.kysely
    .selectFrom('entry')
    .select('entry')
    .where('entry_key', '=', `application/${sdkAppId}`)
    .executeTakeFirstOrThrow();
  return JSON.parse(entry ?? 'null').status;
}
