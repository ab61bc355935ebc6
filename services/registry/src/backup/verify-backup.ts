/* Checks a backup before anything is changed: every file is read to its end, and its checksum compared. */
import { OBJECT_ROOMS, type ObjectStore } from '../objects/object-store.js';
import { REGISTRY_MIGRATIONS } from '../rows/migrations.js';
import type { ApplicationTable } from '../rows/tables.js';
import { getLines } from './gzip-lines.js';
import { completeBackups, isBackupId, type Manifest, readManifest } from './manifest.js';

type Objects = Pick<ObjectStore, 'get' | 'getStream' | 'list'>;

/** @param backup an id, or `newest` */
export async function findManifest(objects: Objects, backup: string): Promise<Manifest> {
  const known = await completeBackups(objects);
  const id = backup === 'newest' ? known.at(-1) : backup;
  const manifest = id === undefined || !isBackupId(id) ? undefined : await readManifest(objects, id);
  if (manifest === undefined)
    throw new Error(
      `there is no complete backup ${JSON.stringify(backup)}: give newest, or one of ${known.slice(-5).join(', ') || 'none: there is no backup'}`,
    );
  const foreign = manifest.migrations.filter((name, at) => REGISTRY_MIGRATIONS[at]?.name !== name);
  if (foreign.length > 0)
    throw new Error(
      `backup ${manifest.id} was written by another version of the registry (it has ${foreign.join(', ')}): restore it with that one`,
    );
  return manifest;
}

export type ApplicationTimes = { readonly createdMs: number; readonly terminatedMs: number | null };

export type VerifiedBackup = {
  /** By SDKAppID; about 150 bytes each. */
  readonly applications: ReadonlyMap<number, ApplicationTimes>;
  /** Objects that are gone: replaced or removed since the backup. */
  readonly missingCertificates: readonly string[];
};

type ApplicationRow = Pick<ApplicationTable, 'sdk_app_id' | 'created_ms' | 'terminated_ms'>;

/** Throws where a file is missing or not what was written. */
export async function verifyBackup(objects: Objects, { files }: Manifest): Promise<VerifiedBackup> {
  const applications = new Map<number, ApplicationTimes>();
  for await (const line of getLines(objects, files.rows)) {
    if (!line.startsWith('{"table":"application",')) continue;
    const { row }: { row: ApplicationRow } = JSON.parse(line);
    applications.set(row.sdk_app_id, { createdMs: row.created_ms, terminatedMs: row.terminated_ms });
  }
  await readToEnd(getLines(objects, files.documents));
  const present = new Set<string>();
  for await (const { key } of objects.list(OBJECT_ROOMS.certificates)) present.add(key);
  const missingCertificates: string[] = [];
  for await (const line of getLines(objects, files.certificates)) {
    const { key }: { key: string } = JSON.parse(line);
    if (!present.has(key)) missingCertificates.push(key);
  }
  return { applications, missingCertificates };
}

async function readToEnd(lines: AsyncGenerator<string>): Promise<void> {
  while ((await lines.next()).done !== true);
}
