import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { APPLICATION_KEY } from '../src/secrets/secret-store.js';
import { BACKENDS, openRegistry, type RegistryUnderTest } from './backends.js';
import { newApplication } from './new-application.js';
import { refusedAs } from './refused-as.js';

const CSV = 'text/csv';
const NDJSON = 'application/x-ndjson';
const LIMITED_TOKEN = 'test-token-of-two-applications';

for (const backend of BACKENDS) {
  describe(`imports, ${backend}`, () => {
    let registry: RegistryUnderTest;
    before(async () => {
      registry = await openRegistry(backend, 'import', {
        tokens: [{ name: 'limited', token: LIMITED_TOKEN, scope: 'admin', applications: [701] }],
      });
    });
    after(() => registry.stop());

    const send = (contentType: typeof CSV | typeof NDJSON, body: string, dry_run?: 'true') =>
      registry.call('importApplications', {
        body,
        contentType,
        query: dry_run === undefined ? {} : { dry_run },
      });
    const read = (sdkAppId: number) => registry.call('getApplication', { params: { sdk_app_id: sdkAppId } });

    test('rows of a CSV become applications with the values of its columns', async () => {
      const { created, failed } = await send(
        CSV,
        'sdk_app_id,app_id,uin,name,data_centre,owner,subscriptions,quota_per_second,logged_share,configuration,key\r\n' +
          '101,1250000001,100000000001,"Chat, ""one""",singapore,team a,trtc;push,50,0.25,"{""recent_contacts_max"":200}",an-existing-key-of-the-operator\r\n' +
          '102,1250000001,100000000001,聊天,frankfurt,,,,,,\r\n',
      );
      assert.deepEqual([created, failed], [2, []]);
      const one = await read(101);
      assert.equal(one.details.name, 'Chat, "one"');
      assert.deepEqual(one.details.subscriptions, ['trtc', 'push']);
      assert.deepEqual([one.settings.quota_per_second, one.settings.logged_share], [50, 0.25]);
      assert.equal(one.configuration.recent_contacts_max, 200);
      const other = await read(102);
      assert.deepEqual([other.details.name, other.details.owner], ['聊天', '']);
      const key = { sdkAppId: 101, name: APPLICATION_KEY, value: 'an-existing-key-of-the-operator' };
      assert.equal(await registry.state.secrets.verify(registry.state.database.kysely, key), true);
    });

    test('a file that is no CSV is refused as a whole', async () => {
      for (const text of ['\x1f\x8b\b\0', 'sdk_app_id,"name\n1,a\n', 'sdk_app_id,n\xe9\n']) {
        const answer = await registry.send('/v1/registry/imports', {
          method: 'POST',
          headers: { 'content-type': CSV },
          body: Buffer.from(text, 'latin1'),
        });
        const { error } = Object(await answer.json());
        assert.deepEqual([answer.status, error?.code], [400, 'unreadable_body'], String(error?.message));
      }
    });

    test('a bad row is named by its line with what is wrong, and the others are created', async () => {
      const lines = [
        JSON.stringify(newApplication(201)),
        '{"sdk_app_id":202',
        JSON.stringify(newApplication(203, { configuration: { recent_contacts_max: 501 } })),
        '',
        JSON.stringify(newApplication(201)),
        JSON.stringify({ ...newApplication(204), unknown: 1 }),
        JSON.stringify(newApplication(205, { configuration: { callback: { url: 'http://10.0.0.1/' } } })),
        JSON.stringify(newApplication(206)),
        `{"sdk_app_id":207,"configuration":${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}}`,
        'null',
      ];
      const { created, failed } = await send(NDJSON, lines.join('\n'));
      assert.equal(created, 2);
      assert.deepEqual(
        failed.map(({ line, code }) => [line, code]),
        [
          [2, 'unreadable_body'],
          [3, 'invalid_parameter'],
          [5, 'already_exists'],
          [6, 'invalid_parameter'],
          [7, 'invalid_parameter'],
          [9, 'invalid_parameter'],
          [10, 'invalid_parameter'],
        ],
      );
      assert.match(
        failed[1]?.message ?? '',
        /\/configuration\/recent_contacts_max is 501: .* from 100 to 500/,
      );
      assert.equal((await read(206)).status, 'active');
      await assert.rejects(read(203), refusedAs('not_found', 404));
    });

    test('bad rows of a CSV are named by their lines', async () => {
      const { created, failed } = await send(
        CSV,
        'sdk_app_id,app_id,uin,name,data_centre,settings\n' +
          '301,1,1,One,singapore,\n' +
          '302,1,1,Two\n' +
          '303,1,1,"Thr"ee,singapore,\n' +
          '304,1,1,Four,singapore,{broken\n' +
          'x305,1,1,Five,singapore,\n' +
          '306,1,1,"Six\non two lines",singapore,\n' +
          '307,1,1,Seven,singapore,\n',
      );
      assert.deepEqual(
        failed.map(({ line, code }) => [line, code]),
        [
          [3, 'unreadable_body'],
          [4, 'unreadable_body'],
          [5, 'unreadable_body'],
          [6, 'invalid_parameter'],
          [7, 'invalid_parameter'],
        ],
      );
      assert.equal(created, 2);
    });

    test('a header with an unknown column refuses the file', async () => {
      const sent = send(CSV, 'sdk_app_id,app_id,uin,nmae\n401,1,1,One\n');
      await assert.rejects(sent, refusedAs('invalid_parameter', 400, /"nmae".*Nothing was created/));
    });

    test('a dry run checks everything and writes nothing', async () => {
      const rows = [newApplication(501), newApplication(502), newApplication(101), newApplication(501)];
      const body = rows.map((row) => JSON.stringify(row)).join('\n');
      const before = await counts(registry);
      const { created, failed } = await send(NDJSON, body, 'true');
      assert.equal(created, 2);
      assert.deepEqual(
        failed.map(({ line, code }) => [line, code]),
        [
          [3, 'already_exists'],
          [4, 'already_exists'],
        ],
      );
      assert.deepEqual(await counts(registry), before);
    });

    test('a repeated import creates nothing again', async () => {
      const body = Array.from({ length: 450 }, (_, index) => JSON.stringify(newApplication(1_000 + index)));
      const first = await send(NDJSON, body.join('\n'));
      assert.deepEqual([first.created, first.failed.length], [450, 0]);
      const again = await send(NDJSON, body.join('\n'));
      assert.deepEqual([again.created, again.failed.length], [0, 450]);
    });

    test('two imports of the same applications at once create each once', async () => {
      const body = Array.from({ length: 300 }, (_, index) => JSON.stringify(newApplication(2_000 + index)));
      const results = await Promise.all([send(NDJSON, body.join('\n')), send(NDJSON, body.join('\n'))]);
      const created = results.reduce((sum, result) => sum + result.created, 0);
      assert.equal(created, 300);
      assert.ok(results.every(({ failed }) => failed.every(({ code }) => code === 'already_exists')));
    });

    test('failed rows beyond those listed are counted', async () => {
      const { failed, failed_left_out: leftOut } = await send(NDJSON, 'null\n'.repeat(1_100));
      assert.deepEqual([failed.length, leftOut], [1_000, 100]);
    });

    test('an administrator of some applications imports only these', async () => {
      const { created, failed } = await registry.callAs(LIMITED_TOKEN)('importApplications', {
        body: [701, 702].map((id) => JSON.stringify(newApplication(id))).join('\n'),
        contentType: NDJSON,
        query: {},
      });
      assert.deepEqual([created, failed.map(({ line, code }) => [line, code])], [1, [[2, 'not_allowed']]]);
    });

    test('a line that never ends is refused without being kept', async () => {
      const body = `${JSON.stringify(newApplication(801))}\n${'x'.repeat(2 << 20)}`;
      const { created, failed } = await send(NDJSON, body);
      assert.deepEqual(
        [created, failed.map(({ line, code }) => [line, code])],
        [1, [[2, 'unreadable_body']]],
      );
      const quoted = await send(
        CSV,
        `sdk_app_id,app_id,uin,name,data_centre\n802,1,1,One,singapore\n803,1,1,"${'x'.repeat(2 << 20)}`,
      );
      assert.deepEqual([quoted.created, quoted.failed.length], [1, 1]);
    });
  });
}

async function counts(registry: RegistryUnderTest): Promise<readonly number[]> {
  const tables = ['application', 'audit', 'entry', 'secret', 'data_key'] as const;
  return Promise.all(
    tables.map(async (table) => {
      const { count } = await registry.state.database.kysely
        .selectFrom(table)
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return count;
    }),
  );
}

test('rows beyond APPLICATIONS_MAX are named, and none of them is created', async () => {
  const registry = await openRegistry('embedded', 'import_bound', { env: { APPLICATIONS_MAX: '3' } });
  try {
    await registry.call('createApplication', { body: newApplication(1) });
    const body = [2, 3, 4, 5].map((id) => JSON.stringify(newApplication(id))).join('\n');
    for (const dryRun of ['true', 'false'] as const) {
      const { created, failed } = await registry.call('importApplications', {
        body,
        contentType: NDJSON,
        query: { dry_run: dryRun },
      });
      assert.equal(created, 2);
      assert.deepEqual(
        failed.map(({ line, code }) => [line, code]),
        [
          [3, 'wrong_state'],
          [4, 'wrong_state'],
        ],
      );
    }
    assert.equal((await registry.call('listApplications', {})).total, 3);
  } finally {
    await registry.stop();
  }
});
