/*
 * Notices of terminations and purges: a row for the API, and a message of the outbox where NOTICE_URL is set. They name the
 * application by its SDKAppID alone, so that they may outlive it.
 */
import type { NOTICE_KINDS } from '@imscope/schemas/registry-api/records.js';
import type { Transaction } from 'kysely';
import { addToOutbox } from './outbox.js';
import type { RegistryTables } from './tables.js';

export type NoticeKind = (typeof NOTICE_KINDS)[number];

export type NewNotice = {
  readonly sdkAppId: number;
  readonly kind: NoticeKind;
  /** When the purge is due; of no meaning for `restored` and `purged`. */
  readonly purgeMs: number;
};

/** @param isDelivered whether NOTICE_URL is set */
export async function addNotice(
  tx: Transaction<RegistryTables>,
  { sdkAppId, kind, purgeMs }: NewNotice,
  nowMs: number,
  isDelivered: boolean,
): Promise<void> {
  const message = noticeText(sdkAppId, kind, purgeMs);
  await tx.insertInto('notice').values({ at_ms: nowMs, sdk_app_id: sdkAppId, kind, message }).execute();
  if (!isDelivered) return;
  const payload = { kind, at: new Date(nowMs).toISOString(), message };
  await addToOutbox(tx, { kind: 'notice', sdkAppId, payload }, nowMs);
}

function noticeText(sdkAppId: number, kind: NoticeKind, purgeMs: number): string {
  const purged = `is purged from ${new Date(purgeMs).toISOString()} on; restore it before to keep it`;
  const before = `terminated application ${sdkAppId} ${purged}`;
  const texts: Readonly<Record<NoticeKind, string>> = {
    terminated: `application ${sdkAppId} is terminated: its records are refused, its data cannot be read, and it ${purged}`,
    purge_in_30_days: before,
    purge_in_7_days: before,
    purge_in_1_day: before,
    restored: `application ${sdkAppId} is active again and is not purged`,
    purged: `application ${sdkAppId} is purged: its certificate says what was deleted, where and when`,
  };
  return texts[kind];
}
