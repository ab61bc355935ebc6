/*
 * A fault: one place where collectors' accounts and the ledger do not say the same. Its kind, out of a closed list,
 * decides what to do about it. Field names are those of the tables, so that what is reported can be queried.
 */

export type FaultPlace = {
  /** As accounts name it, without the deployment's prefix. */
  readonly topic?: string;
  readonly partition?: number;
  /** The incarnation. */
  readonly boot?: string;
  readonly collector?: string;
  /** Sequences of batches, both inclusive. */
  readonly first_sequence?: number;
  readonly last_sequence?: number;
};

export type Fault = FaultPlace & {
  /** Batches, records or rows, by the kind. */
  readonly expected: number;
  readonly found: number;
} & FaultDetail;

type FaultDetail =
  /** Sent and not in the ledger while later ones are: lost. `records` of them, 0 where that is not known. */
  | { readonly kind: 'missing_batches'; readonly records: number }
  /** Stored by two blocks. */
  | { readonly kind: 'doubled_batches' }
  /** Logged to be sent, and nothing came of them for the settling time. */
  | { readonly kind: 'unsent_batches' }
  /** Stored, and no account covers them although the incarnation ended or is silent. */
  | { readonly kind: 'unvouched_batches' }
  /** The same batches have other numbers of records in account and ledger. */
  | { readonly kind: 'record_sum' }
  /** Records of batches with keyed ids, over all incarnations, differ in a partition. */
  | { readonly kind: 'keyed_sum' }
  /** Batches are stored and the incarnation has no account at all. */
  | { readonly kind: 'no_account' }
  /** No account for the settling time, and none that was final. Epoch milliseconds of the last one. */
  | { readonly kind: 'silent_boot'; readonly lastAccountMs: number }
  /**
   * It was retired, and accounts came after that: the booked loss does not count. Epoch milliseconds of the last one;
   * `expected` accounts were known to the retirement.
   */
  | { readonly kind: 'retired_returned'; readonly lastAccountMs: number; readonly by: string }
  /** Rows of accounts are gone. */
  | { readonly kind: 'missing_accounts'; readonly missing: MissingAccounts }
  /** Rows of accounts are stored more than once. */
  | { readonly kind: 'doubled_accounts' };

export type FaultKind = Fault['kind'];

/** Which rows of an incarnation's accounts are missing, as far as the others tell. Numbers are account sequences. */
export type MissingAccounts =
  | { readonly where: 'all' }
  | {
      readonly where: 'between';
      readonly ranges: readonly { readonly first: number; readonly last: number }[];
    }
  | { readonly where: 'chunks'; readonly first: number; readonly last: number }
  | { readonly where: 'either_end' }
  | { readonly where: 'after'; readonly account: number };

/** When it is and how long to wait: what the other side does not show for `settleMs` is no longer on its way. */
export type Settling = { readonly nowMs: number; readonly settleMs: number };
