/* The audit of what people set through the query service: written in the transaction of the change. */
import type { StateChange } from '@imscope/schemas/query-api/mutes.js';
import type { Kysely, Transaction } from 'kysely';
import { timeText } from '../figures/time-window.js';
import type { QueryTables } from './tables.js';

/** Older rows are deleted with the next change. */
const AUDIT_TERM_MS = 365 * 24 * 3_600_000;

export type ChangeRecord = {
  readonly actor: string;
  readonly action: StateChange['action'];
  /** 0: for all applications. */
  readonly sdkAppId: number;
  readonly subject: string;
  readonly reason: string;
};

export async function writeChange(
  transaction: Transaction<QueryTables>,
  { actor, action, sdkAppId, subject, reason }: ChangeRecord,
  nowMs: number,
): Promise<void> {
  await transaction
    .deleteFrom('query_audit')
    .where('at_ms', '<', nowMs - AUDIT_TERM_MS)
    .execute();
  await transaction
    .insertInto('query_audit')
    .values({ at_ms: nowMs, actor, action, sdk_app_id: sdkAppId, subject, reason })
    .execute();
}

/** Newest first. @param among the applications the reader may see; 0 stands for all applications */
export async function listChanges(
  db: Kysely<QueryTables>,
  among: 'all' | readonly number[],
  limit: number,
): Promise<StateChange[]> {
  let query = db.selectFrom('query_audit').selectAll().orderBy('id', 'desc').limit(limit);
  if (among !== 'all') query = query.where('sdk_app_id', 'in', [...among]);
  const rows = await query.execute();
  return rows.map(({ at_ms, actor, action, sdk_app_id, subject, reason }) => ({
    at: timeText(at_ms),
    actor,
    action,
    subject,
    reason,
    sdk_app_id: sdk_app_id === 0 ? null : sdk_app_id,
  }));
}
