import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAsk } from '@imscope/schemas/query-api/ask.js';
import { type Call, createCall } from '@imscope/schemas/registry-api/call.js';
import { until } from '../pipeline/until.js';
import { Stack } from '../stack/stack.js';
import { testBroker } from '../stack/test-broker.js';

const APPLICATION = 1_400_000_123;
const ADDRESSES = {
  runbook_url: 'https://runbooks.example/chat',
  links: [{ title: 'Logs', url: 'https://logs.example/{request_id}' }],
};

let stack: Stack;
let call: Call;
let queryUrl: string;

before(async () => {
  stack = new Stack({
    name: 'registry-names',
    mode: 'source',
    broker: testBroker(),
    topicPrefix: `registry-names-${process.pid}.`,
  });
  await stack.startStore();
  await stack.prepare();
  const registry = await stack.startRegistry();
  const { url } = await stack.startQuery({ env: stack.fromRegistry('query') });
  queryUrl = url;
  call = createCall((path, { method, headers, body }) =>
    fetch(`${registry.url}${path}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${stack.credentials.adminToken}` },
      ...(body === undefined ? {} : { body }),
    }),
  );
  const details = { name: 'Before', owner: 'One team', data_centre: 'singapore', ...ADDRESSES };
  const body = { sdk_app_id: APPLICATION, app_id: 1_250_000_001, uin: 1, details };
  await call('createApplication', { body });
});

after(async () => stack.end());

async function application() {
  const ask = createAsk((path, { method }) =>
    fetch(`${queryUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${stack.credentials.readToken}` },
    }),
  );
  return (await ask('overview', { sdk_app_id: APPLICATION })).application;
}

test('a created application is named in answers, with its runbook and links', async () => {
  await until('it has its name', async () => (await application())?.name === 'Before');
  assert.deepEqual(await application(), {
    sdk_app_id: APPLICATION,
    name: 'Before',
    package: 'trial',
    owner: 'One team',
    runbook_url: ADDRESSES.runbook_url,
    link_templates: ADDRESSES.links,
  });
});

test('a changed name is in answers within a second', async () => {
  const { revision } = await call('getApplication', { params: { sdk_app_id: APPLICATION } });
  await call('changeApplication', {
    params: { sdk_app_id: APPLICATION },
    body: { details: { name: 'After' }, reason: 'a new name' },
    revision,
  });
  const startedMs = performance.now();
  await until('it has its new name', async () => (await application())?.name === 'After');
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < 1_000, `it took ${tookMs} ms`);
});

test('names that the store lost are published again', async () => {
  await stack.stop('registry');
  const { url, user, password, database } = stack.store();
  const dropped = await fetch(`${url}/?database=${database}`, {
    method: 'POST',
    headers: { 'x-clickhouse-user': user, 'x-clickhouse-key': password },
    body: 'TRUNCATE TABLE application_detail',
  });
  assert.ok(dropped.ok, await dropped.text());
  await stack.start('registry');
  await until('the name is stored again', async () => {
    const answer = await fetch(`${url}/?database=${database}`, {
      method: 'POST',
      headers: { 'x-clickhouse-user': user, 'x-clickhouse-key': password },
      body: 'SELECT name FROM application_detail',
    });
    return (await answer.text()).trim() === 'After';
  });
});
