/*
 * Secrets as sealed rows of table secret. A certificate is a sealed object; its row holds the object's key. Objects are
 * written before the row that names them, under a new key each, and those that no row names are swept: a transaction that
 * is undone leaves the certificate of before.
 */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { SecretSummary } from '@imscope/schemas/registry-api/application.js';
import type { Kysely, Transaction } from 'kysely';
import { OBJECT_ROOMS, type ObjectStore } from '../objects/object-store.js';
import type { RegistryTables, SecretTable } from '../rows/tables.js';
import { chunks, provideDataKeys, readDataKeys } from './data-keys.js';
import { openSealed, seal } from './envelope.js';
import type { MasterKeys } from './master-keys.js';
import type { NewSecret, PutCertificate, SecretStore } from './secret-store.js';

export type Certificate = { readonly content: Buffer; readonly password: string | undefined };

/** What callers inside the registry read; no answer holds it. */
export type SecretReader = {
  /** Undefined where none is set. */
  open(db: Kysely<RegistryTables>, sdkAppId: number, name: string): Promise<string | undefined>;
  /** Undefined where none is set. Throws where its object is missing. */
  openCertificate(
    db: Kysely<RegistryTables>,
    sdkAppId: number,
    certificateId: string,
  ): Promise<Certificate | undefined>;
};

export type Secrets = SecretStore & SecretReader & { readonly putCertificate: PutCertificate };

export function createSecretStore(
  masterKeys: MasterKeys,
  objects: Pick<ObjectStore, 'put' | 'get'>,
): Secrets {
  const keyOf = async (db: Kysely<RegistryTables>, sdkAppId: number): Promise<Buffer> => {
    const dataKey = (await readDataKeys(db, masterKeys, [sdkAppId])).get(sdkAppId);
    if (dataKey === undefined) throw new Error(`application ${sdkAppId} has secrets, but no data key`);
    return dataKey.key;
  };
  const open = async (
    db: Kysely<RegistryTables>,
    sdkAppId: number,
    name: string,
  ): Promise<string | undefined> => {
    const row = await readRow(db, sdkAppId, name);
    if (row === undefined) return undefined;
    const sealed = Buffer.from(row.sealed, 'base64url');
    return openSealed(await keyOf(db, sdkAppId), sealed, { sdkAppId, field: name }).toString();
  };
  return {
    open,
    openCertificate: async (db, sdkAppId, certificateId) => {
      const field = certificateName(certificateId);
      const row = await readRow(db, sdkAppId, field);
      if (row === undefined || row.object_key === null) return undefined;
      const sealed = await objects.get(row.object_key);
      if (sealed === undefined) throw new Error(`object ${row.object_key} of secret ${field} is missing`);
      const place = objectPlace(sdkAppId, field, row.object_key);
      return readCertificate(openSealed(await keyOf(db, sdkAppId), sealed, place));
    },
    put: async (transaction, secrets, nowMs) => putSecrets(transaction, masterKeys, secrets, nowMs),
    putCertificate: async (transaction, { sdkAppId, certificateId, content, password }, nowMs) => {
      const dataKey = (await provideDataKeys(transaction, masterKeys, [sdkAppId])).get(sdkAppId);
      if (dataKey === undefined) throw new Error(`no data key was made for application ${sdkAppId}`);
      const name = certificateName(certificateId);
      const key = `${certificatePrefix(sdkAppId)}${certificateId}-${randomUUID()}`;
      const sealed = seal(
        dataKey.key,
        certificateBytes({ content: Buffer.from(content), password }),
        objectPlace(sdkAppId, name, key),
      );
      await objects.put(key, sealed);
      const row = { sdk_app_id: sdkAppId, name, sealed: '', object_key: key, set_ms: nowMs };
      await replaceRows(transaction, [row]);
      return { name, key_id: dataKey.masterKeyId, set_at: new Date(nowMs).toISOString() };
    },
    list: listSecrets,
    remove: async (transaction, sdkAppId, names) => {
      if (names.length === 0) return 0;
      const { numDeletedRows } = await transaction
        .deleteFrom('secret')
        .where('sdk_app_id', '=', sdkAppId)
        .where('name', 'in', [...names])
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
    verify: async (db, { sdkAppId, name, value }) => {
      const inForce = await open(db, sdkAppId, name);
      return inForce !== undefined && timingSafeEqual(digest(inForce), digest(value));
    },
  };
}

async function readRow(
  db: Kysely<RegistryTables>,
  sdkAppId: number,
  name: string,
): Promise<SecretTable | undefined> {
  return db
    .selectFrom('secret')
    .selectAll()
    .where('sdk_app_id', '=', sdkAppId)
    .where('name', '=', name)
    .executeTakeFirst();
}

async function listSecrets(db: Kysely<RegistryTables>, sdkAppId: number): Promise<SecretSummary[]> {
  const rows = await db
    .selectFrom('secret')
    .innerJoin('data_key', 'data_key.sdk_app_id', 'secret.sdk_app_id')
    .select(['secret.name as name', 'data_key.key_id as key_id', 'secret.set_ms as set_ms'])
    .where('secret.sdk_app_id', '=', sdkAppId)
    .orderBy('secret.name')
    .execute();
  return rows.map(({ set_ms: setMs, ...summary }) => ({ ...summary, set_at: new Date(setMs).toISOString() }));
}

async function putSecrets(
  transaction: Transaction<RegistryTables>,
  masterKeys: MasterKeys,
  secrets: readonly NewSecret[],
  nowMs: number,
): Promise<SecretSummary[]> {
  const keys = await provideDataKeys(
    transaction,
    masterKeys,
    secrets.map(({ sdkAppId }) => sdkAppId),
  );
  const summaries: SecretSummary[] = [];
  const rows = secrets.map(({ sdkAppId, name, value }): SecretTable => {
    const dataKey = keys.get(sdkAppId);
    if (dataKey === undefined) throw new Error(`no data key was made for application ${sdkAppId}`);
    const sealed = seal(dataKey.key, Buffer.from(value), { sdkAppId, field: name }).toString('base64url');
    summaries.push({ name, key_id: dataKey.masterKeyId, set_at: new Date(nowMs).toISOString() });
    return { sdk_app_id: sdkAppId, name, sealed, object_key: null, set_ms: nowMs };
  });
  await replaceRows(transaction, rows);
  return summaries;
}

/** Deletes only rows that exist: in MySQL, deleting others locks the gap where they would be. */
async function replaceRows(
  transaction: Transaction<RegistryTables>,
  rows: readonly SecretTable[],
): Promise<void> {
  for (const part of chunks(rows)) {
    const ids = [...new Set(part.map((row) => row.sdk_app_id))];
    const existing = await transaction
      .selectFrom('secret')
      .select(['sdk_app_id', 'name'])
      .where('sdk_app_id', 'in', ids)
      .execute();
    const given = new Set(part.map((row) => `${row.sdk_app_id} ${row.name}`));
    const replaced = existing.filter((old) => given.has(`${old.sdk_app_id} ${old.name}`));
    for (const { sdk_app_id: sdkAppId, name } of replaced) {
      await transaction
        .deleteFrom('secret')
        .where('sdk_app_id', '=', sdkAppId)
        .where('name', '=', name)
        .execute();
    }
    await transaction.insertInto('secret').values(part).execute();
  }
}

export function certificatePrefix(sdkAppId: number): string {
  return `${OBJECT_ROOMS.certificates}${sdkAppId}/`;
}

function certificateName(certificateId: string): string {
  return `push/${certificateId}/certificate`;
}

/** With the object's key, so that an older object of the same certificate does not open in its place. */
function objectPlace(sdkAppId: number, name: string, key: string): { sdkAppId: number; field: string } {
  return { sdkAppId, field: `${name} ${key}` };
}

/** The length of the password (4 bytes, 0xffffffff: none), the password, the file. */
function certificateBytes({ content, password }: Certificate): Buffer {
  const text = Buffer.from(password ?? '');
  const head = Buffer.alloc(4);
  head.writeUInt32BE(password === undefined ? 0xff_ff_ff_ff : text.byteLength);
  return Buffer.concat([head, text, content]);
}

function readCertificate(bytes: Buffer): Certificate {
  const length = bytes.readUInt32BE(0);
  if (length === 0xff_ff_ff_ff) return { content: bytes.subarray(4), password: undefined };
  return { content: bytes.subarray(4 + length), password: bytes.toString('utf8', 4, 4 + length) };
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
