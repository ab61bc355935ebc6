/*
 * Goes on with a purge that was begun: one place after another, each recorded when it is done. A pass that is cut off
 * anywhere is repeated by the next. The rows come last, because they hold what the other steps need.
 */
import { errorMessage } from '@imscope/runtime/error-message.js';
import { PURGE_PLACES, type PurgePlace } from '@imscope/schemas/registry-api/records.js';
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import type { RegistryTables } from '../rows/tables.js';
import type { PlaceResult, PurgeSteps, PurgeSubject } from './purge-places.js';
import { purgeRows } from './purge-rows.js';

export type PurgeServices = {
  readonly database: Database<RegistryTables>;
  readonly steps: PurgeSteps;
  /** Durable when it resolves. The same purge writes the same object again. */
  readonly putTombstone: (tombstone: {
    readonly sdkAppId: number;
    readonly purgedMs: number;
  }) => Promise<void>;
  readonly areNoticesDelivered: boolean;
  readonly now: () => number;
  /** Called between the parts of the work: a test ends the process there. */
  readonly checkpoint?: (name: string) => void;
};

/** Of the parts that run under a lease. */
export type MayGoOn = () => boolean;

/** Purges of one pass; the others follow in the next. */
const PURGES_MAX = 200;
const REASON_LENGTH_MAX = 500;

/** Goes on with all purges that are not complete. @returns how many are complete now */
export async function runPurges(services: PurgeServices, mayGoOn: MayGoOn = () => true): Promise<number> {
  const open = await services.database.kysely
    .selectFrom('purge')
    .selectAll()
    .where('completed_ms', 'is', null)
    .orderBy('started_ms')
    .limit(PURGES_MAX)
    .execute();
  let completed = 0;
  for (const row of open) {
    if (!mayGoOn()) break;
    const subject = {
      sdkAppId: row.sdk_app_id,
      terminatedMs: row.terminated_ms,
      dueMs: row.due_ms,
      latestMs: row.latest_ms,
      startedMs: row.started_ms,
    };
    if (await runPurge(services, subject)) completed += 1;
  }
  return completed;
}

/** @returns whether the purge is complete */
async function runPurge(services: PurgeServices, subject: PurgeSubject): Promise<boolean> {
  const states = await placeStates(services, subject);
  for (const place of PURGE_PLACES) {
    if (place === 'rows' || states.get(place) !== 'open') continue;
    // The sink of names writes a last row when the deletion reaches it.
    if (place === 'telemetry' && states.get('distribution') === 'open') continue;
    services.checkpoint?.(`${place}: begin`);
    const result = await tryStep(services, subject, place);
    services.checkpoint?.(`${place}: not recorded`);
    await recordPlace(services, subject, place, result);
    states.set(place, result.kind);
  }
  // TRTC keeps nobody waiting: an end that it has not confirmed stays recorded as open.
  const isReady = PURGE_PLACES.every(
    (place) => place === 'rows' || place === 'trtc' || states.get(place) !== 'open',
  );
  if (!isReady) return false;
  services.checkpoint?.('rows: begin');
  await services.putTombstone({ sdkAppId: subject.sdkAppId, purgedMs: subject.startedMs });
  services.checkpoint?.('rows: tombstone written');
  await complete(services, subject);
  return true;
}

async function placeStates(
  { database }: PurgeServices,
  { sdkAppId, terminatedMs }: PurgeSubject,
): Promise<Map<PurgePlace, PlaceResult['kind']>> {
  const rows = await database.kysely
    .selectFrom('purge_place')
    .select(['place', 'state'])
    .where('sdk_app_id', '=', sdkAppId)
    .where('terminated_ms', '=', terminatedMs)
    .execute();
  return new Map(rows.map(({ place, state }) => [place, state]));
}

/** A step that fails leaves its place open, and the other places go on. */
async function tryStep(
  services: PurgeServices,
  subject: PurgeSubject,
  place: Exclude<PurgePlace, 'rows'>,
): Promise<PlaceResult> {
  try {
    return await services.steps[place](subject, async (count) => {
      await recordFound(services, subject, place, count);
      services.checkpoint?.(`${place}: found`);
    });
  } catch (error) {
    return { kind: 'open', reason: errorMessage(error).slice(0, REASON_LENGTH_MAX) };
  }
}

async function recordFound(
  { database }: PurgeServices,
  { sdkAppId, terminatedMs }: PurgeSubject,
  place: PurgePlace,
  count: number,
): Promise<void> {
  await database.kysely
    .updateTable('purge_place')
    .set({ deleted: count })
    .where('sdk_app_id', '=', sdkAppId)
    .where('terminated_ms', '=', terminatedMs)
    .where('place', '=', place)
    .where('deleted', '<', count)
    .execute();
}

async function recordPlace(
  services: PurgeServices,
  subject: PurgeSubject,
  place: PurgePlace,
  result: PlaceResult,
): Promise<void> {
  if (result.kind === 'done') await recordFound(services, subject, place, result.deleted);
  await services.database.kysely
    .updateTable('purge_place')
    .set({
      state: result.kind,
      done_ms: result.kind === 'done' ? services.now() : null,
      last_error: result.kind === 'open' ? result.reason : null,
    })
    .where('sdk_app_id', '=', subject.sdkAppId)
    .where('terminated_ms', '=', subject.terminatedMs)
    .where('place', '=', place)
    .execute();
}

async function complete(services: PurgeServices, subject: PurgeSubject): Promise<void> {
  const { sdkAppId, terminatedMs } = subject;
  await transact(services.database, async (tx) => {
    const nowMs = services.now();
    const deleted = await purgeRows(tx, subject, nowMs, services.areNoticesDelivered);
    await tx
      .updateTable('purge_place')
      .set({ state: 'done', deleted, done_ms: nowMs, last_error: null })
      .where('sdk_app_id', '=', sdkAppId)
      .where('terminated_ms', '=', terminatedMs)
      .where('place', '=', 'rows')
      .execute();
    // Every backup that exists may hold the application, those being written too.
    const { expires_ms: backupsExpireMs } = await tx
      .selectFrom('backup')
      .select(({ fn }) => fn.max('expires_ms').as('expires_ms'))
      .executeTakeFirstOrThrow();
    await tx
      .updateTable('purge')
      .set({ completed_ms: nowMs, backups_expire_ms: backupsExpireMs })
      .where('sdk_app_id', '=', sdkAppId)
      .where('terminated_ms', '=', terminatedMs)
      .execute();
    services.checkpoint?.('rows: not committed');
  });
}
