/*
 * Retirements that are booked: an operator's account in the topic of the accounts says which incarnations are gone for
 * ever, and with what loss at most. It is in the log, so all readers of accounts learn it in the same order as the
 * accounts: one that comes later takes it back.
 */
import { type Static, Type } from 'typebox';
import type { Ask, Statement } from '../statement.js';

const RETIREMENT_ROW = Type.Object({
  boot: Type.String(),
  collector: Type.String(),
  at_ms: Type.Number(),
  last_account: Type.Number(),
  accepted_from_ms: Type.Number(),
  accepted_to_ms: Type.Number(),
  missing: Type.Number(),
  keyed_partitions: Type.Array(Type.Number()),
  keyed_records: Type.Array(Type.Number()),
  accepted_max: Type.Number(),
  unaccounted_stored: Type.Number(),
  spool_records_max: Type.Number(),
  by: Type.String(),
  reason: Type.String(),
});

/** At the bound the newest are read: a deployment retires few collectors a week. */
const RETIREMENTS_MAX = 10_000;

// The account of a retirement is the first and final one of its incarnation: few rows are, so the lists of all others are
// not read. An incarnation that was retired twice counts as retired by the retirement that knew more of its accounts.
const RETIREMENTS: Statement<typeof RETIREMENT_ROW> = {
  name: 'accounting_retirements',
  row: RETIREMENT_ROW,
  sql: `
SELECT retirement.boot AS boot, collector, at_ms, retirement.last_account AS last_account,
  toUnixTimestamp64Milli(retirement.accepted_from) AS accepted_from_ms,
  toUnixTimestamp64Milli(retirement.accepted_to) AS accepted_to_ms,
  retirement.missing AS missing, retirement.keyed_missing.partition AS keyed_partitions,
  retirement.keyed_missing.records AS keyed_records, retirement.accepted_max AS accepted_max,
  retirement.unaccounted_stored AS unaccounted_stored, retirement.spool_records_max AS spool_records_max,
  retirement.by AS by, retirement.reason AS reason
FROM (
  SELECT collector, toUnixTimestamp64Milli(time) AS at_ms, arrayJoin(retired) AS retirement
  FROM edge_account_kept WHERE final AND sequence = 0 AND notEmpty(retired)
)
ORDER BY last_account DESC, at_ms DESC
LIMIT 1 BY boot
LIMIT ${RETIREMENTS_MAX}`,
};

const NEWEST_ROW = Type.Object({ boot: Type.String(), newest: Type.Number() });
const NEWEST_ACCOUNTS: Statement<typeof NEWEST_ROW> = {
  name: 'accounting_retired_newest',
  row: NEWEST_ROW,
  sql: `
SELECT boot, max(toInt64(sequence)) AS newest FROM edge_account_kept
WHERE boot IN {boots:Array(String)}
GROUP BY boot LIMIT ${RETIREMENTS_MAX}`,
};

export type BookedRetirement = {
  readonly boot: string;
  readonly collector: string;
  /** When it was retired, epoch milliseconds. */
  readonly atMs: number;
  /** Sequence of the last account that the retirement knew; -1 where there was none. */
  readonly lastAccount: number;
  /** Sequence of the last account that there is. */
  readonly newestAccount: number;
  /** Records that no account covers were accepted in this time. Epoch milliseconds. */
  readonly acceptedFromMs: number;
  readonly acceptedToMs: number;
  /** Records of request logs: see `Retirement` of the accounts' schema. */
  readonly missing: number;
  readonly keyedMissing: ReadonlyMap<number, number>;
  readonly acceptedMax: number;
  readonly unaccountedStored: number;
  readonly spoolRecordsMax: number;
  readonly by: string;
  readonly reason: string;
};

/** By incarnation. Rejects where `ask` rejects. */
export async function readRetirements(ask: Ask): Promise<ReadonlyMap<string, BookedRetirement>> {
  const rows = await ask(RETIREMENTS, {});
  if (rows.length === 0) return new Map();
  const accounts = await ask(NEWEST_ACCOUNTS, { boots: rows.map(({ boot }) => boot) });
  const newest = new Map(accounts.map((account) => [account.boot, account.newest]));
  return new Map(rows.map((row) => [row.boot, retirementOf(row, newest.get(row.boot) ?? -1)]));
}

function retirementOf(row: Static<typeof RETIREMENT_ROW>, newestAccount: number): BookedRetirement {
  return {
    boot: row.boot,
    collector: row.collector,
    atMs: row.at_ms,
    lastAccount: row.last_account,
    newestAccount,
    acceptedFromMs: row.accepted_from_ms,
    acceptedToMs: row.accepted_to_ms,
    missing: row.missing,
    keyedMissing: new Map(
      row.keyed_partitions.map((partition, index) => [partition, row.keyed_records[index] ?? 0]),
    ),
    acceptedMax: row.accepted_max,
    unaccountedStored: row.unaccounted_stored,
    spoolRecordsMax: row.spool_records_max,
    by: row.by,
    reason: row.reason,
  };
}

/** False where an account of the incarnation came after its retirement: it was not gone. */
export function holds({ lastAccount, newestAccount }: BookedRetirement): boolean {
  return newestAccount <= lastAccount;
}

/** The booked loss at most: records that accounts say were sent, and records that no account covers. */
export function bookedLoss(retirement: BookedRetirement): {
  readonly missing: number;
  readonly unaccounted: number;
} {
  const { missing, keyedMissing, acceptedMax, unaccountedStored } = retirement;
  const keyed = [...keyedMissing.values()].reduce((sum, records) => sum + records, 0);
  return { missing: missing + keyed, unaccounted: Math.max(0, acceptedMax - unaccountedStored) };
}
