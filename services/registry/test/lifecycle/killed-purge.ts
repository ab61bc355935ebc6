/*
 * A process that purges what is due and ends itself by SIGKILL at a checkpoint. Arguments: JSON of `KilledPurge`. Prints
 * the checkpoints that it came to, one a line.
 */
import { writeSync } from 'node:fs';
import { type DatabaseOptions, openDatabase } from '@imscope/state/database.js';
import { createRowDocuments } from '../../src/documents/row-documents.js';
import { runLifecyclePass } from '../../src/lifecycle/lifecycle-pass.js';
import { purgeDistribution } from '../../src/lifecycle/purge-distribution.js';
import { purgeDocuments } from '../../src/lifecycle/purge-documents.js';
import { purgeObjects } from '../../src/lifecycle/purge-objects.js';
import { purgeTrtc } from '../../src/lifecycle/purge-trtc.js';
import { putTombstone } from '../../src/lifecycle/tombstones.js';
import type { BucketOptions } from '../../src/objects/bucket-objects.js';
import { openFolderObjects } from '../../src/objects/folder-objects.js';
import type { RegistryTables } from '../../src/rows/tables.js';

export type KilledPurge = {
  readonly database: DatabaseOptions;
  /** null: rows. */
  readonly mongoUrl: string | null;
  readonly objects: { readonly folder: string } | { readonly bucket: BucketOptions };
  readonly nowMs: number;
  readonly withinMs: number;
  /** The process ends at this checkpoint; null: at none. */
  readonly killAt: string | null;
};

const given: KilledPurge = JSON.parse(process.argv[2] ?? '');
const database = openDatabase<RegistryTables>(given.database);
const mongo = given.mongoUrl === null ? undefined : await openMongo(given.mongoUrl);
const documents = mongo ?? createRowDocuments(database.kysely);
const objects = await openObjects(given.objects);

/** Loaded where it is used: it takes most of the time of a start. */
async function openMongo(url: string) {
  const { openMongoDocuments } = await import('../../src/documents/mongo-documents.js');
  return openMongoDocuments({ url, password: '' });
}

async function openObjects(place: KilledPurge['objects']) {
  if ('folder' in place) return openFolderObjects(place.folder);
  const { openBucketObjects } = await import('../../src/objects/bucket-objects.js');
  return openBucketObjects(place.bucket);
}

function checkpoint(name: string): void {
  writeSync(1, `${name}\n`);
  if (name === given.killAt) process.kill(process.pid, 'SIGKILL');
}

await runLifecyclePass({
  database,
  steps: {
    distribution: purgeDistribution(database, async () => undefined),
    trtc: purgeTrtc(database),
    documents: purgeDocuments(documents),
    objects: purgeObjects(database, objects),
    telemetry: async () => ({ kind: 'not_used' }),
  },
  putTombstone: async (tombstone) => putTombstone(objects, tombstone),
  areNoticesDelivered: true,
  now: () => given.nowMs,
  withinMs: given.withinMs,
  auditKeptMs: given.nowMs,
  checkpoint,
});
await mongo?.close();
await database.close();
