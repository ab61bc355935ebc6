import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AskError } from '@imscope/schemas/query-api/ask.js';
import { BACKENDS, openRegistry, type RegistryUnderTest } from './backends.js';
import { newApplication } from './new-application.js';
import { refusedAs } from './refused-as.js';

const OTHER_TOKEN = 'test-token-of-another-administrator';

for (const backend of BACKENDS) {
  describe(`two administrators, ${backend}`, () => {
    let registry: RegistryUnderTest;
    before(async () => {
      registry = await openRegistry(backend, 'two_administrators', {
        tokens: [{ name: 'other administrator', token: OTHER_TOKEN, scope: 'admin', applications: 'all' }],
      });
    });
    after(() => registry.stop());

    test('a change of a revision that has passed is refused, with who changed what and when', async () => {
      await registry.call('createApplication', { body: newApplication(1) });
      const other = registry.callAs(OTHER_TOKEN);
      await other('changeApplication', {
        params: { sdk_app_id: 1 },
        revision: 1,
        body: { settings: { quota_per_second: 7 }, reason: 'quieter' },
      });
      const stale = registry.call('changeApplication', {
        params: { sdk_app_id: 1 },
        revision: 1,
        body: { details: { owner: 'team a' }, reason: 'a new owner' },
      });
      const says =
        /revision 2, If-Match names 1.*"other administrator" changed \/settings\/quota_per_second.*\d{4}-\d\d-\d\dT/;
      await assert.rejects(stale, refusedAs('precondition_failed', 412, says));
      const { settings, details } = await registry.call('getApplication', { params: { sdk_app_id: 1 } });
      assert.deepEqual([settings.quota_per_second, details.owner], [7, '']);
    });

    test('of many changes of one revision at once exactly one is made, the others are told', async () => {
      const { application } = await registry.call('createApplication', { body: newApplication(2) });
      const changes = await Promise.allSettled(
        Array.from({ length: 12 }, (_, index) =>
          registry.call('changeApplication', {
            params: { sdk_app_id: 2 },
            revision: application.revision,
            body: { settings: { quota_per_second: index + 1 }, reason: `change ${index}` },
          }),
        ),
      );
      const made = changes.filter(({ status }) => status === 'fulfilled');
      assert.equal(made.length, 1);
      for (const change of changes) {
        if (change.status === 'rejected') {
          assert.ok(change.reason instanceof AskError);
          assert.equal(change.reason.code, 'precondition_failed', change.reason.message);
        }
      }
      const { versions } = await registry.call('listVersions', { params: { sdk_app_id: 2 } });
      assert.deepEqual(
        versions.map(({ version }) => version),
        [2, 1],
      );
      const inForce = await registry.call('getApplication', { params: { sdk_app_id: 2 } });
      const newest = await registry.call('getVersion', { params: { sdk_app_id: 2, version: 2 } });
      assert.deepEqual(newest.state.settings, inForce.settings);
    });

    test('secrets that are set at once are all set, one after the other', async () => {
      await registry.call('createApplication', { body: newApplication(5) });
      const put = async (value: string) =>
        registry.call('putSecret', {
          params: { sdk_app_id: 5 },
          body: { name: 'callback/signing_key', value, reason: value },
        });
      await Promise.all(Array.from({ length: 8 }, (_, index) => put(`key ${index}`)));
      const { entries } = await registry.call('listAudit', { query: { sdk_app_id: 5 } });
      assert.equal(entries.filter(({ action }) => action === 'secret.put').length, 8);
    });

    test('of many tokens of one name that are made at once two are made', async () => {
      const made = await Promise.allSettled(
        Array.from({ length: 8 }, () =>
          registry.call('createToken', {
            body: { name: 'same', scope: 'read', applications: 'all', reason: 'a test' },
          }),
        ),
      );
      const codes = made.flatMap((one) =>
        one.status === 'rejected' && one.reason instanceof AskError ? [one.reason.code] : [],
      );
      assert.deepEqual(codes, Array.from({ length: 6 }).fill('already_exists'));
      const { tokens } = await registry.call('listTokens', {});
      assert.equal(tokens.filter(({ name }) => name === 'same').length, 2);
    });

    test('administrators that merge and try again lose nothing', async () => {
      await registry.call('createApplication', { body: newApplication(3) });
      const addTag = async (tag: string): Promise<void> => {
        for (;;) {
          const { revision, configuration } = await registry.call('getApplication', {
            params: { sdk_app_id: 3 },
          });
          try {
            await registry.call('changeApplication', {
              params: { sdk_app_id: 3 },
              revision,
              body: { configuration: { tags: [...configuration.tags, tag] }, reason: tag },
            });
            return;
          } catch (error) {
            if (!(error instanceof AskError) || error.code !== 'precondition_failed') throw error;
          }
        }
      };
      const tags = Array.from({ length: 8 }, (_, index) => `tag ${index}`);
      await Promise.all(tags.map(addTag));
      const { configuration, version } = await registry.call('getApplication', {
        params: { sdk_app_id: 3 },
      });
      assert.deepEqual(configuration.tags.toSorted(), tags);
      assert.equal(version, 1 + tags.length);
    });

    test('of many creations of one application exactly one is made', async () => {
      const creations = await Promise.allSettled(
        Array.from({ length: 8 }, () => registry.call('createApplication', { body: newApplication(4) })),
      );
      const refused = creations.filter(({ status }) => status === 'rejected');
      assert.equal(refused.length, 7);
      for (const one of refused) {
        assert.ok(one.status === 'rejected' && one.reason instanceof AskError);
        assert.equal(one.reason.code, 'already_exists', one.reason.message);
      }
    });

    test('revisions of entries are in the order of commits, without a gap or a repeat', async () => {
      const before = await revisions(registry);
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          registry.call('createApplication', { body: newApplication(100 + index) }),
        ),
      );
      const added = (await revisions(registry)).slice(before.length);
      const first = (before.at(-1) ?? 0) + 1;
      assert.deepEqual(
        added,
        Array.from({ length: 10 }, (_, index) => first + index),
      );
    });
  });
}

async function revisions(registry: RegistryUnderTest): Promise<number[]> {
  const rows = await registry.state.database.kysely
    .selectFrom('entry')
    .select('revision')
    .orderBy('revision')
    .execute();
  return rows.map(({ revision }) => revision);
}
