/* What TRTC was told: the end of the sharing was requested at the termination, and is confirmed by TRTC or stays open. */
import type { Database } from '@imscope/state/database.js';
import type { RegistryTables } from '../rows/tables.js';
import type { PurgeStep } from './purge-places.js';

export function purgeTrtc(database: Database<RegistryTables>): PurgeStep {
  return async ({ sdkAppId }) => {
    const sharings = await database.kysely
      .selectFrom('sharing')
      .select(['ended_ms', 'attempts', 'last_error'])
      .where('sdk_app_id', '=', sdkAppId)
      .execute();
    const open = sharings.filter(({ ended_ms: endedMs }) => endedMs === null);
    const [first] = open;
    if (first !== undefined) {
      return {
        kind: 'open',
        reason: `TRTC has not confirmed the end: ${first.last_error ?? 'not answered yet'}`,
      };
    }
    const sent = sharings.filter(({ attempts }) => attempts > 0);
    return sent.length === 0 ? { kind: 'not_used' } : { kind: 'done', deleted: sent.length };
  };
}

/** Places closed in one pass; the others follow in the next. */
const CLOSED_MAX = 500;

/** Ends confirmed after the purge: the place is done, and the record of the sharing goes too. @returns how many */
export async function closeTrtcPlaces(database: Database<RegistryTables>, nowMs: number): Promise<number> {
  const confirmed = await database.kysely
    .selectFrom('purge_place')
    .innerJoin('purge', (join) =>
      join
        .onRef('purge.sdk_app_id', '=', 'purge_place.sdk_app_id')
        .onRef('purge.terminated_ms', '=', 'purge_place.terminated_ms'),
    )
    .select(['purge_place.sdk_app_id', 'purge_place.terminated_ms', 'purge.started_ms'])
    .where('purge_place.place', '=', 'trtc')
    .where('purge_place.state', '=', 'open')
    .where('purge.completed_ms', 'is not', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('sharing')
            .select('sharing.id')
            .whereRef('sharing.sdk_app_id', '=', 'purge.sdk_app_id')
            // Not those of a new application of the same SDKAppID.
            .whereRef('sharing.requested_ms', '<=', 'purge.started_ms')
            .where('sharing.ended_ms', 'is', null),
        ),
      ),
    )
    .limit(CLOSED_MAX)
    .execute();
  for (const purge of confirmed) await closePlace(database, purge, nowMs);
  return confirmed.length;
}

async function closePlace(
  { kysely }: Database<RegistryTables>,
  purge: { readonly sdk_app_id: number; readonly terminated_ms: number; readonly started_ms: number },
  nowMs: number,
): Promise<void> {
  const ended = await kysely
    .deleteFrom('sharing')
    .where('sdk_app_id', '=', purge.sdk_app_id)
    .where('requested_ms', '<=', purge.started_ms)
    .executeTakeFirstOrThrow();
  await kysely
    .updateTable('purge_place')
    .set({ state: 'done', deleted: Number(ended.numDeletedRows), done_ms: nowMs, last_error: null })
    .where('sdk_app_id', '=', purge.sdk_app_id)
    .where('terminated_ms', '=', purge.terminated_ms)
    .where('place', '=', 'trtc')
    .execute();
}
