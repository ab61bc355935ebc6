/* The audit of what people set through the query service: written in the transaction of the change. */
import type { StateChange } from '@imscope/schemas/query-api/mutes.js';
import type { Kysely, Transaction } from 'kysely';
import type { ReadScope } from '../figures/subject.js';
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

/** Stands for all applications. */
export const ALL_APPLICATIONS = 0;
/** The list of a condition must not be empty. */
const NO_APPLICATION = -1;

/** Operator and values of the condition on `sdk_app_id`: what is about all applications is seen by every reader. */
export function ownersIn({ kind, applications }: ReadScope): ['in' | 'not in', number[]] {
  return kind === 'only'
    ? ['in', [ALL_APPLICATIONS, ...applications]]
    : ['not in', [NO_APPLICATION, ...applications]];
}

/** Newest first. @param scope what the reader may see; changes for all applications are listed too */
export async function listChanges(
  db: Kysely<QueryTables>,
  scope: ReadScope,
  limit: number,
): Promise<StateChange[]> {
  const rows = await db
    .selectFrom('query_audit')
    .selectAll()
    .where('sdk_app_id', ...ownersIn(scope))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ at_ms, actor, action, sdk_app_id, subject, reason }) => ({
    at: timeText(at_ms),
    actor,
    action,
    subject,
    reason,
    sdk_app_id: sdk_app_id === ALL_APPLICATIONS ? null : sdk_app_id,
  }));
}
