/*
 * The manifest of a backup, its last object: a backup without one is not complete. It says what the other objects are,
 * with their checksums, so that a restore reads nothing that is not what was written.
 */
import { randomBytes } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { OBJECT_ROOMS, type ObjectStore } from '../objects/object-store.js';

const BackupFile = Type.Object({
  key: Type.String(),
  /** Compressed. */
  byte_count: Type.Integer({ minimum: 0 }),
  /** Of the compressed bytes, hexadecimal. */
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  line_count: Type.Integer({ minimum: 0 }),
});
export type BackupFile = Static<typeof BackupFile>;

const Manifest = Type.Object({
  version: Type.Literal(1),
  id: Type.String(),
  created_ms: Type.Integer(),
  completed_ms: Type.Integer(),
  expires_ms: Type.Integer(),
  /** The migrations that were done, in order: a restore creates these tables first. */
  migrations: Type.Array(Type.String()),
  /** Rows of each table. */
  rows: Type.Record(Type.String(), Type.Integer({ minimum: 0 })),
  documents: Type.Integer({ minimum: 0 }),
  certificates: Type.Integer({ minimum: 0 }),
  /** Applications whose purge deleted their versions while the backup was written: a restore purges them again. */
  purging: Type.Array(Type.Integer({ minimum: 1 })),
  files: Type.Object({ rows: BackupFile, documents: BackupFile, certificates: BackupFile }),
});
export type Manifest = Static<typeof Manifest>;
export type BackupFileName = keyof Manifest['files'];

const ID = /^\d{8}t\d{6}z-[0-9a-f]{8}$/;

/** Sorts by time: `20261129t064500z-0f1e2d3c`. */
export function newBackupId(nowMs: number): string {
  const time = new Date(nowMs)
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')
    .toLowerCase();
  return `${time}-${randomBytes(4).toString('hex')}`;
}

export function isBackupId(text: string): boolean {
  return ID.test(text);
}

export function backupPrefix(id: string): string {
  return `${OBJECT_ROOMS.backups}${id}/`;
}

export function backupFileKey(id: string, name: BackupFileName): string {
  return `${backupPrefix(id)}${name}.ndjson.gz`;
}

export function manifestKey(id: string): string {
  return `${backupPrefix(id)}manifest.json`;
}

/** The backup of an object's key. */
export function backupIdOf(key: string): string | undefined {
  const id = key.slice(OBJECT_ROOMS.backups.length).split('/', 1)[0] ?? '';
  return key.startsWith(OBJECT_ROOMS.backups) && isBackupId(id) ? id : undefined;
}

/** Undefined where the backup is missing or not complete. Throws where its manifest cannot be read. */
export async function readManifest(
  objects: Pick<ObjectStore, 'get'>,
  id: string,
): Promise<Manifest | undefined> {
  const content = await objects.get(manifestKey(id));
  if (content === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch (error) {
    throw new Error(`the manifest of backup ${id} is not JSON: restore another backup`, { cause: error });
  }
  if (!Value.Check(Manifest, value) || value.id !== id)
    throw new Error(
      `the manifest of backup ${id} is not one of version 1: restore it with the version of the registry that wrote it`,
    );
  return value;
}

/** Ids of complete backups, oldest first. */
export async function completeBackups(objects: Pick<ObjectStore, 'list'>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { key } of objects.list(OBJECT_ROOMS.backups)) {
    const id = backupIdOf(key);
    if (id !== undefined && key === manifestKey(id)) ids.push(id);
  }
  return ids.toSorted();
}
