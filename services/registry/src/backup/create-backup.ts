/*
 * Writes a backup: all rows in one snapshot, the versions that they name, and the list of certificates' objects. The
 * manifest comes last and makes it complete. Its row is there before the snapshot is taken, so that a purge that completes
 * meanwhile knows until when this backup may hold the application.
 */
import { migrate } from '@imscope/state/migrate.js';
import type { Database } from '@imscope/state/database.js';
import { dumpTables, type RowCounts } from '@imscope/state/dump.js';
import type { DocumentStore } from '../documents/document-store.js';
import type { ObjectStore } from '../objects/object-store.js';
import { REGISTRY_MIGRATIONS } from '../rows/migrations.js';
import type { RegistryTables } from '../rows/tables.js';
import { REGISTRY_SERVICE, ROW_TABLES } from './backup-tables.js';
import { documentLines, type NamedVersion } from './document-lines.js';
import { putLines } from './gzip-lines.js';
import { backupFileKey, backupPrefix, type Manifest, manifestKey, newBackupId } from './manifest.js';
import { assertNotRestoring } from './restore-marker.js';
import { deleteBackup } from './sweep-backups.js';

export type BackupServices = {
  readonly database: Database<RegistryTables>;
  readonly documents: Pick<DocumentStore, 'list' | 'read'>;
  readonly objects: Pick<ObjectStore, 'put' | 'putStream' | 'list' | 'delete'>;
  readonly keepDays: number;
  readonly now: () => number;
  /** Ends a backup that is being written; what there is of it is deleted. */
  readonly signal?: AbortSignal;
};

const DAY_MS = 86_400_000;

/** @throws where it could not be completed; what was written of it is deleted, at the latest by the sweep */
export async function createBackup(services: BackupServices): Promise<Manifest> {
  const { database, objects, now, keepDays } = services;
  await assertNewestTables(database);
  await assertNotRestoring(database);
  const createdMs = now();
  const id = newBackupId(createdMs);
  const expiresMs = createdMs + keepDays * DAY_MS;
  await database.kysely
    .insertInto('backup')
    .values({
      id,
      created_ms: createdMs,
      completed_ms: null,
      object_prefix: backupPrefix(id),
      expires_ms: expiresMs,
    })
    .execute();
  try {
    const content = await writeFiles(services, id);
    const manifest: Manifest = {
      version: 1,
      id,
      created_ms: createdMs,
      completed_ms: now(),
      expires_ms: expiresMs,
      migrations: REGISTRY_MIGRATIONS.map(({ name }) => name),
      ...content,
    };
    await objects.put(manifestKey(id), Buffer.from(JSON.stringify(manifest, undefined, 2)));
    await database.kysely
      .updateTable('backup')
      .set({ completed_ms: manifest.completed_ms })
      .where('id', '=', id)
      .execute();
    return manifest;
  } catch (error) {
    // The first error is the one to report; the sweep deletes what stays.
    await deleteBackup(services, id).catch(() => {});
    throw error;
  }
}

/** A backup of other tables than this version's could not be restored by it. */
async function assertNewestTables(database: Database<RegistryTables>): Promise<void> {
  const { statements, unknown } = await migrate(database, REGISTRY_SERVICE, REGISTRY_MIGRATIONS, {
    dryRun: true,
  });
  if (statements.length > 0)
    throw new Error('the tables are not those of this version: run migrate first, then back up');
  if (unknown.length > 0)
    throw new Error(
      `the tables are those of a newer version (${unknown.join(', ')}): back up with that version`,
    );
}

type Content = Pick<Manifest, 'files' | 'rows' | 'documents' | 'certificates' | 'purging'>;

async function writeFiles(
  { database, documents, objects, signal }: BackupServices,
  id: string,
): Promise<Content> {
  const found = newFindings();
  const rows = await putLines(
    objects,
    backupFileKey(id, 'rows'),
    untilAborted(rowLines(database, found), signal),
  );
  const purging: number[] = [];
  const versions = await putLines(
    objects,
    backupFileKey(id, 'documents'),
    untilAborted(
      documentLines(documents, found.applications, async (application) => {
        await assertPurging(database, application);
        purging.push(application.sdkAppId);
      }),
      signal,
    ),
  );
  const certificates = await putLines(
    objects,
    backupFileKey(id, 'certificates'),
    asyncLines(found.certificates.map((key) => JSON.stringify({ key }))),
  );
  return {
    files: { rows, documents: versions, certificates },
    rows: found.counts,
    documents: versions.line_count,
    certificates: certificates.line_count,
    purging,
  };
}

/** What the rows name; in memory about 100 bytes an application and certificate. */
type Findings = {
  readonly applications: NamedVersion[];
  readonly certificates: string[];
  counts: RowCounts;
};

function newFindings(): Findings {
  return { applications: [], certificates: [], counts: {} };
}

async function* rowLines(database: Database<RegistryTables>, found: Findings): AsyncGenerator<string> {
  const dump = dumpTables<RegistryTables>(database, ROW_TABLES);
  try {
    for (;;) {
      const { done, value } = await dump.next();
      if (done === true) {
        found.counts = value;
        return;
      }
      if (value.startsWith('{"table":"application",') || value.startsWith('{"table":"secret",'))
        note(value, found);
      yield value;
    }
  } finally {
    // Gives its connection back where the writing has failed.
    await dump.return({});
  }
}

function note(line: string, found: Findings): void {
  const { row }: { row: { sdk_app_id: number; version?: number; object_key?: string | null } } =
    JSON.parse(line);
  if (row.version !== undefined) found.applications.push({ sdkAppId: row.sdk_app_id, version: row.version });
  if (typeof row.object_key === 'string') found.certificates.push(row.object_key);
}

async function* untilAborted(
  lines: AsyncIterable<string>,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  for await (const line of lines) {
    signal?.throwIfAborted();
    yield line;
  }
}

async function* asyncLines(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

/** Its version is gone because a purge that has begun since the snapshot deletes it. Anything else is a fault. */
async function assertPurging(
  { kysely }: Database<RegistryTables>,
  { sdkAppId, version }: NamedVersion,
): Promise<void> {
  const application = await kysely
    .selectFrom('application')
    .select('version')
    .where('sdk_app_id', '=', sdkAppId)
    .executeTakeFirst();
  const purge = await kysely
    .selectFrom('purge')
    .select('started_ms')
    .where('sdk_app_id', '=', sdkAppId)
    .executeTakeFirst();
  if (application !== undefined && purge === undefined)
    throw new Error(
      `version ${version} of application ${sdkAppId} is not in the place of documents: see why, then back up again`,
    );
}
