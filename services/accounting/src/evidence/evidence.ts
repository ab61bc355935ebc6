/*
 * What collectors say they sent and what the ledger holds of it, by incarnation, topic and partition: a few rows for
 * each incarnation, whatever its traffic. Rows mirror tables and keep the columns' name `boot` for an incarnation.
 */
import { type Static, Type } from 'typebox';
import type { BookedRetirement } from '../retirement/booked-retirement.js';

const PLACE = {
  boot: Type.String(),
  /** As accounts name it, without prefix. */
  topic: Type.String(),
  partition: Type.Number(),
};

/** An incarnation by its accounts within the scope. Times are epoch milliseconds of the collector's clock. */
export const INCARNATION_ROW = Type.Object({
  boot: Type.String(),
  collector: Type.String(),
  /** It started within the scope: its sequences count from 0 here. */
  started_within: Type.Boolean(),
  /** It wrote its final account. */
  ended: Type.Boolean(),
  last_time: Type.Number(),
  /** Sequences of the first and the last account within the scope. */
  base_account: Type.Number(),
  last_account: Type.Number(),
});
export type Incarnation = Static<typeof INCARNATION_ROW>;

/**
 * What accounts say of one incarnation and partition: all batches and records sent up to the base account (exclusive)
 * and up to the last account (inclusive), cumulative since the incarnation began. The base is -1 and 0 where the
 * incarnation started within the scope. Batches with keyed ids have a separate mark without sequences.
 */
export const MARK_ROW = Type.Object({
  ...PLACE,
  keyed: Type.Boolean(),
  base_sequence: Type.Number(),
  base_records: Type.Number(),
  last_sequence: Type.Number(),
  last_records: Type.Number(),
});
export type Mark = Static<typeof MARK_ROW>;

/** Batches of one incarnation and partition in the ledger, stored or dead, without a gap between their sequences. */
export const BATCH_SEGMENT_ROW = Type.Object({
  ...PLACE,
  first_sequence: Type.Number(),
  last_sequence: Type.Number(),
  /** Records of ranges between base and last account. */
  inside: Type.Number(),
  /** Records of ranges that cross the base or the last account: how many are between them is unknown. */
  across_end: Type.Number(),
  /** The same without the last account as an end. */
  after_base: Type.Number(),
  across_base: Type.Number(),
  /** Batches that are in two blocks; the first and last sequence of them. */
  doubled: Type.Number(),
  doubled_first: Type.Number(),
  doubled_last: Type.Number(),
  /** When the newest was appended, epoch milliseconds. */
  appended_last: Type.Number(),
});
export type BatchSegment = Static<typeof BATCH_SEGMENT_ROW>;

/** Records of batches that the ledger counts as expired or dead, between base and last account. */
export const LOSS_ROW = Type.Object({
  ...PLACE,
  records: Type.Number(),
  /** The same without the last account as an end. */
  after_base: Type.Number(),
});
export type Loss = Static<typeof LOSS_ROW>;

/** Records of batches with keyed ids, of all incarnations together. */
export const KEYED_BATCHES_ROW = Type.Object({
  topic: Type.String(),
  partition: Type.Number(),
  /** Stored, expired and dead ones. */
  records: Type.Number(),
  /** Those of them that are expired or dead. */
  lost: Type.Number(),
  /** When the newest stored one was appended, epoch milliseconds. */
  appended_last: Type.Number(),
});
export type KeyedBatches = Static<typeof KEYED_BATCHES_ROW>;

/** Rows of one incarnation in `edge_account`: accounts without a gap between their sequences. */
export const ACCOUNT_SEGMENT_ROW = Type.Object({
  boot: Type.String(),
  collector: Type.String(),
  first_sequence: Type.Number(),
  last_sequence: Type.Number(),
  /** Rows by what accounts say of their chunks; different rows that are there; all rows that are there. */
  expected: Type.Number(),
  distinct: Type.Number(),
  rows: Type.Number(),
});
export type AccountSegment = Static<typeof ACCOUNT_SEGMENT_ROW>;

/** One of the newest accounts of an incarnation: the greatest sequence sent to each partition by then. */
export const RECENT_ACCOUNT_ROW = Type.Object({
  boot: Type.String(),
  /** Epoch milliseconds of the collector's clock. */
  account_time: Type.Number(),
  /** Three lists of equal length. */
  sent_topics: Type.Array(Type.String()),
  sent_partitions: Type.Array(Type.Number()),
  sent_sequences: Type.Array(Type.Number()),
});
export type RecentAccount = Static<typeof RECENT_ACCOUNT_ROW>;

/** All that faults are found in. Read by `readEvidence`; the balance functions read nothing else. */
export type Evidence = {
  readonly incarnations: readonly Incarnation[];
  readonly marks: readonly Mark[];
  /** In the order of incarnation, topic, partition and sequence. */
  readonly batches: readonly BatchSegment[];
  readonly losses: readonly Loss[];
  readonly keyed: readonly KeyedBatches[];
  /** Rows of request logs that were left out because their batch was stored before. */
  readonly duplicateRows: number;
  /** The scope reaches back to the ledger's first block. */
  readonly sinceStart: boolean;
  readonly accounts: readonly AccountSegment[];
  /** The newest ten of each incarnation. */
  readonly recent: readonly RecentAccount[];
  /** All incarnations that have an account of any time: batches that waited at the edge may be older than the scope. */
  readonly known: ReadonlySet<string>;
  /** By incarnation, those that are taken back too. */
  readonly retirements: ReadonlyMap<string, BookedRetirement>;
};
