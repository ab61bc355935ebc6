/*
 * Mutes of groups of failures, of one application or for all (`sdk_app_id` 0), each until a time. A mute changes no
 * figure: answers say that a group is muted, and can leave it out.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Mute } from '@imscope/schemas/query-api/exceptions.js';
import type { ListedMute } from '@imscope/schemas/query-api/mutes.js';
import { transact } from '@imscope/state/transact.js';
import type { Selectable } from 'kysely';
import type { ReadScope, Subject } from '../figures/subject.js';
import { timeText } from '../figures/time-window.js';
import { ALL_APPLICATIONS, ownersIn, writeChange } from './audit.js';
import type { QueryDatabase } from './open-state.js';
import type { ExceptionMuteTable } from './tables.js';

/** In force at a time, of all applications; then 409, until some end. */
const MUTES_MAX = 10_000;

/** By id of the group. `isKnown` is false where there is no database, or it cannot be read. */
export type KnownMutes = { readonly mutes: ReadonlyMap<string, Mute>; readonly isKnown: boolean };
/** Those in force for the subject. Never rejects: figures do not depend on mutes. */
export type MutesOf = (subject: Subject, nowMs: number) => Promise<KnownMutes>;

export type MuteKey = { readonly sdkAppId: number; readonly groupId: string };
export type NewMute = MuteKey & { readonly actor: string; readonly reason: string; readonly untilMs: number };

const NONE: KnownMutes = { mutes: new Map(), isKnown: false };

export function createMutesOf(database: QueryDatabase | undefined, logger: Logger): MutesOf {
  return async (subject, nowMs) => {
    if (database === undefined) return NONE;
    try {
      return { mutes: await readMutes(database, subject, nowMs), isKnown: true };
    } catch (error) {
      logger.warn({ err: error }, 'mutes cannot be read: answers show none');
      return NONE;
    }
  };
}

/** That of the application wins over that for all. */
async function readMutes(
  { kysely }: QueryDatabase,
  subject: Subject,
  nowMs: number,
): Promise<ReadonlyMap<string, Mute>> {
  const owners = subject.kind === 'application' ? [ALL_APPLICATIONS, subject.sdkAppId] : [ALL_APPLICATIONS];
  const rows = await kysely
    .selectFrom('exception_mute')
    .selectAll()
    .where('sdk_app_id', 'in', owners)
    .where('until_ms', '>', nowMs)
    .orderBy('sdk_app_id')
    .limit(MUTES_MAX)
    .execute();
  return new Map(rows.map((row) => [row.group_id, muteOf(row)]));
}

function muteOf({ sdk_app_id, actor, reason, created_ms, until_ms }: Selectable<ExceptionMuteTable>): Mute {
  return {
    scope: sdk_app_id === ALL_APPLICATIONS ? 'fleet' : 'application',
    by: actor,
    reason,
    since: timeText(created_ms),
    until: timeText(until_ms),
  };
}

/** Replaces the mute of this group, if there is one. Throws `HttpError` wrong_state at the bound. */
export async function muteGroup(database: QueryDatabase, mute: NewMute, nowMs: number): Promise<Mute> {
  const { sdkAppId, groupId, actor, reason, untilMs } = mute;
  const row = {
    sdk_app_id: sdkAppId,
    group_id: groupId,
    actor,
    reason,
    created_ms: nowMs,
    until_ms: untilMs,
  };
  await transact(database, async (transaction) => {
    await transaction.deleteFrom('exception_mute').where('until_ms', '<=', nowMs).execute();
    const { count } = await transaction
      .selectFrom('exception_mute')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    if (count >= MUTES_MAX) {
      throw new HttpError(
        'wrong_state',
        `${MUTES_MAX} groups are muted, which is all that is allowed: unmute some`,
      );
    }
    await transaction
      .insertInto('exception_mute')
      .values(row)
      .onDuplicateKeyUpdate({ actor, reason, created_ms: nowMs, until_ms: untilMs })
      .execute();
    const change = { actor, action: 'exception.mute', sdkAppId, subject: groupId, reason } as const;
    await writeChange(transaction, change, nowMs);
  });
  return muteOf(row);
}

/** @returns false where the group was not muted */
export async function unmuteGroup(
  database: QueryDatabase,
  { sdkAppId, groupId, actor }: MuteKey & { readonly actor: string },
  nowMs: number,
): Promise<boolean> {
  return transact(database, async (transaction) => {
    const { numDeletedRows } = await transaction
      .deleteFrom('exception_mute')
      .where('sdk_app_id', '=', sdkAppId)
      .where('group_id', '=', groupId)
      .where('until_ms', '>', nowMs)
      .executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) return false;
    const change = { actor, action: 'exception.unmute', sdkAppId, subject: groupId, reason: '' } as const;
    await writeChange(transaction, change, nowMs);
    return true;
  });
}

/** In force, soonest to end first. @param scope what the reader may see; those for all applications are listed too */
export async function listMutes(
  { kysely }: QueryDatabase,
  scope: ReadScope,
  nowMs: number,
  limit: number,
): Promise<ListedMute[]> {
  const rows = await kysely
    .selectFrom('exception_mute')
    .selectAll()
    .where('until_ms', '>', nowMs)
    .where('sdk_app_id', ...ownersIn(scope))
    .orderBy('until_ms')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    ...muteOf(row),
    group: row.group_id,
    sdk_app_id: row.sdk_app_id === ALL_APPLICATIONS ? null : row.sdk_app_id,
  }));
}
