/*
 * Classifies the store's errors of an insert: repeat it, search the block for an unreadable message, or stop until an
 * operator acts. Codes are ClickHouse's.
 */
import { ClickHouseError } from '@clickhouse/client';

export type Verdict = 'retry' | 'unreadable' | 'halt';

/** Overload, time-outs, connections, memory, too many parts: the same insert may work later. */
const RETRY = new Set([3, 159, 164, 202, 203, 209, 210, 241, 242, 252, 285, 319, 425, 999]);

/** The bytes could not be read as rows: one of the messages may be poison. Avro's own: 748, before 2025 1001. */
const UNREADABLE = new Set([27, 33, 53, 117, 131, 748, 1001]);
/** The other meaning of 252: too many table partitions in one insert, which no waiting heals. */
const TOO_MANY_PARTITIONS = /partitions for single INSERT/i;

/**
 * Classifies a failed call. Anything that is no answer of the store (refused, reset, timed out) is worth a retry;
 * codes not listed (missing table 60, rights 497, full disk 243) halt, for a retry would not heal them.
 */
export function classifyStoreError(error: unknown): Verdict {
  if (!(error instanceof ClickHouseError)) return 'retry';
  const code = Number(error.code);
  if (code === 252 && TOO_MANY_PARTITIONS.test(error.message)) return 'unreadable';
  if (RETRY.has(code)) return 'retry';
  return UNREADABLE.has(code) ? 'unreadable' : 'halt';
}
