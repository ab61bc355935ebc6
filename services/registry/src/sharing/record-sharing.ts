/*
 * Writes what a change means for the sharing with TRTC: the message to the outbox and the record of the sharing, in the
 * transaction of the change.
 */
import type { Transaction } from 'kysely';
import { addToOutbox } from '../rows/outbox.js';
import type { RegistryTables } from '../rows/tables.js';
import { decideSharing, type SharingInput } from './sharing-decision.js';

/** @param before null where the application is created @param after null where it is deleted */
export async function recordSharing(
  tx: Transaction<RegistryTables>,
  before: SharingInput | null,
  after: SharingInput | null,
  nowMs: number,
): Promise<void> {
  const sdkAppId = before?.sdkAppId ?? after?.sdkAppId;
  const decision = decideSharing(before, after);
  if (sdkAppId === undefined || decision.kind === 'nothing') return;
  if (decision.kind === 'end') {
    await tx
      .updateTable('sharing')
      .set({ end_requested_ms: nowMs })
      .where('sdk_app_id', '=', sdkAppId)
      .where('end_requested_ms', 'is', null)
      .execute();
    await addToOutbox(tx, { kind: 'trtc_end', sdkAppId, payload: { sdk_app_id: sdkAppId } }, nowMs);
    return;
  }
  if (decision.isFirst) {
    const nothingYet = {
      shared_ms: null,
      end_requested_ms: null,
      ended_ms: null,
      attempts: 0,
      last_error: null,
    };
    await tx
      .insertInto('sharing')
      .values({ sdk_app_id: sdkAppId, requested_ms: nowMs, ...nothingYet })
      .execute();
  }
  await addToOutbox(tx, { kind: 'trtc_share', sdkAppId, payload: decision.details }, nowMs);
}
