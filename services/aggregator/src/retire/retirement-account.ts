/*
 * The account that books a retirement: a row of the topic of accounts, so that all readers of accounts learn of it in
 * the order of the log, and it is kept as long as what it is about. It is the only account of an incarnation of its
 * own, which sent nothing.
 */
import { randomBytes } from 'node:crypto';
import { EDGE_ACCOUNT_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { type EdgeAccount, NO_COLLECTOR_FACTS, type Retirement } from '@imscope/schemas/edge-account.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import type { Producer } from 'kafkajs';
import type { SilentIncarnation } from './find-incarnations.js';

/** All accounts are in this partition, so that they have one order. */
export const ACCOUNT_PARTITION = 0;
const ID_BYTES = 8;

export type Booking = {
  readonly collector: string;
  readonly retired: readonly SilentIncarnation[];
  readonly by: string;
  readonly reason: string;
  readonly nowMs: number;
};

export function retirementAccount({ collector, retired, by, reason, nowMs }: Booking): EdgeAccount {
  return {
    time: nowMs,
    collector,
    boot: randomBytes(ID_BYTES).toString('hex'),
    started: nowMs,
    version: '',
    sequence: 0,
    chunk: 0,
    chunks: 1,
    final: true,
    partitions: [],
    applications: [],
    covers_from: 0,
    covers_to: 0,
    ...NO_COLLECTOR_FACTS,
    sent_bytes: 0,
    retired: retired.map((one) => retirementOf(one, by, reason)),
  };
}

function retirementOf(
  { boot, lastAccount, loss, keyedMissing }: SilentIncarnation,
  by: string,
  reason: string,
): Retirement {
  return {
    boot,
    last_account: lastAccount,
    accepted_from: loss.acceptedFromMs,
    accepted_to: loss.acceptedToMs,
    missing: loss.missing,
    keyed_missing: Array.from(keyedMissing, ([partition, records]) => ({ partition, records })),
    accepted_max: loss.acceptedMax,
    unaccounted_stored: loss.unaccountedStored,
    spool_records_max: loss.spoolRecordsMax,
    by,
    reason,
  };
}

/** Rejects where Kafka does not acknowledge it. A message that was sent twice counts once, by its batch id. */
export async function sendAccount(
  producer: Pick<Producer, 'send'>,
  topicPrefix: string,
  account: EdgeAccount,
): Promise<void> {
  const builder = new BlockBuilder<EdgeAccount>(EDGE_ACCOUNT_SCHEMA);
  builder.append(account);
  const value = builder.finish();
  const times = { least: account.time, greatest: account.time };
  const id = { boot: account.boot, partition: ACCOUNT_PARTITION, sequence: 0 };
  const headers = writeBatchHeaders(id, 1, value, times);
  const topic = topicPrefix + TOPICS.edgeAccount.name;
  const [sent] = await producer.send({
    topic,
    acks: -1,
    messages: [{ partition: ACCOUNT_PARTITION, value, headers }],
  });
  if (sent?.errorCode !== 0 || !/^\d+$/.test(sent.baseOffset ?? '')) {
    throw new Error(`Kafka's answer for ${topic} names no offset: ${JSON.stringify(sent)}`);
  }
}
