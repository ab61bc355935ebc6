/*
 * The edge account: what one boot of one collector took in and sent, cumulative since the boot. It is the
 * sending side of the balance that `block_ledger` is the receiving side of.
 */
export type EdgeAccount = {
  /** The collector's clock, epoch milliseconds. */
  readonly time: number;
  readonly collector: string;
  readonly boot: string;
  readonly started: number;
  readonly version: string;
  /** Counts this boot's accounts from 0; a gap is a lost account. */
  readonly sequence: number;
  readonly chunk: number;
  readonly chunks: number;
  /** True in the account written at a clean stop: nothing follows for this boot. */
  readonly final: boolean;
  readonly partitions: readonly PartitionAccount[];
  readonly applications: readonly ApplicationAccount[];
  /**
   * Event times this boot vouches for, epoch milliseconds, where it takes in a history; 0 in both where it does not:
   * then it vouches for what it took in between `started` and `time`.
   */
  readonly covers_from: number;
  readonly covers_to: number;
};

/**
 * Stands for the last sequence of all batches with ids out of `Idempotency-Key`s: they have none in common, and their
 * records are counted apart. Other sequences begin at 0.
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
