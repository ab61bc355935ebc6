/* Which part of the tables a reconciliation reads: one deployment's topics, since a time. */
import { ledgerTopics } from './ledger-sql.js';
import type { StatementParams } from './statement.js';

export type Scope = {
  /** Prefix of the deployment's topic names; empty where there is none. */
  readonly topicPrefix: string;
  /** Accounts written and blocks appended since, epoch milliseconds. */
  readonly fromMs: number;
};

/** Clocks of collectors and brokers may differ by this much. */
export const CLOCK_SKEW_MS = 600_000;

/** Parameters of every statement over a scope. */
export function scopeParams({ topicPrefix, fromMs }: Scope): StatementParams {
  return {
    topics: ledgerTopics(topicPrefix),
    prefix_length: topicPrefix.length,
    // A batch logged after `from` by the collector's clock may be appended a little before it by the broker's.
    ledger_from: Math.max(0, fromMs - CLOCK_SKEW_MS),
    from: Math.max(0, fromMs),
  };
}
