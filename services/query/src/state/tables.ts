/*
 * The query service's own tables in the database of the deployment, as Kysely reads them; `migrations.ts` creates them.
 * What people set is kept here; what is measured is not.
 */
import type { Generated } from 'kysely';

/** A mute in force, or one that expired and is not yet deleted. */
export type ExceptionMuteTable = {
  /** 0: for all applications. Part of the key, so it is not null. */
  sdk_app_id: number;
  group_id: string;
  actor: string;
  reason: string;
  created_ms: number;
  until_ms: number;
};

/** Who changed what people set, and why: one row a change, written with it. */
export type QueryAuditTable = {
  id: Generated<number>;
  at_ms: number;
  /** The name of the caller's token. */
  actor: string;
  /** Such as `exception.mute`. */
  action: string;
  /** 0: for all applications. */
  sdk_app_id: number;
  /** What was changed, such as the id of a group. */
  subject: string;
  reason: string;
};

export type QueryTables = { exception_mute: ExceptionMuteTable; query_audit: QueryAuditTable };
