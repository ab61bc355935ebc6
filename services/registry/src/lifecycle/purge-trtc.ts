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

/** Ends confirmed after the purge: the place is done, and the record of the sharing goes too. @returns how many */
export async function closeTrtcPlaces(database: Database<RegistryTables>, nowMs: number): Promise<number> {
  const open = await database.kysely
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
    .execute();
  let closed = 0;
  for (const { sdk_app_id: sdkAppId, terminated_ms: terminatedMs, started_ms: startedMs } of open) {
    const before = database.kysely
      .selectFrom('sharing')
      .select('id')
      .where('sdk_app_id', '=', sdkAppId)
      .where('requested_ms', '<=', startedMs)
      .where('ended_ms', 'is', null);
    if ((await before.executeTakeFirst()) !== undefined) continue;
    const ended = await database.kysely
      .deleteFrom('sharing')
      .where('sdk_app_id', '=', sdkAppId)
      .where('requested_ms', '<=', startedMs)
      .executeTakeFirstOrThrow();
    await database.kysely
      .updateTable('purge_place')
      .set({ state: 'done', deleted: Number(ended.numDeletedRows), done_ms: nowMs, last_error: null })
      .where('sdk_app_id', '=', sdkAppId)
      .where('terminated_ms', '=', terminatedMs)
      .where('place', '=', 'trtc')
      .execute();
    closed += 1;
  }
  return closed;
}
