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
};

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
