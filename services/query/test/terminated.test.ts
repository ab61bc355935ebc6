/* Terminated applications: their logs are still in the store, and nobody may read them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hashToken } from '@imscope/access/tokens.js';
import { openQuery, openStoreAndQuery, READ_ALL, READ_FEW } from './query-under-test.js';
import { storedRow } from './stored-row.js';

const [ACTIVE, SUSPENDED, TERMINATED] = [101, 102, 103];
const nowMs = Date.now();

const { store, query: before } = await openStoreAndQuery(async (opened) => {
  const ids = [ACTIVE, SUSPENDED, TERMINATED];
  await opened.insert(
    ids.map((id, index) => storedRow({ time: nowMs - 60_000, sdk_app_id: id, block_row: index })),
  );
});

const registryFile = join(store.dir, 'states.json');
writeFileSync(
  registryFile,
  JSON.stringify({
    tokens: [
      { name: 'all', sha256: hashToken(READ_ALL), scope: 'requests', applications: 'all' },
      { name: 'few', sha256: hashToken(READ_FEW), scope: 'read', applications: [ACTIVE, TERMINATED] },
    ],
    applications: [
      { sdk_app_id: SUSPENDED, status: 'suspended' },
      { sdk_app_id: TERMINATED, status: 'terminated' },
    ],
  }),
);
const query = await openQuery({ ...store.environment, REGISTRY_FILE: registryFile });
after(() => query.close());

async function ask(path: string, token: string, { app } = query) {
  const response = await app.inject({ url: `/v1/${path}`, headers: { authorization: `Bearer ${token}` } });
  return { status: response.statusCode, body: Object(response.json()) };
}

async function listed(token: string, from = query): Promise<readonly number[]> {
  const { status, body } = await ask('applications', token, from);
  assert.equal(status, 200, JSON.stringify(body));
  const rows: { sdk_app_id: number }[] = body.data.applications;
  return rows.map((row) => row.sdk_app_id).toSorted((a, b) => a - b);
}

test('it is refused with the words for an application that the token does not cover', async () => {
  const terminated = await ask(`applications/${TERMINATED}/overview`, READ_ALL);
  const foreign = await ask(`applications/${SUSPENDED}/overview`, READ_FEW);
  assert.deepEqual([terminated.status, foreign.status], [403, 403]);
  const wordsOf = ({ body }: typeof foreign): string =>
    String(body.error.message).replaceAll(/"\w+"|\d+/g, '…');
  assert.equal(wordsOf(terminated), wordsOf(foreign));
  assert.equal((await ask(`applications/${TERMINATED}/overview`, READ_FEW)).status, 403);
});

test('it is left out of the fleet, and a suspended one is not', async () => {
  assert.deepEqual(await listed(READ_ALL, before), [ACTIVE, SUSPENDED, TERMINATED]);
  assert.deepEqual(await listed(READ_ALL), [ACTIVE, SUSPENDED]);
  assert.deepEqual(await listed(READ_FEW), [ACTIVE]);
  assert.equal((await ask(`applications/${SUSPENDED}/overview`, READ_ALL)).status, 200);
  assert.equal((await ask('refusals', READ_ALL)).status, 200);
});
