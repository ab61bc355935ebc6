/*
 * A change of the registry takes effect in running collectors and the query service: through Redis and through the
 * compacted topic, in processes of their own. "Within a second" is measured by `npm run bench:registry`; here every wait
 * has a bound that a busy machine does not need.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import {
  askFor,
  newApplication,
  type RegistryChain,
  sendRecord,
  startRegistryChain,
} from '../stack/registry-chain.js';
import { readMetric } from '../stack/read-metric.js';
import { type ListeningService, startStack, type Stack } from '../stack/stack.js';

const WAIT_MS_MAX = 20_000;
const APPLICATION = 1_400_000_001;
const OTHER = 1_400_000_002;
let stack: Stack;
let chain: RegistryChain;
let collectors: readonly ListeningService[];
let query: ListeningService;

before(async () => {
  await startStack({ name: 'registry', mode: 'source' }, async (started) => {
    stack = started;
    chain = await startRegistryChain(stack);
    const env = { REGION: 'singapore' };
    collectors = [
      await stack.startCollector({ name: 'collector redis', env: { ...chain.redisEnv, ...env } }),
      await stack.startCollector({ name: 'collector topic', env: { ...chain.topicEnv, ...env } }),
    ];
    query = await stack.startQuery({ env: chain.redisEnv });
    for (const id of [APPLICATION, OTHER])
      await chain.call('createApplication', { body: newApplication(id) });
  });
});
after(() => stack.end());

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS_MAX;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) assert.fail(`${what}: not within ${WAIT_MS_MAX} ms`);
    await sleep(20);
  }
}

/** Both collectors say this of a record of the application. */
async function untilCollectorsSay(
  word: string,
  sdkAppId: number,
  token = stack.credentials.writeToken,
): Promise<void> {
  for (const collector of collectors) {
    await until(
      async () => (await sendRecord(collector, token, sdkAppId)) === word,
      `${collector.name}: ${word}`,
    );
  }
}

async function change(
  operation: 'suspendApplication' | 'resumeApplication' | 'terminateApplication' | 'restoreApplication',
  sdkAppId: number,
): Promise<void> {
  const params = { sdk_app_id: sdkAppId };
  const { revision } = await chain.call('getApplication', { params });
  await chain.call(operation, { params, revision, body: { reason: 'a test' } });
}

test('a suspended application is refused by collectors and can be read, and is accepted again once it is resumed', async () => {
  await untilCollectorsSay('accepted', APPLICATION);
  await change('suspendApplication', APPLICATION);
  await untilCollectorsSay('application_suspended', APPLICATION);
  assert.notEqual(await askFor(query, stack.credentials.readToken, APPLICATION), 'not_allowed');
  await change('resumeApplication', APPLICATION);
  await untilCollectorsSay('accepted', APPLICATION);
});

test('a terminated application is refused by collectors and cannot be read, until it is restored', async () => {
  const { readToken } = stack.credentials;
  await change('terminateApplication', OTHER);
  await untilCollectorsSay('application_terminated', OTHER);
  await until(async () => (await askFor(query, readToken, OTHER)) === 'not_allowed', 'query');
  await change('restoreApplication', OTHER);
  await untilCollectorsSay('accepted', OTHER);
  await until(async () => (await askFor(query, readToken, OTHER)) !== 'not_allowed', 'query');
});

test('a token works once it is created, and no longer once it is revoked, for sending and for reading', async () => {
  const request = { applications: 'all' as const, reason: 'a test' };
  const writer = await chain.call('createToken', { body: { ...request, name: 'writer', scope: 'write' } });
  const reader = await chain.call('createToken', { body: { ...request, name: 'reader', scope: 'read' } });
  await untilCollectorsSay('accepted', APPLICATION, writer.token);
  await until(async () => (await askFor(query, reader.token, APPLICATION)) !== 'invalid_token', 'query');
  const signedIn = await fetch(`${query.url}/v1/session`, {
    method: 'POST',
    body: JSON.stringify({ token: reader.token }),
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(signedIn.status, 200);
  const cookie = signedIn.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  for (const { id } of [writer, reader]) await chain.call('revokeToken', { params: { id } });
  await untilCollectorsSay('invalid_token', APPLICATION, writer.token);
  await until(async () => (await askFor(query, reader.token, APPLICATION)) === 'invalid_token', 'query');
  const session = await fetch(`${query.url}/v1/session`, { headers: { cookie } });
  await session.body?.cancel();
  assert.equal(session.status, 401);
});

test('a quota and a code override of an application are obeyed without a restart', async () => {
  const params = { sdk_app_id: APPLICATION };
  const { revision } = await chain.call('getApplication', { params });
  await chain.call('changeApplication', {
    params,
    revision,
    body: {
      reason: 'a test',
      settings: { quota_per_second: 1, limit_per_second: 2, codes: { '90994': 'success' } },
    },
  });
  await untilCollectorsSay('too_many_requests', APPLICATION);
  for (const { adminPort, name } of collectors) {
    const sampled = await readMetric(adminPort, 'imscope_collector_records_sampled_out_total');
    assert.ok(sampled > 0, `${name} sampled ${sampled}`);
  }
});

test('a collector that starts while Redis and the registry are away goes on with what it knew', async () => {
  await stack.stop('registry');
  await chain.redis.stop();
  await stack.stop('collector redis');
  await stack.start('collector redis');
  const [collector] = collectors;
  assert.ok(collector !== undefined);
  assert.equal(await sendRecord(collector, stack.credentials.writeToken, OTHER), 'accepted');
  assert.equal(await readMetric(collector.adminPort, 'imscope_collector_registry_connected'), 0);
});
