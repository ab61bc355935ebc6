/*
 * Finds the incarnations that a retirement is about, and the greatest loss of each, from all accounts and the complete
 * ledger of their term.
 */
import { greatestLoss, type GreatestLoss } from '@imscope/accounting/running/greatest-loss.js';
import type { IncarnationTrack } from '@imscope/accounting/running/incarnation-track.js';
import { readRunningBalance } from '@imscope/accounting/running/read-running-balance.js';
import { RunningBalance } from '@imscope/accounting/running/running-balance.js';
import { accountingAsk, type Ask } from '../store/store-ask.js';

/** Two accounts are missing: live collectors write one each minute. */
export const SILENT_AFTER_MS = 120_000;

/** An incarnation that is silent, and what is lost if it is gone for ever. */
export type SilentIncarnation = {
  readonly boot: string;
  readonly collector: string;
  readonly lastAccount: number;
  /** When Kafka received its last account, epoch milliseconds. */
  readonly heardMs: number;
  readonly loss: GreatestLoss;
  /** Records of keyed batches that its accounts found missing, by partition. */
  readonly keyedMissing: ReadonlyMap<number, number>;
  readonly spoolBytesMax: number;
  /** Bytes of a record in its containers, on average; 0 where it did not say. */
  readonly recordBytes: number;
};

export type FoundIncarnations = {
  readonly silent: readonly SilentIncarnation[];
  /** Ids of incarnations of the same name that are heard. */
  readonly live: readonly string[];
  /** Ids of those that are retired already, or ended cleanly. */
  readonly done: readonly string[];
};

/** @param name of a collector, or the id of an incarnation @param stoppedMs see `greatestLoss` */
export async function findIncarnations(
  ask: Ask,
  name: string,
  { nowMs, stoppedMs }: { readonly nowMs: number; readonly stoppedMs: number | undefined },
): Promise<FoundIncarnations> {
  const balance = new RunningBalance();
  await readRunningBalance(accountingAsk(ask), balance, nowMs);
  const named = [...balance.incarnations].filter(
    ({ boot, collector }) => boot === name || collector === name,
  );
  const done = named.filter(({ final, retired }) => final || retired);
  const open = named.filter((one) => !done.includes(one));
  const silent = open.filter(({ heardMs }) => nowMs - heardMs > SILENT_AFTER_MS);
  const facts = await readFacts(
    ask,
    silent.map(({ boot }) => boot),
  );
  return {
    silent: silent.map((track) => silentIncarnation(track, balance, facts.get(track.boot), stoppedMs)),
    live: open.filter((one) => !silent.includes(one)).map(({ boot }) => boot),
    done: done.map(({ boot }) => boot),
  };
}

function silentIncarnation(
  track: IncarnationTrack,
  balance: RunningBalance,
  facts: FactsRow | undefined,
  stoppedMs: number | undefined,
): SilentIncarnation {
  const { boot, collector, accountSequence: lastAccount, heardMs } = track;
  const spoolBytesMax = facts?.spool_bytes_max ?? 0;
  const sentBytes = facts?.sent_bytes ?? 0;
  const accountIntervalMs = facts?.account_interval_ms ?? 0;
  return {
    boot,
    collector,
    lastAccount,
    heardMs,
    loss: greatestLoss(track, { accountIntervalMs, spoolBytesMax, sentBytes }, stoppedMs),
    keyedMissing: keyedMissing(balance, boot),
    spoolBytesMax,
    recordBytes: track.sent === 0 ? 0 : sentBytes / track.sent,
  };
}

function keyedMissing(balance: RunningBalance, boot: string): Map<number, number> {
  const missing = new Map<number, number>();
  for (const [partition, { shortages }] of balance.keyedBalances) {
    const own = shortages.filter((shortage) => shortage.boot === boot);
    const records = own.reduce((sum, shortage) => sum + shortage.records, 0);
    if (records > 0) missing.set(partition, records);
  }
  return missing;
}

type FactsRow = {
  readonly boot: string;
  readonly account_interval_ms: number;
  readonly spool_bytes_max: number;
  readonly sent_bytes: number;
};

const FACTS_SQL = `
SELECT boot, account_interval_ms, spool_bytes_max, sent_bytes
FROM edge_account_kept
WHERE boot IN {boots:Array(String)} AND chunk = 0
ORDER BY boot, sequence DESC
LIMIT 1 BY boot`;

async function readFacts(ask: Ask, boots: readonly string[]): Promise<ReadonlyMap<string, FactsRow>> {
  const rows = await ask<FactsRow>(FACTS_SQL, { boots });
  return new Map(rows.map((row) => [row.boot, row]));
}
