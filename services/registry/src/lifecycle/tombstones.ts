/*
 * Tombstones: which applications were purged, and when. One is a row, and an object beside the backups, because a backup
 * that is restored is older than the rows written since: it may hold applications that were purged after it was made.
 */
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import type { ObjectStore } from '../objects/object-store.js';
import { existingApplications, type Writer } from '../rows/application-rows.js';
import { REGISTRY_ACTOR, writeAudit } from '../rows/audit.js';
import type { RegistryTables } from '../rows/tables.js';
import { endSharing } from '../sharing/record-sharing.js';
import { insertPurge } from './begin-purges.js';

export type Tombstone = { readonly sdkAppId: number; readonly purgedMs: number };

const IDS_PER_QUERY = 500;
const PREFIX = 'tombstones/';
const KEY = /^tombstones\/(\d{1,16})-(\d{1,16})\.json$/;

/** Contains nothing but the SDKAppID and the time of the purge, and is never deleted. */
export async function putTombstone(
  objects: Pick<ObjectStore, 'put'>,
  { sdkAppId, purgedMs }: Tombstone,
): Promise<void> {
  const content = { sdk_app_id: sdkAppId, purged_at: new Date(purgedMs).toISOString() };
  await objects.put(`${PREFIX}${sdkAppId}-${purgedMs}.json`, Buffer.from(`${JSON.stringify(content)}\n`));
}

/** All that were ever written; their keys say all. */
export async function readTombstones(objects: Pick<ObjectStore, 'list'>): Promise<Tombstone[]> {
  const tombstones: Tombstone[] = [];
  for await (const { key } of objects.list(PREFIX)) {
    const [, sdkAppId, purgedMs] = KEY.exec(key) ?? [];
    if (sdkAppId === undefined) throw new Error(`object ${key} is no tombstone: move it elsewhere`);
    tombstones.push({ sdkAppId: Number(sdkAppId), purgedMs: Number(purgedMs) });
  }
  return tombstones;
}

/**
 * After rows came back from a backup: begins the purge again of each application that the backup holds and a tombstone names. It is terminated
 * from this moment on; `runPurges` goes on with it. An application of the same SDKAppID that was created after the purge is
 * another one and stays. May be repeated.
 * @returns the applications whose purge was begun
 */
export async function reapplyTombstones(
  database: Database<RegistryTables>,
  tombstones: readonly Tombstone[],
  options: { readonly nowMs: number; readonly withinMs: number },
): Promise<number[]> {
  const begun: number[] = [];
  for (const tombstone of await withApplication(database, tombstones)) {
    if (await transact(database, async (tx) => reapply(tx, tombstone, options)))
      begun.push(tombstone.sdkAppId);
  }
  return begun;
}

/** Hardly ever one: the applications of tombstones are gone, or were created again. */
async function withApplication(
  { kysely }: Database<RegistryTables>,
  tombstones: readonly Tombstone[],
): Promise<Tombstone[]> {
  const found: Tombstone[] = [];
  for (let from = 0; from < tombstones.length; from += IDS_PER_QUERY) {
    const part = tombstones.slice(from, from + IDS_PER_QUERY);
    const ids = await existingApplications(
      kysely,
      part.map(({ sdkAppId }) => sdkAppId),
    );
    found.push(...part.filter(({ sdkAppId }) => ids.has(sdkAppId)));
  }
  return found;
}

async function reapply(
  tx: Writer,
  { sdkAppId, purgedMs }: Tombstone,
  { nowMs, withinMs }: { readonly nowMs: number; readonly withinMs: number },
): Promise<boolean> {
  const application = await tx
    .selectFrom('application')
    .select(['created_ms', 'terminated_ms', 'revision'])
    .where('sdk_app_id', '=', sdkAppId)
    .forUpdate()
    .executeTakeFirst();
  if (application === undefined || application.created_ms > purgedMs) return false;
  const begun = await tx
    .selectFrom('purge')
    .select('terminated_ms')
    .where('sdk_app_id', '=', sdkAppId)
    .where('completed_ms', 'is', null)
    .executeTakeFirst();
  if (begun !== undefined) return false;
  const terminatedMs = application.terminated_ms ?? purgedMs;
  await tx
    .updateTable('application')
    .set({
      status: 'terminated',
      terminated_ms: terminatedMs,
      purge_ms: purgedMs,
      revision: application.revision + 1,
    })
    .where('sdk_app_id', '=', sdkAppId)
    .execute();
  const due = { dueMs: purgedMs, latestMs: nowMs + withinMs, startedMs: nowMs };
  await insertPurge(tx, { sdkAppId, terminatedMs, ...due });
  await endSharing(tx, sdkAppId, nowMs);
  const audited = { atMs: nowMs, actor: REGISTRY_ACTOR, action: 'application.purge_again', sdkAppId };
  await writeAudit(tx, { ...audited, reason: 'a backup was restored', paths: [], revision: null });
  return true;
}
