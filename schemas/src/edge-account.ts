/*
 * The edge account: what one incarnation of a collector accepted and sent, cumulative since its start. It is the sending
 * side of the balance; `block_ledger` is the receiving side. The incarnation is the field `boot`, as on the wire.
 */
export type EdgeAccount = {
  /** The collector's clock, epoch milliseconds. */
  readonly time: number;
  readonly collector: string;
  readonly boot: string;
  readonly started: number;
  readonly version: string;
  /** Counts the accounts of this incarnation from 0; a gap is a lost account. */
  readonly sequence: number;
  readonly chunk: number;
  readonly chunks: number;
  /** True in the account written at a clean stop: nothing follows for this incarnation. */
  readonly final: boolean;
  readonly partitions: readonly PartitionAccount[];
  readonly applications: readonly ApplicationAccount[];
  /**
   * The event times that this incarnation accounts for, epoch milliseconds, where it accepts a history. 0 in both where it
   * does not: then it accounts for what it accepted between `started` and `time`.
   */
  readonly covers_from: number;
  readonly covers_to: number;
  readonly host: string;
  /** As the collector's setting says; empty where it accepts records of all regions. */
  readonly region: string;
  /** Of all settings but secrets and the collector's name. */
  readonly settings_hash: string;
  readonly account_interval_ms: number;
  /** Bytes of the write-ahead log, over all incarnations in it, and their bound. */
  readonly spool_bytes: number;
  readonly spool_bytes_max: number;
  /** Batches in the write-ahead log that Kafka has not acknowledged. */
  readonly waiting_batches: number;
  /** Bytes of all containers of request logs of this incarnation, cumulative. */
  readonly sent_bytes: number;
  /** Empty, except in the account of a retirement: it is written by an operator and is the only one of its incarnation. */
  readonly retired: readonly Retirement[];
};

/**
 * An incarnation that is gone for ever: nothing more of it will arrive, and what is missing of it is a loss. The
 * retirement holds while `last_account` is the last account of the incarnation; a later account takes it back. Counts
 * are records of request logs. All but `missing` and `keyed_missing` are bounds.
 */
export type Retirement = {
  readonly boot: string;
  /** Sequence of the last account; -1 where there was none. */
  readonly last_account: number;
  /** It may have accepted records that no account covers in this time. Epoch milliseconds. */
  readonly accepted_from: number;
  readonly accepted_to: number;
  /** Accounts say they were sent, and they were not stored at the retirement. Without keyed batches. */
  readonly missing: number;
  /** The same of keyed batches, by partition. */
  readonly keyed_missing: readonly { readonly partition: number; readonly records: number }[];
  /** Records accepted after the last account, at most; so many of them were stored at the retirement. */
  readonly accepted_max: number;
  readonly unaccounted_stored: number;
  /** Records its spool can hold: the bound if it was cut off from Kafka and went on accepting. 0: not known. */
  readonly spool_records_max: number;
  /** Who retired it, and why. */
  readonly by: string;
  readonly reason: string;
};

/** Accounts of collectors of earlier versions do not have these fields; of retirements all are empty. */
export const NO_COLLECTOR_FACTS = {
  host: '',
  region: '',
  settings_hash: '',
  account_interval_ms: 0,
  spool_bytes: 0,
  spool_bytes_max: 0,
  waiting_batches: 0,
} as const;

/**
 * In place of a last sequence, for batches with ids from `Idempotency-Key`s: they have no common sequence, and their
 * records are counted separately. Other sequences begin at 0.
 */
export const KEYED_SEQUENCE = -1;

export type PartitionAccount = {
  readonly topic: string;
  readonly partition: number;
  /** The greatest batch sequence sent to this partition. */
  readonly last_sequence: number;
  /** Records in all batches up to it. */
  readonly records: number;
};

export type ApplicationAccount = {
  /** 0 for records whose application could not be read. */
  readonly sdk_app_id: number;
  readonly accepted: number;
  readonly sampled_out: number;
  readonly rejected: Readonly<Record<string, number>>;
};
