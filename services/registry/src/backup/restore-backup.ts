/*
 * Restores a backup: checks every checksum first, then fills an empty database, then purges again what was purged since
 * the backup, and only then lets a registry start. An interrupted restore is run again and starts from the beginning.
 */
import type { Database } from '@imscope/state/database.js';
import { dropTables, existingTables } from '@imscope/state/drop-tables.js';
import { loadDump } from '@imscope/state/dump.js';
import { LEASE_MIGRATIONS, LEASE_SERVICE } from '@imscope/state/leases.js';
import { migrate } from '@imscope/state/migrate.js';
import { transact } from '@imscope/state/transact.js';
import { sql } from 'kysely';
import type { DocumentStore } from '../documents/document-store.js';
import type { PurgeSubject } from '../lifecycle/purge-places.js';
import { readTombstones } from '../lifecycle/tombstones.js';
import type { ObjectStore } from '../objects/object-store.js';
import { REGISTRY_MIGRATIONS } from '../rows/migrations.js';
import type { RegistryTables } from '../rows/tables.js';
import { ALL_TABLES, REGISTRY_SERVICE, ROW_TABLES } from './backup-tables.js';
import { loadDocuments } from './document-lines.js';
import { finishRestore } from './finish-restore.js';
import { getLines } from './gzip-lines.js';
import type { Manifest } from './manifest.js';
import { heldLeases, restoringBackup, setRestoreMarker } from './restore-marker.js';
import { purgeAgain } from './purge-again.js';
import { findManifest, verifyBackup, type VerifiedBackup } from './verify-backup.js';
import { withoutPurged } from './without-purged.js';

export type RestoreServices = {
  readonly database: Database<RegistryTables>;
  readonly documents: Pick<DocumentStore, 'write' | 'deleteApplication'>;
  readonly objects: Pick<ObjectStore, 'get' | 'getStream' | 'list' | 'delete'>;
  /** From when a purge is due until it is promised to be complete. */
  readonly purgeWithinMs: number;
  readonly now: () => number;
  /** Called after each part: a test ends the restore there. */
  readonly checkpoint?: (part: string) => void;
};

export type RestoreOptions = {
  /** An id, or `newest`. */
  readonly backup: string;
  /** Checks everything and changes nothing. */
  readonly dryRun: boolean;
  /** Deletes what the database holds. Otherwise it must be empty. */
  readonly replace: boolean;
};

export type RestoreReport = {
  readonly manifest: Manifest;
  /** Applications of the backup that were purged again; with `dryRun` those that would be. */
  readonly purged: readonly number[];
  /** Objects of certificates that are gone: replaced or removed since the backup. They are to be uploaded again. */
  readonly missingCertificates: readonly string[];
};

/** @throws before anything is changed: no such backup, a wrong checksum, a database that is not empty or is in use */
export async function restoreBackup(
  services: RestoreServices,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const { objects, checkpoint = () => {} } = services;
  const manifest = await findManifest(objects, options.backup);
  const { applications, missingCertificates } = await verifyBackup(objects, manifest);
  const subjects = await purgedSince(services, manifest, applications);
  const purged = subjects.map(({ sdkAppId }) => sdkAppId);
  await assertMayBeFilled(services, options);
  const report = { manifest, purged, missingCertificates };
  if (options.dryRun) return report;
  await fill(services, manifest, new Set(purged), checkpoint);
  for (const subject of subjects) {
    await purgeAgain(services, subject);
    checkpoint('purge');
  }
  await finishRestore(services, manifest);
  return report;
}

/** Applications of the backup with a tombstone. One that was created after its tombstone is another application. */
async function purgedSince(
  { objects, now, purgeWithinMs }: RestoreServices,
  manifest: Manifest,
  applications: VerifiedBackup['applications'],
): Promise<PurgeSubject[]> {
  const startedMs = now();
  const newest = new Map(manifest.purging.map((sdkAppId) => [sdkAppId, manifest.created_ms]));
  for (const { sdkAppId, purgedMs } of await readTombstones(objects))
    newest.set(sdkAppId, Math.max(purgedMs, newest.get(sdkAppId) ?? 0));
  return [...newest].flatMap(([sdkAppId, purgedMs]) => {
    const times = applications.get(sdkAppId);
    if (times === undefined || times.createdMs > purgedMs) return [];
    const terminatedMs = times.terminatedMs ?? purgedMs;
    return [{ sdkAppId, terminatedMs, dueMs: purgedMs, latestMs: startedMs + purgeWithinMs, startedMs }];
  });
}

async function assertMayBeFilled(
  { database, now }: RestoreServices,
  { replace, dryRun }: RestoreOptions,
): Promise<void> {
  const { kysely, place } = database;
  const tables = await existingTables(database);
  if (tables.has('lease')) {
    const held = await heldLeases(kysely, now());
    if (held.length > 0 && !dryRun)
      throw new Error(
        `a registry uses ${place} (it holds ${held.join(', ')}): stop every registry; what a killed one held ends within minutes`,
      );
    if ((await restoringBackup(kysely)) !== undefined) return;
  }
  if (replace) return;
  for (const table of ALL_TABLES.filter((name) => tables.has(name))) {
    const row = await kysely
      .selectFrom(table)
      .select(sql<number>`1`.as('one'))
      .limit(1)
      .executeTakeFirst();
    if (row !== undefined)
      throw new Error(
        `${place} is not empty (table ${table}): give --replace to delete what it holds, or restore into another database`,
      );
  }
}

/** The tables of the backup's version first, so that its rows fit, then those of this version. */
async function fill(
  { database, documents, objects }: RestoreServices,
  { id, files, migrations }: Manifest,
  purged: ReadonlySet<number>,
  checkpoint: (part: string) => void,
): Promise<void> {
  await migrate(database, LEASE_SERVICE, LEASE_MIGRATIONS);
  await setRestoreMarker(database.kysely, id);
  checkpoint('marker');
  await dropTables(database, REGISTRY_SERVICE, ALL_TABLES);
  checkpoint('tables dropped');
  await migrate(database, REGISTRY_SERVICE, REGISTRY_MIGRATIONS.slice(0, migrations.length));
  checkpoint('tables');
  const rows = withoutPurged(getLines(objects, files.rows), purged);
  await loadDump(database, rows, { tables: ROW_TABLES });
  checkpoint('rows');
  await migrate(database, REGISTRY_SERVICE, REGISTRY_MIGRATIONS);
  await loadDocuments(documents, getLines(objects, files.documents), {
    without: purged,
    transact: async (work) => transact(database, work),
  });
  checkpoint('documents');
}
