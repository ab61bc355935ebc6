import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FleetPage } from '@imscope/schemas/query-api/applications.js';
import { DescribedApplication } from '@imscope/schemas/query-api/application-name.js';
import { QUESTIONS } from '@imscope/schemas/query-api/questions.js';
import { Value } from 'typebox/value';
import { openStoreAndQuery, READ_ALL } from './query-under-test.js';
import { addressOf, readAnswer } from './read-answer.js';
import { storedRow } from './stored-row.js';

const LINKS = [{ title: 'Logs', url: 'https://logs.example/?app={sdk_app_id}&from={from}&to={to}' }];
const STORED = {
  sdk_app_id: 101,
  name: 'Störenfried 聊天',
  package: 'pro',
  owner: 'Messaging',
  runbook_url: 'https://runbooks.example/101',
};
const NAMED = { ...STORED, link_templates: LINKS };

const { store, query } = await openStoreAndQuery(async (store) => {
  const time = Date.now() - 60_000;
  await store.insert([101, 103].map((sdk_app_id, block_row) => storedRow({ time, sdk_app_id, block_row })));
  await store.client.insert({
    table: 'application_detail',
    values: [{ ...STORED, links: JSON.stringify(LINKS), region: 'singapore', revision: 1, deleted: false }],
    format: 'JSONEachRow',
  });
});

async function applicationOf(path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${READ_ALL}` };
  const needed = path.endsWith('/breakdown') ? { group_by: 'node' } : {};
  const response = await query.app.inject({ url: addressOf(path, needed), headers });
  assert.equal(response.statusCode, 200, response.body);
  const body = response.json<{ application?: unknown }>();
  return body.application;
}

test('every answer about one application says its name, package, owner and links', async () => {
  // Those that name something of an application in their path are asked in their own tests.
  const paths = Object.values(QUESTIONS).filter(
    ({ scope, path }) => scope === 'application' && !path.replace(':sdk_app_id', '').includes(':'),
  );
  assert.ok(paths.length >= 8);
  for (const { path } of paths) {
    const application = await applicationOf(path.replace('/v1/', '').replace(':sdk_app_id', '101'));
    assert.ok(Value.Check(DescribedApplication, application), path);
    assert.deepEqual(application, NAMED, path);
  }
});

test('an application without a name has empty texts', async () => {
  assert.deepEqual(await applicationOf('applications/103/overview'), {
    sdk_app_id: 103,
    name: '',
    package: '',
    owner: '',
    runbook_url: '',
    link_templates: [],
  });
});

test('rows of the fleet have name, package and owner', async () => {
  const { data } = await readAnswer(query.app, FleetPage, 'applications');
  const names = data.applications.map(({ sdk_app_id, name, package: plan, owner }) => [
    sdk_app_id,
    name,
    plan,
    owner,
  ]);
  assert.deepEqual(
    names.toSorted(([a], [b]) => Number(a) - Number(b)),
    [
      [101, NAMED.name, 'pro', 'Messaging'],
      [103, '', '', ''],
    ],
  );
});

test('without the dictionary figures are answered, without names', async () => {
  await store.client.command({ query: 'DROP DICTIONARY application_name' });
  assert.deepEqual(await applicationOf('applications/101/overview'), {
    sdk_app_id: 101,
    name: '',
    package: '',
    owner: '',
    runbook_url: '',
    link_templates: [],
  });
});
