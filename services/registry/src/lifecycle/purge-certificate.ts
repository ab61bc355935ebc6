/* Purges as certificates: what was deleted, where and when, and until when backups may hold it. */
import type { PurgeCertificate } from '@imscope/schemas/registry-api/records.js';
import { PURGE_PLACES } from '@imscope/schemas/registry-api/records.js';
import type { Selectable } from 'kysely';
import type { Reader } from '../rows/application-rows.js';
import type { PurgePlaceTable, PurgeTable } from '../rows/tables.js';

/** A page in the order newest first; `before` is a purge of the page before. */
export type PurgePage = {
  readonly among: 'all' | ReadonlySet<number>;
  readonly before: { readonly startedMs: number; readonly sdkAppId: number } | undefined;
  readonly limit: number;
};

export async function readCertificates(db: Reader, { among, before, limit }: PurgePage) {
  let query = db
    .selectFrom('purge')
    .selectAll()
    .orderBy('started_ms', 'desc')
    .orderBy('sdk_app_id', 'desc')
    .limit(limit);
  if (before !== undefined) {
    query = query.where(({ or, and, eb }) =>
      or([
        eb('started_ms', '<', before.startedMs),
        and([eb('started_ms', '=', before.startedMs), eb('sdk_app_id', '<', before.sdkAppId)]),
      ]),
    );
  }
  if (among !== 'all') query = query.where('sdk_app_id', 'in', [...among]);
  const purges = await query.execute();
  return withPlaces(db, purges);
}

/** Undefined where the application was never purged. */
export async function readNewestCertificate(
  db: Reader,
  sdkAppId: number,
): Promise<PurgeCertificate | undefined> {
  const purges = await db
    .selectFrom('purge')
    .selectAll()
    .where('sdk_app_id', '=', sdkAppId)
    .orderBy('started_ms', 'desc')
    .limit(1)
    .execute();
  return (await withPlaces(db, purges))[0];
}

async function withPlaces(
  db: Reader,
  purges: readonly Selectable<PurgeTable>[],
): Promise<PurgeCertificate[]> {
  if (purges.length === 0) return [];
  const ids = purges.map((purge) => purge.sdk_app_id);
  const places = await db.selectFrom('purge_place').selectAll().where('sdk_app_id', 'in', ids).execute();
  return purges.map((purge) => certificateOf(purge, places));
}

/** Pure. */
function certificateOf(
  purge: Selectable<PurgeTable>,
  allPlaces: readonly Selectable<PurgePlaceTable>[],
): PurgeCertificate {
  const own = allPlaces.filter(
    (place) => place.sdk_app_id === purge.sdk_app_id && place.terminated_ms === purge.terminated_ms,
  );
  return {
    sdk_app_id: purge.sdk_app_id,
    terminated_at: timeText(purge.terminated_ms),
    due_at: timeText(purge.due_ms),
    latest_at: timeText(purge.latest_ms),
    started_at: timeText(purge.started_ms),
    completed_at: timeOrNull(purge.completed_ms),
    places: PURGE_PLACES.flatMap((name) =>
      own
        .filter(({ place }) => place === name)
        .map(({ place, state, deleted, done_ms, last_error }) => {
          return { place, state, deleted, done_at: timeOrNull(done_ms), last_error };
        }),
    ),
    backups_expire_at: timeOrNull(purge.backups_expire_ms),
  };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : timeText(ms);
}
