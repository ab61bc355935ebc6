/*
 * The two ways in which a registry is kept, for the restore drill: a SQLite file with rows as documents and a folder;
 * MariaDB, FerretDB in the place of MongoDB, and versitygw in the place of COS.
 */
import { randomBytes } from 'node:crypto';
import { transact } from '@imscope/state/transact.js';
import type { Database } from '@imscope/state/database.js';
import { openDatabase } from '@imscope/state/database.js';
import { LEASE_MIGRATIONS, LEASE_SERVICE } from '@imscope/state/leases.js';
import { migrate } from '@imscope/state/migrate.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testMysql } from '@imscope/scripts/stack/test-databases.js';
import type { DocumentStore } from '../../src/documents/document-store.js';
import { openMongoDocuments } from '../../src/documents/mongo-documents.js';
import { createRowDocuments } from '../../src/documents/row-documents.js';
import type { ObjectStore } from '../../src/objects/object-store.js';
import { applicationEntry, writeEntries } from '../../src/rows/entries.js';
import { writeAudit } from '../../src/rows/audit.js';
import { readApplication } from '../../src/rows/application-rows.js';
import { REGISTRY_MIGRATIONS } from '../../src/rows/migrations.js';
import type { RegistryTables } from '../../src/rows/tables.js';
import { insertTokens } from '../../src/rows/tokens.js';
import { createSecretStore, type Secrets } from '../../src/secrets/create-secret-store.js';
import { parseMasterKeys } from '../../src/secrets/master-keys.js';
import { insertApplication, newMongoUrl, versionOf } from '../documents/document-stores.js';
import { TEST_PLACES } from '../objects/test-places.js';

export type Kept = {
  readonly database: Database<RegistryTables>;
  readonly documents: DocumentStore;
};

export type Place = Kept & {
  readonly objects: ObjectStore;
  readonly secrets: Secrets;
  /** Another database and place of documents, both empty and without tables. */
  openEmpty(): Promise<Kept>;
  close(): Promise<void>;
};

export const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  'SQLite and a folder': () => openPlace('sqlite', 'folder'),
  'MariaDB, FerretDB and versitygw': () => openPlace('mysql', 'bucket'),
};

async function openPlace(dialect: 'sqlite' | 'mysql', kind: keyof typeof TEST_PLACES): Promise<Place> {
  const { objects, close: closeObjects } = await TEST_PLACES[kind]();
  const closers: (() => Promise<void>)[] = [closeObjects];
  const openEmpty = async (): Promise<Kept> =>
    dialect === 'sqlite' ? openSqlite(closers) : openMysql(closers);
  const kept = await openEmpty();
  await migrate(kept.database, LEASE_SERVICE, LEASE_MIGRATIONS);

  await migrate(kept.database, 'registry', REGISTRY_MIGRATIONS);
  return {
    ...kept,
    objects,
    secrets: createSecretStore(parseMasterKeys(`one:${randomBytes(32).toString('base64')}`, 'test'), objects),
    openEmpty,
    close: async () => {
      for (const close of closers.toReversed()) await close();
    },
  };
}

async function openSqlite(closers: (() => Promise<void>)[]): Promise<Kept> {
  const directory = await mkdtemp(join(tmpdir(), 'imscope-drill-'));
  const database = openDatabase<RegistryTables>({ url: `sqlite:${join(directory, 'registry.db')}` });
  closers.push(async () => {
    await database.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { database, documents: createRowDocuments(database.kysely) };
}

async function openMysql(closers: (() => Promise<void>)[]): Promise<Kept> {
  const { url, password, drop } = await testMysql('drill');
  const database = openDatabase<RegistryTables>({ url, password });
  const documents = await openMongoDocuments({ url: await newMongoUrl(), password: '' });
  closers.push(async () => {
    await documents.close();
    await database.close();
    await drop();
  });
  return { database, documents };
}

export type NewTestApplication = {
  readonly versions: number;
  readonly token: string;
  readonly createdMs: number;
};

/** An application with everything that is kept of one. @returns its SDKAppID */
export async function addApplication(
  { database, documents, secrets }: Place,
  { versions, token, createdMs }: NewTestApplication,
): Promise<number> {
  const sdkAppId = await insertApplication(database, versions);
  await database.kysely
    .updateTable('application')
    .set({
      created_ms: createdMs,
      app_id: 1_250_000_000 + sdkAppId,
      uin: 3_000_000_000 + sdkAppId,
      quota_per_second: 200,
    })
    .where('sdk_app_id', '=', sdkAppId)
    .execute();
  await transact(database, async (transaction) => {
    await documents.write(
      transaction,
      Array.from({ length: versions }, (_, at) => versionOf(sdkAppId, at + 1)),
    );
    await secrets.put(
      transaction,
      [{ sdkAppId, name: 'application_key', value: `key of ${sdkAppId}` }],
      createdMs,
    );
    const content = Buffer.from(`certificate of ${sdkAppId}`);
    await secrets.putCertificate(
      transaction,
      { sdkAppId, certificateId: 'apns', content, password: undefined },
      createdMs,
    );
    await insertTokens(transaction, [
      {
        sha256: token,
        name: `token of ${sdkAppId}`,
        scope: 'write',
        applications: [sdkAppId],
        createdMs,
        expiresMs: null,
        recordsPerSecondMax: 500,
        origin: 'api',
      },
    ]);
    await writeAudit(transaction, {
      atMs: createdMs,
      actor: 'ops',
      action: 'application.create',
      sdkAppId,
      reason: `secret reason of ${sdkAppId}`,
      paths: [],
      revision: 1,
    });
    const stored = await readApplication(transaction, sdkAppId);
    if (stored === undefined) throw new Error('not inserted');
    const state = { details: stored.details, settings: stored.settings };
    await writeEntries(transaction, [applicationEntry({ sdkAppId, status: stored.status, state })]);
  });
  return sdkAppId;
}
