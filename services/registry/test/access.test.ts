import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createSessionSeal, SESSION_COOKIE } from '@imscope/access/session-seal.js';
import { hashToken } from '@imscope/access/tokens.js';
import { ADMIN_TOKEN, BACKENDS, openRegistry, type RegistryUnderTest } from './backends.js';
import { newApplication } from './new-application.js';
import { refusedAs } from './refused-as.js';

const SESSION_KEY = 'a session key of more than 32 characters';
const READER_TOKEN = 'test-token-of-a-reader';
const LIMITED_TOKEN = 'test-token-of-one-application';
const LIST = '/v1/registry/applications';

for (const backend of BACKENDS) {
  describe(`access, ${backend}`, () => {
    let registry: RegistryUnderTest;
    before(async () => {
      registry = await openRegistry(backend, 'access', {
        env: { SESSION_KEY },
        tokens: [
          { name: 'reader', token: READER_TOKEN, scope: 'read', applications: 'all' },
          { name: 'limited', token: LIMITED_TOKEN, scope: 'admin', applications: [1] },
        ],
      });
      await registry.call('createApplication', { body: newApplication(1) });
      await registry.call('createApplication', { body: newApplication(2) });
    });
    after(() => registry.stop());

    const statusAs = async (headers: Record<string, string>, path = LIST, method = 'GET') => {
      const response = await fetch(`${registry.url}${path}`, { method, headers });
      return [response.status, errorCode(await response.text())];
    };

    test('without a token nothing is answered, and a token of scope read is not enough', async () => {
      assert.deepEqual(await statusAs({}), [401, 'missing_token']);
      assert.deepEqual(await statusAs({ authorization: `Bearer ${READER_TOKEN}` }), [403, 'not_allowed']);
    });

    test('an administrator of one application reaches no other', async () => {
      const call = registry.callAs(LIMITED_TOKEN);
      const { applications, total } = await call('listApplications', {});
      assert.deepEqual(
        applications.map(({ sdk_app_id }) => sdk_app_id),
        [1],
      );
      assert.equal(total, 1);
      const refused = refusedAs('not_allowed', 403);
      await assert.rejects(call('getApplication', { params: { sdk_app_id: 2 } }), refused);
      await assert.rejects(call('getApplication', { params: { sdk_app_id: 3 } }), refused);
      await assert.rejects(call('createApplication', { body: newApplication(3) }), refused);
      await assert.rejects(
        call('createToken', {
          body: { name: 'more', scope: 'read', applications: 'all', reason: 'for all' },
        }),
        refused,
      );
      const audit = await call('listAudit', {});
      assert.deepEqual([...new Set(audit.entries.map(({ sdk_app_id }) => sdk_app_id))], [1]);
      const { tokens } = await call('listTokens', {});
      assert.deepEqual(
        tokens.map(({ name }) => name),
        ['limited'],
      );
    });

    test('a token works from its creation until it is revoked, and not a request longer', async () => {
      const created = await registry.call('createToken', {
        body: { name: 'short lived', scope: 'admin', applications: [2], reason: 'a test' },
      });
      const call = registry.callAs(created.token);
      assert.equal((await call('getApplication', { params: { sdk_app_id: 2 } })).sdk_app_id, 2);
      const answers = await registry.call('listTokens', {});
      assert.equal(JSON.stringify(answers).includes(created.token), false);
      await registry.call('revokeToken', { params: { id: created.id } });
      await assert.rejects(call('listApplications', {}), refusedAs('invalid_token', 401));
    });

    test('a token that has expired is refused', async () => {
      const expires_at = new Date(Date.now() + 400).toISOString();
      const created = await registry.call('createToken', {
        body: { name: 'ends soon', scope: 'admin', applications: 'all', expires_at, reason: 'a test' },
      });
      const call = registry.callAs(created.token);
      await until(async () => {
        const [status] = await statusAs({ authorization: `Bearer ${created.token}` });
        return status === 401;
      });
      await assert.rejects(call('listApplications', {}), refusedAs('invalid_token', 401));
    });

    test('a third token of a name is refused, and one with other rights', async () => {
      const body = { name: 'gateway', scope: 'write', applications: 'all', reason: 'a test' } as const;
      await registry.call('createToken', { body });
      const other = registry.call('createToken', { body: { ...body, scope: 'read' } });
      await assert.rejects(other, refusedAs('already_exists', 409));
      await registry.call('createToken', { body });
      await assert.rejects(registry.call('createToken', { body }), refusedAs('already_exists', 409));
    });

    test('a token of the file is not revoked by the API', async () => {
      const { tokens } = await registry.call('listTokens', {});
      const reader = tokens.find(({ name }) => name === 'reader');
      const revoked = registry.call('revokeToken', { params: { id: reader?.id ?? 0 } });
      await assert.rejects(revoked, refusedAs('wrong_state', 409, /REGISTRY_FILE/));
    });

    test('a session of an administrator may read, and change from its own pages alone', async () => {
      const seal = createSessionSeal(SESSION_KEY);
      const claim = { tokenHash: hashToken(ADMIN_TOKEN), expiresMs: Date.now() + 60_000 };
      const cookie = `${SESSION_COOKIE}=${seal.seal(claim)}`;
      assert.deepEqual(await statusAs({ cookie }), [200, undefined]);
      const path = `${LIST}/1/callback-test`;
      const own = await statusAs({ cookie, 'sec-fetch-site': 'same-origin' }, path, 'POST');
      assert.deepEqual(own, [409, 'wrong_state']);
      const foreign = await statusAs({ cookie, 'sec-fetch-site': 'cross-site' }, path, 'POST');
      assert.deepEqual(foreign, [403, 'not_allowed']);
      const reader = seal.seal({ ...claim, tokenHash: hashToken(READER_TOKEN) });
      assert.deepEqual(await statusAs({ cookie: `${SESSION_COOKIE}=${reader}` }), [403, 'not_allowed']);
    });

    test('an address that guesses tokens waits, and valid tokens of it do not', async () => {
      const guess = () => statusAs({ authorization: 'Bearer a-token-that-nobody-has' });
      let refusal = await guess();
      for (let tries = 0; tries < 20 && refusal[0] !== 429; tries++) refusal = await guess();
      assert.deepEqual(refusal, [429, 'too_many_requests']);
      assert.deepEqual(await statusAs({ authorization: `Bearer ${ADMIN_TOKEN}` }), [200, undefined]);
    });
  });
}

function errorCode(text: string): unknown {
  const body: unknown = JSON.parse(text);
  return Object(Object(body)['error'])['code'];
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 20_000;
  while (!(await isDone())) assert.ok(Date.now() < endMs, 'it did not happen within 20 s');
}
