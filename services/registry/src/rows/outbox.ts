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

/**
 * @param nowMs the message is due at once
 * @param changedMs the time of the change as the receiver is told; by default now
 */
export async function addToOutbox(
  tx: Transaction<RegistryTables>,
  { kind, sdkAppId, payload }: OutboxMessage,
  nowMs: number,
  changedMs = nowMs,
): Promise<void> {
  await tx
    .insertInto('outbox')
    .values({
      kind,
      sdk_app_id: sdkAppId,
      payload: JSON.stringify(payload),
      idempotency_key: randomUUID(),
      created_ms: changedMs,
      due_ms: nowMs,
      attempts: 0,
      last_error: null,
    })
    .execute();
}
