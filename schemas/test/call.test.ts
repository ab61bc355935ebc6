import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AskError } from '../src/query-api/ask.js';
import { type CallOptions, type CallTransport, createCall } from '../src/registry-api/call.js';

const TIME = '2024-01-02T03:04:05.678Z';
const TOKEN = {
  id: 7,
  name: 'gateways',
  scope: 'write',
  applications: 'all',
  created_at: TIME,
  expires_at: null,
  records_per_second_max: null,
};

const failing =
  (error: Error): CallTransport =>
  async () => {
    throw error;
  };

function answering(status: number, body: unknown) {
  const sent: [path: string, options: CallOptions][] = [];
  const transport: CallTransport = async (path, options) => {
    sent.push([path, options]);
    return { status, text: async () => (typeof body === 'string' ? body : JSON.stringify(body)) };
  };
  return { call: createCall(transport), sent };
}

test('an operation is sent with its path, query and body', async () => {
  const { call, sent } = answering(200, { versions: [], next: null });
  await call('listVersions', { params: { sdk_app_id: 1_400_000_001 }, query: { limit: 20, after: 'a&b' } });
  const created = answering(201, { ...TOKEN, token: 'secret' });
  const body = { name: 'gateways', scope: 'write', applications: 'all', reason: 'new gateways' } as const;
  await created.call('createToken', { body });
  assert.deepEqual(sent, [
    ['/v1/registry/applications/1400000001/versions?limit=20&after=a%26b', { method: 'GET', headers: {} }],
  ]);
  const [[path, options] = []] = created.sent;
  assert.equal(path, '/v1/registry/tokens');
  assert.equal(options?.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(options?.body ?? ''), body);
});

test('a change names the revision that it changes', async () => {
  const { call, sent } = answering(412, {
    error: { code: 'precondition_failed', message: 'somebody else changed it' },
  });
  const change = call('rollback', {
    params: { sdk_app_id: 5 },
    body: { version: 2, reason: 'as before' },
    revision: 9,
  });
  await assert.rejects(change, (error) => error instanceof AskError && error.code === 'precondition_failed');
  assert.equal(sent[0]?.[1].headers['if-match'], '"9"');
});

test('an import is sent as text of its own type', async () => {
  const { call, sent } = answering(200, { created: 0, failed: [], failed_left_out: 0 });
  await call('importApplications', {
    body: 'sdk_app_id\n',
    contentType: 'text/csv',
    query: { dry_run: 'true' },
  });
  assert.equal(sent[0]?.[0], '/v1/registry/imports?dry_run=true');
  assert.equal(sent[0]?.[1].headers['content-type'], 'text/csv');
  assert.equal(sent[0]?.[1].body, 'sdk_app_id\n');
});

test('an answer of another form fails with the place that is wrong, and without what was received', async () => {
  const { call } = answering(201, { ...TOKEN, id: 'seven', token: 'secret-secret' });
  const body = { name: 'gateways', scope: 'write', applications: 'all', reason: 'new' } as const;
  await assert.rejects(call('createToken', { body }), (error) => {
    assert.ok(error instanceof AskError);
    assert.equal(error.code, 'unreadable_answer');
    assert.match(error.message, /id is wrong/);
    assert.equal(error.received, '');
    return true;
  });
});

test('no answer at all is a failure with a stable code', async () => {
  const timeout = Object.assign(new Error('late'), { name: 'TimeoutError' });
  for (const [error, code] of [
    [new TypeError('fetch failed'), 'network_unreachable'],
    [timeout, 'timed_out'],
  ] as const) {
    await assert.rejects(createCall(failing(error))('listTokens', {}), { code });
  }
});
