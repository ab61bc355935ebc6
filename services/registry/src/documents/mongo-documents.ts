/*
 * Versions as documents of MongoDB. A unique index holds one document for each application and version; writes are
 * durable on the majority of the replica set before they count.
 *
 * A document above the version in force is an orphan. `write` finds it as a duplicate and deletes it: it reads the
 * document's own id, then asks the database of rows whether the transaction still holds the lock of the application, and
 * only then deletes that id. While the lock is held no other change writes, so what was read before is no document of a
 * change that can still commit.
 */
import { type ApplicationState } from '@imscope/schemas/registry-api/application.js';
import type { Transaction } from 'kysely';
import {
  type Collection,
  MongoBulkWriteError,
  MongoClient,
  type MongoClientOptions,
  type ObjectId,
} from 'mongodb';
import type { RegistryTables } from '../rows/tables.js';
import { completeState } from './complete-state.js';
import type { DocumentStore, VersionDocument, VersionKey, VersionsInForce } from './document-store.js';
import { summaryOf } from './row-documents.js';

export type MongoOptions = {
  /** `mongodb://user@host:27017/database`, without a password; TLS by its parameters. */
  readonly url: string;
  /** Empty: none. */
  readonly password: string;
};

export type MongoDocuments = DocumentStore & { close(): Promise<void> };

type StoredVersion = {
  readonly sdk_app_id: number;
  readonly version: number;
  readonly author: string;
  readonly reason: string;
  readonly created_ms: number;
  readonly state: ApplicationState;
};
type Versions = Collection<StoredVersion>;

const COLLECTION = 'application_version';
const UNIQUE_INDEX = { sdk_app_id: 1, version: 1 } as const;
const DUPLICATE_KEY = 11_000;
const CONNECTION_TIMEOUT_MS = 5_000;
/** Of one operation with its retry: the transaction of rows waits for it. */
const OPERATION_TIMEOUT_MS = 15_000;
const CONNECTIONS_MAX = 20;
/** Documents of one insert; an import brings more. */
const BATCH_DOCUMENTS_MAX = 500;
/** Each attempt deletes the orphan that was in its way; others do not appear while the application is locked. */
const WRITE_ATTEMPTS_MAX = 5;
/** Older than any transaction. */
const ORPHAN_AGE_MS = 3_600_000;

/** Connects and makes the index. Throws where MongoDB does not answer. */
export async function openMongoDocuments({ url, password }: MongoOptions): Promise<MongoDocuments> {
  const client = new MongoClient(url, clientOptions(url, password));
  try {
    const versions: Versions = client.db().collection<StoredVersion>(COLLECTION);
    await versions.createIndex(UNIQUE_INDEX, { unique: true });
    return createDocuments(client, versions);
  } catch (error) {
    await client.close();
    throw new Error(
      `MongoDB of MONGO_URL does not answer: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
}

function clientOptions(url: string, password: string): MongoClientOptions {
  const [, user] = /^[^:]+:\/\/([^@/]+)@/.exec(url) ?? [];
  return {
    ...(user === undefined ? {} : { auth: { username: decodeURIComponent(user), password } }),
    appName: 'imscope-registry',
    connectTimeoutMS: CONNECTION_TIMEOUT_MS,
    serverSelectionTimeoutMS: CONNECTION_TIMEOUT_MS,
    waitQueueTimeoutMS: CONNECTION_TIMEOUT_MS,
    socketTimeoutMS: OPERATION_TIMEOUT_MS,
    maxPoolSize: CONNECTIONS_MAX,
    writeConcern: { w: 'majority', wtimeoutMS: OPERATION_TIMEOUT_MS },
    readConcern: { level: 'majority' },
    readPreference: 'primary',
    ignoreUndefined: true,
  };
}

function createDocuments(client: MongoClient, versions: Versions): MongoDocuments {
  return {
    async write(transaction, documents) {
      const all = documents.map(storedOf);
      for (let start = 0; start < all.length; start += BATCH_DOCUMENTS_MAX)
        await writeBatch(versions, transaction, all.slice(start, start + BATCH_DOCUMENTS_MAX));
    },
    async read(key) {
      const found = await versions.findOne(keyOf(key), { projection: { _id: 0 } });
      return found === null ? undefined : documentOf(found);
    },
    async list(sdkAppId, { versionMax, limit }) {
      const found = await versions
        .find({ sdk_app_id: sdkAppId, version: { $lte: versionMax } })
        .project<Omit<StoredVersion, 'state' | 'sdk_app_id'>>({
          version: 1,
          author: 1,
          reason: 1,
          created_ms: 1,
        })
        .sort({ version: -1 })
        .limit(limit)
        .toArray();
      return found.map(({ created_ms: createdMs, ...summary }) => summaryOf({ ...summary, createdMs }));
    },
    async deleteBelow({ sdkAppId, version }) {
      const filter = { sdk_app_id: sdkAppId, version: { $lt: version } };
      return (await versions.deleteMany(filter)).deletedCount;
    },
    async deleteApplication(sdkAppId) {
      return (await versions.deleteMany({ sdk_app_id: sdkAppId })).deletedCount;
    },
    sweepOrphans: (versionsInForce, nowMs) => sweepOrphans(versions, versionsInForce, nowMs),
    async ping() {
      await client.db().command({ ping: 1 });
    },
    close: () => client.close(),
  };
}

async function writeBatch(
  versions: Versions,
  transaction: Transaction<RegistryTables>,
  documents: readonly StoredVersion[],
): Promise<void> {
  let missing = documents;
  for (let attempt = 1; ; attempt++) {
    const duplicates = await insertMissing(versions, missing);
    if (duplicates.length === 0) return;
    if (attempt === WRITE_ATTEMPTS_MAX) {
      const [{ sdk_app_id: sdkAppId, version } = { sdk_app_id: 0, version: 0 }] = duplicates;
      throw new Error(`version ${version} of application ${sdkAppId} is written by another process, too`);
    }
    await deleteOrphans(versions, transaction, duplicates);
    missing = duplicates;
  }
}

/** @returns those under whose application and version there is a document already */
async function insertMissing(
  versions: Versions,
  documents: readonly StoredVersion[],
): Promise<readonly StoredVersion[]> {
  try {
    // Copies: the driver adds an id to what it inserts.
    await versions.insertMany(
      documents.map((document) => ({ ...document })),
      { ordered: false },
    );
    return [];
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const failures = [error.writeErrors].flat();
    if (failures.length === 0 || failures.some(({ code }) => code !== DUPLICATE_KEY)) throw error;
    return failures.flatMap(({ index }) => documents[index] ?? []);
  }
}

async function deleteOrphans(
  versions: Versions,
  transaction: Transaction<RegistryTables>,
  documents: readonly StoredVersion[],
): Promise<void> {
  const orphans: { readonly _id: ObjectId }[] = [];
  for (const { sdk_app_id: sdkAppId, version } of documents) {
    const found = await versions.findOne(keyOf({ sdkAppId, version }), { projection: { _id: 1 } });
    if (found !== null) orphans.push(found);
  }
  // After the ids were read, and before they are deleted.
  await requireLock(transaction, [...new Set(documents.map((document) => document.sdk_app_id))]);
  for (const { _id: id } of orphans) await versions.deleteOne({ _id: id });
}

/** Throws where the transaction is over, or where it does not see the applications whose rows it has locked. */
async function requireLock(
  transaction: Transaction<RegistryTables>,
  sdkAppIds: readonly number[],
): Promise<void> {
  const locked = await transaction
    .selectFrom('application')
    .select('sdk_app_id')
    .where('sdk_app_id', 'in', [...sdkAppIds])
    .forUpdate()
    .execute();
  if (locked.length !== sdkAppIds.length)
    throw new Error('a version is written outside of a transaction that holds its application');
}

async function sweepOrphans(
  versions: Versions,
  versionsInForce: VersionsInForce,
  nowMs: number,
): Promise<number> {
  const orphans: ObjectId[] = [];
  const known = new Set<number>();
  const unknown = new Set<number>();
  for await (const part of oldVersions(versions, nowMs - ORPHAN_AGE_MS)) {
    const inForce = await versionsInForce([...new Set(part.map((found) => found.sdk_app_id))]);
    for (const { _id: id, sdk_app_id: sdkAppId, version } of part) {
      const newest = inForce.get(sdkAppId);
      (newest === undefined ? unknown : known).add(sdkAppId);
      if (version > (newest ?? 0)) orphans.push(id);
    }
  }
  // With the rows of another registry, every document looks like an orphan.
  if (unknown.size > 0 && unknown.size >= known.size) {
    throw new Error(
      `MONGO_URL holds versions of ${unknown.size} applications that DATABASE_URL does not know, and of ${known.size} that it knows: nothing was deleted; check that both belong together`,
    );
  }
  for (const id of orphans) await versions.deleteOne({ _id: id });
  return orphans.length;
}

type FoundVersion = { readonly _id: ObjectId; readonly sdk_app_id: number; readonly version: number };

async function* oldVersions(versions: Versions, beforeMs: number): AsyncGenerator<FoundVersion[]> {
  const found = versions
    .find({ created_ms: { $lt: beforeMs } })
    .project<FoundVersion>({ sdk_app_id: 1, version: 1 });
  let part: FoundVersion[] = [];
  for await (const version of found) {
    part.push(version);
    if (part.length < BATCH_DOCUMENTS_MAX) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

function keyOf({ sdkAppId, version }: VersionKey): { sdk_app_id: number; version: number } {
  return { sdk_app_id: sdkAppId, version };
}

function storedOf({ sdkAppId, version, author, reason, createdMs, state }: VersionDocument): StoredVersion {
  return { sdk_app_id: sdkAppId, version, author, reason, created_ms: createdMs, state };
}

function documentOf(stored: StoredVersion): VersionDocument {
  const { sdk_app_id: sdkAppId, version, author, reason, created_ms: createdMs, state } = stored;
  return { sdkAppId, version, author, reason, createdMs, state: completeState(state) };
}
