/* What receivers obey after a restore: what the backup holds, and nothing that was distributed since. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { testMysql } from '@imscope/scripts/stack/test-databases.js';
import { redisNames } from '@imscope/schemas/registry-entry.js';
import { createClient } from 'redis';
import { createBackup } from '../../src/backup/create-backup.js';
import { restoreBackup } from '../../src/backup/restore-backup.js';
import { openPlaces } from '../../src/open-state.js';
import { configOf, openRegistry } from '../backends.js';
import { newMongoUrl } from '../documents/document-stores.js';
import { newApplication } from '../new-application.js';

const WAIT_MS_MAX = 60_000;
const SDK_APP_ID = 1_400_000_001;

type Entries = Readonly<Record<string, { readonly revision: number; readonly entry: unknown }>>;

function isLate({ entry }: Entries[string]): boolean {
  return JSON.stringify(entry).includes('"late"');
}

test('a token that was created after the backup ends with the restore, in Redis too', async (t) => {
  const registry = await openRegistry('integrated', 'before');
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => (stopped ??= registry.stop());
  t.after(stop);
  // Each registry under test has a file of tokens of its own.
  const { REGISTRY_FILE: _, ...env } = registry.env;
  const client = createClient({ url: env['REDIS_URL'] ?? '' });
  await client.connect();
  t.after(async () => client.close());
  const names = redisNames(env['REDIS_PREFIX'] ?? '');
  const waitFor = async (isThere: (entries: Entries) => boolean): Promise<Entries> => {
    const deadline = Date.now() + WAIT_MS_MAX;
    for (;;) {
      const texts = Object.entries(await client.hGetAll(names.entries));
      const entries: Entries = Object.fromEntries(texts.map(([key, text]) => [key, JSON.parse(text)]));
      // While everything is published again, the revision is missing.
      if ((await client.get(names.revision)) !== null && isThere(entries)) return entries;
      assert.ok(Date.now() < deadline, JSON.stringify(entries));
      await delay(50);
    }
  };

  await registry.call('createApplication', { body: newApplication(SDK_APP_ID) });
  await createBackup({ ...registry.state, keepDays: 30, now: Date.now });
  await registry.call('createToken', {
    body: { name: 'late', scope: 'write', applications: [SDK_APP_ID], reason: 'after the backup' },
  });
  const before = await waitFor((entries) => Object.values(entries).some(isLate));

  const { url, password, drop } = await testMysql('after');
  t.after(drop);
  const other = { ...env, DATABASE_URL: url, DATABASE_PASSWORD: password, MONGO_URL: await newMongoUrl() };
  const places = await openPlaces(configOf(other));
  await restoreBackup(
    { ...places, purgeWithinMs: 1, now: Date.now },
    { backup: 'newest', dryRun: false, replace: false },
  );
  await places.close();
  // Both publish under one prefix.
  await stop();

  const restored = await openRegistry('integrated', 'after', { env: other });
  t.after(async () => restored.stop());
  const after = await waitFor((entries) => !Object.values(entries).some(isLate));
  const key = `application/${SDK_APP_ID}`;
  assert.deepEqual(after[key]?.entry, before[key]?.entry);
  const newest = Math.max(...Object.values(before).map(({ revision }) => revision));
  for (const { revision } of Object.values(after)) assert.ok(revision > newest);
});
