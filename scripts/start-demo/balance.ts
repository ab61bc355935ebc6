/*
 * The balance of what was sent and what is stored. SENT is what the collector acknowledged, told by the simulator;
 * the rest is counted in the store, which knows nothing of the simulator. Nothing is derived from the other side:
 * DOUBLED is rows that are there twice, never "stored less sent".
 */
export type Sent = {
  readonly acknowledged: number;
  /** May have been taken: the answer was lost on the way. */
  readonly ambiguous: number;
  /** False where a simulator was killed before its last word: it had sent more than it told. */
  readonly told: boolean;
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
  /** Stored, though nobody knows to have sent it. */
  readonly unexplained: number;
};

/**
 * @param settled acknowledged, and certainly through the log; all, once nothing is on its way
 */
export function balanceOf(sent: Sent, stored: Stored, settled: number = sent.acknowledged): Balance {
  return {
    sent: sent.acknowledged,
    stored: stored.rows,
    lost: Math.max(0, settled - stored.distinct),
    doubled: stored.rows - stored.distinct,
    unexplained: sent.told ? Math.max(0, stored.distinct - sent.acknowledged - sent.ambiguous) : 0,
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
