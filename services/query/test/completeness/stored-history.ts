/*
 * A history written into the store's tables as collectors and aggregators write it.
 */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { isKeyedBoot } from '@imscope/schemas/batch-headers.js';
import type { Account } from '@imscope/accounting/running/incarnation-track.js';
import type { LedgerBlock } from '@imscope/accounting/running/running-balance.js';
import type { EdgeAccount } from '@imscope/schemas/edge-account.js';
import type { BookedRetirement } from '@imscope/accounting/retirement/booked-retirement.js';
import { accountBlocksOf, appendedAt } from './history.js';

type CollectorFacts = Pick<EdgeAccount, 'host' | 'settings_hash' | 'spool_bytes' | 'spool_bytes_max'>;

const timeOf = (timeMs: number): string => new Date(timeMs).toISOString().replace('T', ' ').slice(0, 23);

const sumOfKeyed = (batches: LedgerBlock['batches']): number =>
  batches.reduce((sum, { boot, records }) => sum + (isKeyedBoot(boot) ? records : 0), 0);

export async function insertBlocks(
  client: ClickHouseClient,
  blocks: readonly LedgerBlock[],
  topicPrefix = '',
): Promise<void> {
  const values = blocks.map(
    ({ topic, lastOffset, appendedMs, batches, expired, dead, keyedStored, ...place }) => ({
      ...place,
      topic: topicPrefix + topic,
      first_offset: lastOffset,
      last_offset: lastOffset,
      cut: 'marker',
      duplicate_rows: Math.max(0, keyedStored - sumOfKeyed(batches)),
      batches: batches.map(({ boot, first, last, records }) => ({
        boot,
        first_sequence: first,
        last_sequence: last,
        records,
      })),
      expired_batches: expired.map((one) => ({ ...one, records: 1 })),
      dead_batches: dead.map((one) => ({ ...one, records: 1 })),
      first_appended: timeOf(appendedMs),
      last_appended: timeOf(appendedMs),
    }),
  );
  await client.insert({ table: 'block_ledger', format: 'JSONEachRow', values });
}

/** Accounts and the blocks they came in. */
export async function insertAccounts(
  client: ClickHouseClient,
  accounts: readonly Account[],
  options: {
    readonly firstOffset?: number;
    readonly topicPrefix?: string;
    /** What the collectors say of themselves. */
    readonly facts?: Partial<CollectorFacts>;
    /** What an incarnation had accepted of each application up to an account. */
    readonly applications?: (account: Account) => readonly ({
      sdk_app_id: number;
      accepted: number;
      sampled_out: number;
    } & {
      readonly rejected?: Readonly<Record<string, number>>;
    })[];
  } = {},
): Promise<void> {
  const values = accounts.map(({ collector, boot, startedMs, sequence, timeMs, final, sent }) => ({
    ...options.facts,
    collector,
    boot,
    sequence,
    final,
    version: '1',
    started: timeOf(startedMs),
    time: timeOf(timeMs),
    chunk: 0,
    chunks: 1,
    partitions: [
      ...sent.map(({ partition, lastSequence, records }) => ({
        topic: 'im.request-log',
        partition,
        last_sequence: lastSequence,
        records,
      })),
      // What is sent to other topics is no part of it.
      { topic: 'im.interface-metric', partition: 0, last_sequence: 1_000 + sequence, records: 5_000 },
    ],
    applications: (
      options.applications?.({ collector, boot, startedMs, sequence, timeMs, final, sent }) ?? []
    ).map((one) => ({ rejected: {}, ...one })),
  }));
  await client.insert({ table: 'edge_account', format: 'JSONEachRow', values });
  const { firstOffset = 0, topicPrefix = '' } = options;
  const blocks = accountBlocksOf(accounts).map((block) => ({
    ...block,
    lastOffset: block.lastOffset + firstOffset,
  }));
  await insertBlocks(client, blocks, topicPrefix);
}

type Retired = Pick<
  BookedRetirement,
  'boot' | 'collector' | 'missing' | 'acceptedMax' | 'acceptedFromMs' | 'acceptedToMs'
>;

/** The account of an operator who retires these incarnations after their last accounts, and its block. */
export async function insertRetirement(client: ClickHouseClient, retired: readonly Retired[]): Promise<void> {
  const nowMs = Date.now();
  const boot = 'retirement000001';
  const entries = retired.map((one) => ({
    boot: one.boot,
    last_account: 2,
    accepted_from: timeOf(one.acceptedFromMs),
    accepted_to: timeOf(one.acceptedToMs),
    missing: one.missing,
    keyed_missing: [],
    accepted_max: one.acceptedMax,
    unaccounted_stored: 0,
    spool_records_max: 0,
    by: 'operator',
    reason: 'its disk is lost',
  }));
  const account = { collector: retired[0]?.collector, boot, time: timeOf(nowMs), started: timeOf(nowMs) };
  await client.insert({
    table: 'edge_account',
    format: 'JSONEachRow',
    values: [{ ...account, sequence: 0, final: true, version: '', chunk: 0, chunks: 1, retired: entries }],
  });
  const place = { cluster: 'c', topic: 'im.edge-account', epoch: 0, partition: 0 };
  const batch = { boot, first: 0, last: 0, records: 1, ...appendedAt(nowMs) };
  const block = { ...place, lastOffset: 1_000_000, appendedMs: nowMs, batches: [batch] };
  await insertBlocks(client, [{ ...block, expired: [], dead: [], keyedStored: 0 }]);
}
