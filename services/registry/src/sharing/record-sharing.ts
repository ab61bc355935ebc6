/*
 * Writes what a change means for the sharing with TRTC: the message to the outbox and the record of the sharing, in the
 * transaction of the change. A message that no attempt was made to send is replaced by a newer one, so that an application
 * has few messages waiting, however long TRTC is away.
 */
import type { Transaction } from 'kysely';
import { addToOutbox } from '../rows/outbox.js';
import type { RegistryTables } from '../rows/tables.js';
import { decideSharing, type SharedDetails, type SharingInput } from './sharing-decision.js';

type Writer = Transaction<RegistryTables>;

/** @param before null where the application is created @param after null where it is deleted */
export async function recordSharing(
  tx: Writer,
  before: SharingInput | null,
  after: SharingInput | null,
  nowMs: number,
): Promise<void> {
  const sdkAppId = before?.sdkAppId ?? after?.sdkAppId;
  const decision = decideSharing(before, after);
  if (sdkAppId === undefined || decision.kind === 'nothing') return;
  await dropUnsentShares(tx, sdkAppId);
  const atMs = await laterThanBefore(tx, sdkAppId, nowMs);
  if (decision.kind === 'end') await recordEnd(tx, sdkAppId, nowMs, atMs);
  else await recordShare(tx, sdkAppId, decision, nowMs, atMs);
}

/** Ends the sharing of an application whose state before is not known: does nothing where none is open. */
export async function endSharing(tx: Writer, sdkAppId: number, nowMs: number): Promise<void> {
  const open = await tx
    .selectFrom('sharing')
    .select('id')
    .where('sdk_app_id', '=', sdkAppId)
    .where('end_requested_ms', 'is', null)
    .executeTakeFirst();
  if (open === undefined) return;
  await dropUnsentShares(tx, sdkAppId);
  await recordEnd(tx, sdkAppId, nowMs, await laterThanBefore(tx, sdkAppId, nowMs));
}

async function recordShare(
  tx: Writer,
  sdkAppId: number,
  { isFirst, details }: { readonly isFirst: boolean; readonly details: SharedDetails },
  nowMs: number,
  atMs: number,
): Promise<void> {
  if (isFirst) {
    const nothingYet = {
      shared_ms: null,
      end_requested_ms: null,
      ended_ms: null,
      attempts: 0,
      last_error: null,
    };
    await tx
      .insertInto('sharing')
      .values({ sdk_app_id: sdkAppId, requested_ms: atMs, ...nothingYet })
      .execute();
  }
  await addToOutbox(tx, { kind: 'trtc_share', sdkAppId, payload: details }, nowMs, atMs);
}

/** Where no attempt was made to share, TRTC knows nothing, and the sharing ends without a message. */
async function recordEnd(tx: Writer, sdkAppId: number, nowMs: number, atMs: number): Promise<void> {
  // Locked, because the sender counts its attempts here before it sends.
  const open = await tx
    .selectFrom('sharing')
    .select(['id', 'attempts'])
    .where('sdk_app_id', '=', sdkAppId)
    .where('end_requested_ms', 'is', null)
    .forUpdate()
    .execute();
  const wasSent = open.length === 0 || open.some(({ attempts }) => attempts > 0);
  await tx
    .updateTable('sharing')
    .set({ end_requested_ms: atMs, ...(wasSent ? {} : { ended_ms: atMs }) })
    .where('sdk_app_id', '=', sdkAppId)
    .where('end_requested_ms', 'is', null)
    .execute();
  if (wasSent) await addToOutbox(tx, { kind: 'trtc_end', sdkAppId, payload: {} }, nowMs, atMs);
}

async function dropUnsentShares(tx: Writer, sdkAppId: number): Promise<void> {
  await tx
    .deleteFrom('outbox')
    .where('sdk_app_id', '=', sdkAppId)
    .where('kind', '=', 'trtc_share')
    .where('attempts', '=', 0)
    .execute();
}

/** Times of an application's messages grow, also where the clock was set back: TRTC orders them by their time. */
async function laterThanBefore(tx: Writer, sdkAppId: number, nowMs: number): Promise<number> {
  const newest = await tx
    .selectFrom('sharing')
    .select(['requested_ms', 'end_requested_ms'])
    .where('sdk_app_id', '=', sdkAppId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const waiting = await tx
    .selectFrom('outbox')
    .select('created_ms')
    .where('sdk_app_id', '=', sdkAppId)
    .where('kind', 'in', ['trtc_share', 'trtc_end'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const before = Math.max(newest?.requested_ms ?? 0, newest?.end_requested_ms ?? 0, waiting?.created_ms ?? 0);
  return Math.max(nowMs, before + 1);
}
