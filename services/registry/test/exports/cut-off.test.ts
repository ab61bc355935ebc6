/* Exports and their sweep in processes that are killed between steps; objects in a folder, and in a bucket of versitygw. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { transact } from '@imscope/state/transact.js';
import { insertApplication, versionOf } from '../documents/document-stores.js';
import { collect, makeBucket } from '../objects/test-places.js';
import { REGISTRY_DATABASES, type RegistryDatabase } from '../registry-databases.js';
import { createRowDocuments } from '../../src/documents/row-documents.js';
import { sweepExports } from '../../src/exports/sweep-exports.js';
import { purgeObjects } from '../../src/lifecycle/purge-objects.js';
import { type BucketOptions, openBucketObjects } from '../../src/objects/bucket-objects.js';
import { openFolderObjects } from '../../src/objects/folder-objects.js';
import type { ObjectStore } from '../../src/objects/object-store.js';
import type { ExportOrder, ExportStep } from './stepwise-export.js';

const HOUR_MS = 3_600_000;
const DAYS_8_MS = 8 * 24 * HOUR_MS;

type Place = {
  readonly objects: ObjectStore;
  readonly order: { folder: string } | { bucket: BucketOptions };
};
const PLACES: Readonly<Record<string, (t: TestContext) => Promise<Place>>> = {
  async folder(t) {
    const folder = await mkdtemp(join(tmpdir(), 'imscope-exports-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    return { objects: await openFolderObjects(folder), order: { folder } };
  },
  async bucket(t) {
    const bucket = await makeBucket();
    const objects = openBucketObjects(bucket);
    t.after(() => objects.close());
    return { objects, order: { bucket } };
  },
};
/** Where an export is cut off, and how many objects and rows are left then. */
const STEPS: readonly (readonly [ExportStep, { readonly objects: number; readonly rows: number }])[] = [
  ['within the upload', { objects: 0, rows: 0 }],
  ['before the row', { objects: 1, rows: 0 }],
  ['before the answer', { objects: 1, rows: 1 }],
];

for (const [name, open] of Object.entries(PLACES)) {
  void describe(name, () => {
    for (const [step, left] of STEPS) {
      test(`an export that is killed ${step} leaves nothing once it is swept`, async (t) => {
        const { objects, order } = await open(t);
        const registry = await openWithApplication(t);
        await killedAt(step, { ...order, database: registry.options, work: 'export' });
        const sweep = (nowMs: number) => sweepExports({ ...registry, objects }, nowMs);
        assert.deepEqual(await counts(registry, objects), left);
        await sweep(Date.now());
        assert.deepEqual(await counts(registry, objects), left);
        // Those without a row after an hour, the others at their end.
        const { failures } = await sweep(Date.now() + (left.rows === 0 ? 2 * HOUR_MS : DAYS_8_MS));
        assert.deepEqual(failures, []);
        assert.deepEqual(await counts(registry, objects), { objects: 0, rows: 0 });
        assert.equal(await objects.deleteUnfinished(Date.now() + DAYS_8_MS), 0);
      });
    }

    test('a sweep that is killed between an object and its row goes on', async (t) => {
      const { objects, order } = await open(t);
      const registry = await openWithApplication(t);
      const job = { ...order, database: registry.options };
      await killedAt('before the answer', { ...job, work: 'export' });
      await killedAt('before the row', { ...job, work: 'sweep' });
      assert.deepEqual(await counts(registry, objects), { objects: 0, rows: 1 });
      const { ended } = await sweepExports({ ...registry, objects }, Date.now() + DAYS_8_MS);
      assert.equal(ended, 1);
      assert.deepEqual(await counts(registry, objects), { objects: 0, rows: 0 });
    });
  });
}

test('a sweep that fails keeps the row, and the next one deletes both', async (t) => {
  const open = PLACES['folder'];
  assert.ok(open !== undefined);
  const { objects, order } = await open(t);
  const registry = await openWithApplication(t);
  await killedAt('before the answer', { ...order, database: registry.options, work: 'export' });
  const away = openBucketObjects({ ...(await makeBucket()), endpoint: 'http://127.0.0.1:9' });
  t.after(() => away.close());
  const { ended, failures } = await sweepExports({ ...registry, objects: away }, Date.now() + DAYS_8_MS);
  assert.equal(ended, 0);
  assert.ok(failures.length > 0);
  assert.deepEqual(await counts(registry, objects), { objects: 1, rows: 1 });
  await sweepExports({ ...registry, objects }, Date.now() + DAYS_8_MS);
  assert.deepEqual(await counts(registry, objects), { objects: 0, rows: 0 });
});

test('a purge deletes the exports of the application and of several, also those that no row names', async (t) => {
  const open = PLACES['folder'];
  assert.ok(open !== undefined);
  const { objects, order } = await open(t);
  const registry = await openWithApplication(t);
  await killedAt('before the row', { ...order, database: registry.options, work: 'export' });
  await killedAt('before the answer', { ...order, database: registry.options, work: 'export' });
  for (const key of ['exports/1400000077/one', 'exports/1400000078/one'])
    await objects.put(key, Buffer.from('export'));
  const subject = { sdkAppId: 1_400_000_077, terminatedMs: 0, dueMs: 0, latestMs: 0, startedMs: 0 };
  const purge = purgeObjects(registry.database, objects);
  assert.deepEqual(await purge(subject, async () => undefined), { kind: 'done', deleted: 3 });
  const left = await collect(objects.list('exports/'));
  assert.deepEqual(
    left.map(({ key }) => key),
    ['exports/1400000078/one'],
  );
  assert.equal((await counts(registry, objects)).rows, 0);
});

async function openWithApplication(t: TestContext): Promise<RegistryDatabase> {
  const registry = await REGISTRY_DATABASES.sqlite();
  t.after(registry.close);
  const { database } = registry;
  const documents = createRowDocuments(database.kysely);
  const sdkAppId = await insertApplication(database);
  await transact(database, (transaction) => documents.write(transaction, [versionOf(sdkAppId, 1)]));
  return registry;
}

async function counts({ database }: RegistryDatabase, objects: ObjectStore) {
  const rows = await database.kysely.selectFrom('export_object').select('id').execute();
  return { objects: (await collect(objects.list('exports/'))).length, rows: rows.length };
}

/** Runs the work in a process that is killed when it says that it has come to the step. */
async function killedAt(step: ExportStep, order: Omit<ExportOrder, 'step'>): Promise<void> {
  const child = fork(fileURLToPath(new URL('stepwise-export.ts', import.meta.url)));
  child.send({ ...order, step });
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  assert.equal(message, step);
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
