/*
 * A difference: one place where ledger, rows, accounts and metrics disagree, with what was expected and what was found.
 * Its kind, out of a closed list, decides what to do about it.
 */
export const CHECKS = ['offsets', 'rows', 'boots', 'metrics'] as const;
export type Check = (typeof CHECKS)[number];

export type DifferenceKind =
  | 'offset_gap'
  | 'offset_overlap'
  | 'unread_messages'
  | 'missing_rows'
  | 'doubled_rows'
  | 'unbooked_rows'
  | 'missing_accounts'
  | 'doubled_accounts'
  | 'missing_batches'
  | 'doubled_batches'
  | 'unsent_batches'
  | 'unvouched_batches'
  | 'record_sum'
  | 'keyed_sum'
  | 'no_account'
  | 'silent_boot'
  | 'retired_returned'
  | 'missing_logs'
  | 'missing_metrics';

/** Names are those of the tables, so that what is printed can be queried. */
export type Difference = {
  readonly check: Check;
  readonly kind: DifferenceKind;
  /** As in the ledger, prefix and all. */
  readonly topic?: string;
  readonly epoch?: number;
  readonly partition?: number;
  readonly first_offset?: number;
  readonly last_offset?: number;
  /** `block_id` in request_log, decimal. */
  readonly block?: string;
  readonly collector?: string;
  readonly boot?: string;
  readonly first_sequence?: number;
  readonly last_sequence?: number;
  readonly sdk_app_id?: number;
  /** RFC 3339. */
  readonly minute?: string;
  readonly expected: number;
  readonly found: number;
  readonly words: string;
};

/**
 * Identifies a difference across passes. Sums of a running incarnation grow from pass to pass, so numbers are no part of
 * it; but a minute whose numbers change is one that still fills.
 */
export function keyOf(difference: Difference): string {
  const { check, kind, topic, epoch, partition, first_offset, block, boot, first_sequence } = difference;
  const { sdk_app_id, minute, expected, found } = difference;
  const numbers = check === 'metrics' ? [expected, found] : [];
  return JSON.stringify([
    [check, kind, topic, epoch, partition, first_offset, block, boot, first_sequence],
    [sdk_app_id, minute, ...numbers],
  ]);
}
