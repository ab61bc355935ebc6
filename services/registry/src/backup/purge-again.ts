/*
 * An application that was purged after the backup: its rows and versions were left out, and what the backup still says of
 * it in other places goes here. A purge is begun again, which the registry completes: it looks at every place, and ends
 * with a certificate.
 */
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import type { Transaction } from 'kysely';
import type { DocumentStore } from '../documents/document-store.js';
import { insertPurge } from '../lifecycle/begin-purges.js';
import { purgeDistribution } from '../lifecycle/purge-distribution.js';
import type { PurgeSubject } from '../lifecycle/purge-places.js';
import type { ObjectStore } from '../objects/object-store.js';
import { addToOutbox } from '../rows/outbox.js';
import type { RegistryTables } from '../rows/tables.js';
import { deleteCertificates } from '../secrets/sweep-certificates.js';

export type PurgeAgainServices = {
  readonly database: Database<RegistryTables>;
  readonly documents: Pick<DocumentStore, 'deleteApplication'>;
  readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
};

/** Safe to repeat. */
export async function purgeAgain(
  { database, documents, objects }: PurgeAgainServices,
  subject: PurgeSubject,
): Promise<void> {
  const { sdkAppId } = subject;
  await documents.deleteApplication(sdkAppId);
  await deleteCertificates(objects, sdkAppId);
  // Tokens that name it, too. No receiver listens yet.
  await purgeDistribution(database, async () => undefined)(subject, async () => {});
  await transact(database, async (transaction) => {
    await endSharing(transaction, subject);
    await transaction
      .insertInto('tombstone')
      .ignore()
      .values({ sdk_app_id: sdkAppId, purged_ms: subject.dueMs })
      .execute();
    const known = await transaction
      .selectFrom('purge')
      .select(['terminated_ms', 'completed_ms'])
      .where('sdk_app_id', '=', sdkAppId)
      .execute();
    // One that was begun before the backup goes on.
    const isBegun = known.some(
      (row) => row.completed_ms === null || row.terminated_ms === subject.terminatedMs,
    );
    if (!isBegun) await insertPurge(transaction, subject);
  });
}

/** TRTC may know of the end already, which a second one does not change. */
async function endSharing(
  transaction: Transaction<RegistryTables>,
  { sdkAppId, startedMs }: PurgeSubject,
): Promise<void> {
  const { numUpdatedRows } = await transaction
    .updateTable('sharing')
    .set({ end_requested_ms: startedMs })
    .where('sdk_app_id', '=', sdkAppId)
    .where('end_requested_ms', 'is', null)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n)
    await addToOutbox(transaction, { kind: 'trtc_end', sdkAppId, payload: {} }, startedMs);
}
