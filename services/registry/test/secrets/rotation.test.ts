/* Rotation of the master key, in SQLite and in MariaDB, by processes that are killed between and within batches. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { transact } from '@imscope/state/transact.js';
import { TEST_PLACES } from '../objects/test-places.js';
import { REGISTRY_DATABASES } from '../registry-databases.js';
import { createSecretStore } from '../../src/secrets/create-secret-store.js';
import { parseMasterKeys } from '../../src/secrets/master-keys.js';
import { rotateMasterKey } from '../../src/secrets/rotate-master-key.js';

const NOW_MS = Date.UTC(2026, 10, 29);
const OLD = `old:${randomBytes(32).toString('base64')}`;
const NEW = `new:${randomBytes(32).toString('base64')}`;
const BEFORE = parseMasterKeys(OLD, 'test');
const BOTH = parseMasterKeys(`${NEW}\n${OLD}`, 'test');
const AFTER = parseMasterKeys(NEW, 'test');
const APPLICATIONS = Array.from({ length: 10 }, (_, at) => 1_400_000_001 + at);
/** Three batches: 4, 4 and 2 keys. */
const BATCH_ROWS = 4;

for (const [dialect, openDatabase] of Object.entries(REGISTRY_DATABASES)) {
  void describe(dialect, () => {
    test('after a rotation, secrets open with the new master key alone', async (t) => {
      const { database, close } = await openDatabase();
      t.after(close);
      const secretOf = await putSecrets(database);
      assert.equal(await rotateMasterKey(database, BOTH, { batchRows: BATCH_ROWS }), APPLICATIONS.length);
      await secretOf(AFTER);
      assert.equal(await rotateMasterKey(database, BOTH), 0);
    });

    // The rotation tells before each transaction and after each batch.
    for (let step = 1; step <= 7; step++) {
      test(`a rotation killed at step ${step} goes on`, async (t) => {
        const { database, options, close } = await openDatabase();
        t.after(close);
        const secretOf = await putSecrets(database);
        await killedRotation({ ...options }, step);
        await secretOf(BOTH);
        await rotateMasterKey(database, BOTH, { batchRows: BATCH_ROWS });
        await secretOf(AFTER);
      });
    }

    test('a rotation without the old key says which one is missing, and changes nothing', async (t) => {
      const { database, close } = await openDatabase();
      t.after(close);
      const secretOf = await putSecrets(database);
      await assert.rejects(rotateMasterKey(database, AFTER), /master key old is missing/);
      await secretOf(BEFORE);
    });

    test('secrets that are put while a rotation runs open afterwards', async (t) => {
      const { database, close } = await openDatabase();
      t.after(close);
      const secretOf = await putSecrets(database);
      const place = await TEST_PLACES.folder();
      t.after(() => place.close());
      const secrets = createSecretStore(BOTH, place.objects);
      const late = { sdkAppId: 1_400_000_005, name: 'callback/signing_key', value: 'late' };
      await rotateMasterKey(database, BOTH, {
        batchRows: BATCH_ROWS,
        onBatch: async () => {
          await transact(database, (transaction) => secrets.put(transaction, [late], NOW_MS));
        },
      });
      await secretOf(AFTER);
      const reader = createSecretStore(AFTER, place.objects);
      assert.equal(await reader.open(database.kysely, late.sdkAppId, late.name), 'late');
    });
  });
}

type TestDatabase = Awaited<ReturnType<(typeof REGISTRY_DATABASES)['sqlite']>>;

/** @returns a check that all secrets open with these keys */
async function putSecrets(
  database: TestDatabase['database'],
): Promise<(keys: typeof BEFORE) => Promise<void>> {
  const place = await TEST_PLACES.folder();
  await place.close();
  const all = APPLICATIONS.map((sdkAppId) => ({
    sdkAppId,
    name: 'application_key',
    value: `key of ${sdkAppId}`,
  }));
  const secrets = createSecretStore(BEFORE, place.objects);
  await transact(database, (transaction) => secrets.put(transaction, all, NOW_MS));
  return async (keys) => {
    const reader = createSecretStore(keys, place.objects);
    for (const { sdkAppId, name, value } of all)
      assert.equal(await reader.open(database.kysely, sdkAppId, name), value);
  };
}

/** Ends when the process is dead: killed at its nth step, or at its end where it has fewer. */
async function killedRotation(database: TestDatabase['options'], step: number): Promise<void> {
  const child = fork(fileURLToPath(new URL('stepwise-rotation.ts', import.meta.url)));
  let steps = 0;
  child.on('message', () => {
    if (++steps === step) child.kill('SIGKILL');
    else child.send('go on');
  });
  child.send({ database, masterKeys: `${NEW}\n${OLD}`, batchRows: BATCH_ROWS });
  await once(child, 'exit');
  assert.ok(steps >= Math.min(step, 6), `${steps} steps`);
}
