/*
 * Delivers the messages of the outbox: those to TRTC and the notices. Each application's messages of a channel go out one
 * after another in the order of their changes, each at least once; what fails is tried again later. Only the holder of
 * the lease delivers, so that two processes do not send one application's messages side by side.
 */
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import type { Selectable } from 'kysely';
import type { OutboxTable, RegistryTables } from '../rows/tables.js';
import { type Channel, CHANNELS, KINDS } from './outbox-channels.js';
import { retryDelayMs } from './retry-delay.js';
import { type SendResult, sendSigned, type SignedEndpoint } from './signed-request.js';

export type OutboxRow = Selectable<OutboxTable>;
/** undefined: the channel is not configured, and its messages wait. */
export type Endpoints = { readonly [C in Channel]: SignedEndpoint | undefined };

export type DeliveryServices = {
  readonly database: Database<RegistryTables>;
  readonly endpoints: Endpoints;
  readonly now: () => number;
  /** Of one attempt. */
  readonly timeoutMs: number;
  readonly onAttempt: (channel: Channel, result: SendResult['kind']) => void;
  /** Whether to go on; false once the lease is lost or the service stops. */
  readonly mayGoOn: () => boolean;
};

/** Applications of one pass; the others follow in the next. */
const APPLICATIONS_MAX = 100;
/** Applications served side by side. */
const PARALLEL = 4;

/** Sends what is due. @returns whether more may be due now */
export async function deliverOutbox(services: DeliveryServices): Promise<boolean> {
  let isMore = false;
  for (const channel of CHANNELS) {
    const endpoint = services.endpoints[channel];
    if (endpoint === undefined) continue;
    const waiting = await dueApplications(services, channel);
    isMore ||= waiting.length === APPLICATIONS_MAX;
    const lanes = Array.from({ length: PARALLEL }, async () => {
      for (let next = waiting.shift(); next !== undefined && services.mayGoOn(); next = waiting.shift()) {
        await deliverApplication(services, channel, endpoint, next);
      }
    });
    await Promise.all(lanes);
  }
  return isMore;
}

async function dueApplications({ database, now }: DeliveryServices, channel: Channel): Promise<number[]> {
  const rows = await database.kysely
    .selectFrom('outbox')
    .select(({ fn }) => ['sdk_app_id', fn.min('due_ms').as('due_ms')])
    .where('kind', 'in', [...KINDS[channel]])
    .where('due_ms', '<=', now())
    .groupBy('sdk_app_id')
    .orderBy('due_ms')
    .limit(APPLICATIONS_MAX)
    .execute();
  return rows.map((row) => row.sdk_app_id);
}

/** Until its queue is empty or an attempt fails. */
async function deliverApplication(
  services: DeliveryServices,
  channel: Channel,
  endpoint: SignedEndpoint,
  sdkAppId: number,
): Promise<void> {
  while (services.mayGoOn()) {
    const [head, following] = await firstTwo(services, channel, sdkAppId);
    if (head === undefined) return;
    // What follows says something newer: the details as they are now, or the end.
    if (head.kind === 'trtc_share' && following !== undefined) {
      await services.database.kysely.deleteFrom('outbox').where('id', '=', head.id).execute();
      continue;
    }
    if (!(await beginAttempt(services, head))) continue;
    const message = { idempotencyKey: head.idempotency_key, body: messageBody(head) };
    const { now, timeoutMs } = services;
    const result = await sendSigned(endpoint, message, { nowMs: now(), timeoutMs });
    services.onAttempt(channel, result.kind);
    if (result.kind === 'failed') return recordFailure(services, head, result.reason);
    await recordDelivery(services, head);
  }
}

async function firstTwo(
  { database }: DeliveryServices,
  channel: Channel,
  sdkAppId: number,
): Promise<OutboxRow[]> {
  return database.kysely
    .selectFrom('outbox')
    .selectAll()
    .where('sdk_app_id', '=', sdkAppId)
    .where('kind', 'in', [...KINDS[channel]])
    .orderBy('id')
    .limit(2)
    .execute();
}

/** The same bytes at every attempt. */
export function messageBody({ kind, sdk_app_id, payload, created_ms }: OutboxRow): string {
  const content: unknown = JSON.parse(payload);
  const common = { sdk_app_id, changed_at_ms: created_ms };
  if (kind === 'trtc_share') return JSON.stringify({ event: 'share', ...common, details: content });
  if (kind === 'trtc_end') return JSON.stringify({ event: 'end', ...common });
  return JSON.stringify({ event: 'notice', ...common, notice: content });
}

/**
 * Counts the attempt before it is made: a change that ends the sharing meanwhile, or after a crash, must know that TRTC may
 * have heard of it. @returns false where a change has replaced the message
 */
async function beginAttempt({ database }: DeliveryServices, row: OutboxRow): Promise<boolean> {
  return transact(database, async (tx) => {
    const sharing = row.kind === 'notice' ? undefined : await oldestOpenSharing(tx, row.sdk_app_id);
    const { numUpdatedRows } = await tx
      .updateTable('outbox')
      .set({ attempts: row.attempts + 1 })
      .where('id', '=', row.id)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return false;
    if (sharing !== undefined) {
      const attempts = sharing.attempts + 1;
      await tx.updateTable('sharing').set({ attempts }).where('id', '=', sharing.id).execute();
    }
    return true;
  });
}

async function recordFailure(
  { database, now }: DeliveryServices,
  row: OutboxRow,
  reason: string,
): Promise<void> {
  await transact(database, async (tx) => {
    const due_ms = now() + retryDelayMs(row.attempts);
    await tx.updateTable('outbox').set({ due_ms, last_error: reason }).where('id', '=', row.id).execute();
    if (row.kind === 'notice') return;
    const sharing = await oldestOpenSharing(tx, row.sdk_app_id);
    if (sharing === undefined) return;
    await tx.updateTable('sharing').set({ last_error: reason }).where('id', '=', sharing.id).execute();
  });
}

async function recordDelivery({ database, now }: DeliveryServices, row: OutboxRow): Promise<void> {
  await transact(database, async (tx) => {
    await tx.deleteFrom('outbox').where('id', '=', row.id).execute();
    if (row.kind === 'notice') return;
    const sharing = await oldestOpenSharing(tx, row.sdk_app_id);
    if (sharing === undefined) return;
    const times = row.kind === 'trtc_end' ? { ended_ms: now() } : { shared_ms: sharing.shared_ms ?? now() };
    await tx
      .updateTable('sharing')
      .set({ ...times, last_error: null })
      .where('id', '=', sharing.id)
      .execute();
  });
}

/** Messages go out in order, so the head of the queue is about the oldest sharing that has not ended. */
async function oldestOpenSharing(tx: Database<RegistryTables>['kysely'], sdkAppId: number) {
  return tx
    .selectFrom('sharing')
    .select(['id', 'attempts', 'shared_ms'])
    .where('sdk_app_id', '=', sdkAppId)
    .where('ended_ms', 'is', null)
    .orderBy('id')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
}
