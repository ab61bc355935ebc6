/*
 * Messages to other systems. A row is written in the transaction of the change that it tells of, so that neither exists
 * without the other; `sharing/` and `lifecycle/` deliver them. A delivered row is deleted.
 */
import type { Transaction } from 'kysely';
import { randomUUID } from 'node:crypto';
import type { OutboxTable, RegistryTables } from './tables.js';

export type OutboxMessage = {
  readonly kind: OutboxTable['kind'];
  readonly sdkAppId: number;
  readonly payload: Readonly<Record<string, unknown>>;
};

/** @param nowMs the time of the change; the message is due at once */
export async function addToOutbox(
  tx: Transaction<RegistryTables>,
  { kind, sdkAppId, payload }: OutboxMessage,
  nowMs: number,
): Promise<void> {
  await tx
    .insertInto('outbox')
    .values({
      kind,
      sdk_app_id: sdkAppId,
      payload: JSON.stringify(payload),
      idempotency_key: randomUUID(),
      created_ms: nowMs,
      due_ms: nowMs,
      attempts: 0,
      last_error: null,
    })
    .execute();
}
