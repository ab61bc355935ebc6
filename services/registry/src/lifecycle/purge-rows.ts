/*
 * The last step of a purge: the rows of the database. One transaction deletes them, writes tombstone, notice and audit,
 * and completes the certificate, so that the purge is complete exactly when nothing is left.
 */
import { CONFIGURATION_TERM_MONTHS } from '@imscope/schemas/retention.js';
import type { Transaction } from 'kysely';
import { REGISTRY_ACTOR, writeAudit } from '../rows/audit.js';
import type { RegistryTables } from '../rows/tables.js';
import { addNotice } from '../rows/notices.js';
import type { PurgeSubject } from './purge-places.js';

type Writer = Transaction<RegistryTables>;

/** Tables whose rows of the application go as they are. */
const TABLES = [
  'slo_target',
  'code_override',
  'application_version',
  'secret',
  'data_key',
  'export_object',
  'application',
] as const;

/** @returns the rows deleted */
export async function purgeRows(
  tx: Writer,
  subject: PurgeSubject,
  nowMs: number,
  isDelivered: boolean,
): Promise<number> {
  const { sdkAppId } = subject;
  let deleted = 0;
  for (const table of TABLES) {
    const { numDeletedRows } = await tx
      .deleteFrom(table)
      .where('sdk_app_id', '=', sdkAppId)
      .executeTakeFirstOrThrow();
    deleted += Number(numDeletedRows);
  }
  deleted += await purgeMessages(tx, sdkAppId);
  await emptyAudit(tx, sdkAppId);
  await tx.deleteFrom('tombstone').where('sdk_app_id', '=', sdkAppId).execute();
  await tx.insertInto('tombstone').values({ sdk_app_id: sdkAppId, purged_ms: nowMs }).execute();
  const audited = { atMs: nowMs, actor: REGISTRY_ACTOR, action: 'application.purge', sdkAppId };
  await writeAudit(tx, {
    ...audited,
    reason: `${CONFIGURATION_TERM_MONTHS} months after its termination`,
    paths: [],
    revision: null,
  });
  await addNotice(tx, { sdkAppId, kind: 'purged', purgeMs: subject.dueMs }, nowMs, isDelivered);
  return deleted;
}

/** An end that TRTC has not confirmed stays, with the record of its sharing: both hold no more than the SDKAppID. */
async function purgeMessages(tx: Writer, sdkAppId: number): Promise<number> {
  const shares = await tx
    .deleteFrom('outbox')
    .where('sdk_app_id', '=', sdkAppId)
    .where('kind', '=', 'trtc_share')
    .executeTakeFirstOrThrow();
  const sharings = await tx
    .deleteFrom('sharing')
    .where('sdk_app_id', '=', sdkAppId)
    .where('ended_ms', 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(shares.numDeletedRows) + Number(sharings.numDeletedRows);
}

/**
 * The audit keeps that something was done, when and by which token. Reasons are free text and paths name fields that the
 * application's administrator chose, so both go.
 */
async function emptyAudit(tx: Writer, sdkAppId: number): Promise<void> {
  await tx.updateTable('audit').set({ reason: '', paths: '[]' }).where('sdk_app_id', '=', sdkAppId).execute();
}
