/* What happens between MongoDB and the database of rows. The server of the documents is FerretDB, not MongoDB. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startMongodb } from '@imscope/scripts/stack/mongodb.js';
import { transact } from '@imscope/state/transact.js';
import { REGISTRY_DATABASES } from '../registry-databases.js';
import { openMongoDocuments } from '../../src/documents/mongo-documents.js';
import { readVersionsInForce } from '../../src/documents/versions-in-force.js';
import { DOCUMENT_STORES, insertApplication, type TestDocuments, versionOf } from './document-stores.js';

const NOW_MS = Date.UTC(2026, 10, 29);
const HOUR_MS = 3_600_000;

test('a version above the one in force is swept once it is older than an hour', async (t) => {
  const { database, documents, sweep } = await opened(t);
  const sdkAppId = await insertApplication(database, 2);
  await writeUncommitted({ database, documents }, versionOf(sdkAppId, 3, NOW_MS));
  assert.equal(await sweep(NOW_MS + HOUR_MS), 0);
  assert.equal(await sweep(NOW_MS + HOUR_MS + 1), 1);
  assert.equal(await documents.read({ sdkAppId, version: 3 }), undefined);
});

test('the version in force and those below stay', async (t) => {
  const { database, documents, sweep } = await opened(t);
  const sdkAppId = await insertApplication(database, 2);
  const versions = [versionOf(sdkAppId, 1, NOW_MS), versionOf(sdkAppId, 2, NOW_MS)];
  await transact(database, (transaction) => documents.write(transaction, versions));
  assert.equal(await sweep(NOW_MS + 2 * HOUR_MS), 0);
  assert.equal((await documents.list(sdkAppId, { versionMax: 2, limit: 10 })).length, 2);
});

test('the version of an application that was never committed is swept', async (t) => {
  const { database, documents, sweep } = await opened(t);
  for (const sdkAppId of [await insertApplication(database), await insertApplication(database)]) {
    await transact(database, (transaction) => documents.write(transaction, [versionOf(sdkAppId, 1, NOW_MS)]));
  }
  await writeUncommitted({ database, documents }, versionOf(1_500_000_001, 1, NOW_MS));
  assert.equal(await sweep(NOW_MS + 2 * HOUR_MS), 1);
});

test('documents beside the rows of another registry are not swept', async (t) => {
  const { database, documents } = await opened(t);
  const sdkAppId = await insertApplication(database);
  await transact(database, (transaction) => documents.write(transaction, [versionOf(sdkAppId, 1, NOW_MS)]));
  const other = await REGISTRY_DATABASES.sqlite();
  t.after(other.close);
  const sweep = documents.sweepOrphans(readVersionsInForce(other.database.kysely), NOW_MS + 2 * HOUR_MS);
  await assert.rejects(sweep, /nothing was deleted; check that both belong together/);
  assert.ok((await documents.read({ sdkAppId, version: 1 })) !== undefined);
});

test('a writer whose transaction is over does not delete the document in force', async (t) => {
  const { database, documents } = await opened(t);
  const sdkAppId = await insertApplication(database, 2);
  const late = await database.kysely.startTransaction().execute();
  await late.rollback().execute();
  await transact(database, (transaction) => documents.write(transaction, [versionOf(sdkAppId, 2)]));
  await assert.rejects(documents.write(late, [{ ...versionOf(sdkAppId, 2), reason: 'late' }]));
  assert.deepEqual(await documents.read({ sdkAppId, version: 2 }), versionOf(sdkAppId, 2));
});

test('a MongoDB that is away fails a write within its bound, and one that is back goes on', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'imscope-mongodb-'));
  const server = await startMongodb({ dataDir });
  t.after(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  const { database, close } = await REGISTRY_DATABASES.sqlite();
  t.after(close);
  const documents = await openMongoDocuments({ url: `${server.address}/registry`, password: '' });
  t.after(() => documents.close());
  const sdkAppId = await insertApplication(database, 2);
  const write = () =>
    transact(database, (transaction) => documents.write(transaction, [versionOf(sdkAppId, 2)]));
  await server.kill();
  await assert.rejects(write());
  await server.restart();
  await write();
  assert.deepEqual(await documents.read({ sdkAppId, version: 2 }), versionOf(sdkAppId, 2));
});

test('a MongoDB that does not answer at the start is named without its password', async () => {
  const opening = openMongoDocuments({ url: 'mongodb://user@127.0.0.1:9/registry', password: 'hidden-word' });
  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /MongoDB of MONGO_URL does not answer/);
    assert.ok(!JSON.stringify(error, Object.getOwnPropertyNames(error)).includes('hidden-word'));
    return true;
  });
});

async function opened(
  t: TestContext,
): Promise<TestDocuments & { sweep: (nowMs: number) => Promise<number> }> {
  const open = DOCUMENT_STORES['documents beside mysql'];
  assert.ok(open !== undefined);
  const opened = await open();
  t.after(opened.close);
  const inForce = readVersionsInForce(opened.database.kysely);
  return { ...opened, sweep: (nowMs) => opened.documents.sweepOrphans(inForce, nowMs) };
}

/** As a change does that is cut off between its document and its commit. */
async function writeUncommitted(
  { database, documents }: Pick<TestDocuments, 'database' | 'documents'>,
  version: ReturnType<typeof versionOf>,
): Promise<void> {
  const transaction = await database.kysely.startTransaction().execute();
  await documents.write(transaction, [version]);
  await transaction.rollback().execute();
}
