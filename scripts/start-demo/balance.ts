/*
 * The balance of what was sent and what is stored. SENT is what the collector acknowledged to the simulator; the rest is
 * counted in the store, independently of the simulator. DOUBLED counts rows that are stored twice; it is never computed
 * as "stored less sent".
 */
export type Sent = {
  readonly acknowledged: number;
  /** May have been accepted: the answer was lost. */
  readonly ambiguous: number;
  /** False where a simulator was killed before its final report: it had sent more than it reported. */
  readonly isComplete: boolean;
};

export type Stored = {
  readonly rows: number;
  /** Different requests, and different places in blocks, among the rows: the smaller of the two. */
  readonly distinct: number;
};

export type Balance = {
  readonly sent: number;
  readonly stored: number;
  readonly lost: number;
  readonly doubled: number;
  /** Stored, but not known to have been sent. */
  readonly unexplained: number;
};

/**
 * @param settled acknowledged, and certainly through Kafka; all, once nothing is in flight
 */
export function balanceOf(sent: Sent, stored: Stored, settled: number = sent.acknowledged): Balance {
  return {
    sent: sent.acknowledged,
    stored: stored.rows,
    lost: Math.max(0, settled - stored.distinct),
    doubled: stored.rows - stored.distinct,
    unexplained: sent.isComplete ? Math.max(0, stored.distinct - sent.acknowledged - sent.ambiguous) : 0,
  };
}

export function addBalances(a: Balance, b: Balance): Balance {
  return {
    sent: a.sent + b.sent,
    stored: a.stored + b.stored,
    lost: a.lost + b.lost,
    doubled: a.doubled + b.doubled,
    unexplained: a.unexplained + b.unexplained,
  };
}

export const NOTHING: Balance = { sent: 0, stored: 0, lost: 0, doubled: 0, unexplained: 0 };

/** True where every record sent is stored once. */
export function isEven({ lost, doubled, unexplained }: Balance): boolean {
  return lost === 0 && doubled === 0 && unexplained === 0;
}
