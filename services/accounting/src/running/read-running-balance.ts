/*
 * Reads what is new in ledger and accounts into a running balance. The blocks of a partition enter the ledger in their
 * order, so each partition is read on from where the last reading ended. New accounts are noticed by the blocks they
 * came in, not by the collectors' clocks.
 */
import { isKeyedBoot } from '@imscope/schemas/batch-headers.js';
import { HOUR_MS, TERM_HOURS } from '@imscope/schemas/retention.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { type Static, Type } from 'typebox';
import { appendedSinceSql, LOG_AND_ACCOUNT_SQL, LOG_AND_ACCOUNT_TOPICS } from '../ledger-sql.js';
import { isSamePlace } from '../place.js';
import type { Ask, Statement, StatementParams } from '../statement.js';
import type { Account } from './incarnation-track.js';
import { readRetirements } from '../retirement/booked-retirement.js';
import { readLedgerSummary } from './ledger-summary.js';
import type { LedgerBlock, RunningBalance } from './running-balance.js';

const Numbers = Type.Array(Type.Number());
const Texts = Type.Array(Type.String());

/** How long logs are kept, and so how far back the ledger is read. */
const LOG_TERM_MS = TERM_HOURS.requestLog * HOUR_MS;
const LEDGER_ROWS_MAX = 10_000;
const LEDGER_ROW = Type.Object({
  cluster: Type.String(),
  topic: Type.String(),
  epoch: Type.Number(),
  partition: Type.Number(),
  last_offset: Type.Number(),
  appended_ms: Type.Number(),
  boots: Texts,
  firsts: Numbers,
  lasts: Numbers,
  records: Numbers,
  expired_boots: Texts,
  expired_sequences: Numbers,
  dead_boots: Texts,
  dead_sequences: Numbers,
  lost_records: Numbers,
  duplicate_rows: Type.Number(),
});
type LedgerStatement = Statement<typeof LEDGER_ROW>;

const LEDGER_SQL = `
SELECT
  cluster, topic, epoch, partition, last_offset,
  toUnixTimestamp64Milli(last_appended) AS appended_ms,
  batches.boot AS boots, batches.first_sequence AS firsts, batches.last_sequence AS lasts, batches.records AS records,
  expired_batches.boot AS expired_boots, expired_batches.sequence AS expired_sequences,
  dead_batches.boot AS dead_boots, dead_batches.sequence AS dead_sequences,
  arrayConcat(expired_batches.records, dead_batches.records) AS lost_records,
  duplicate_rows
FROM block_ledger
WHERE`;
const LEDGER_ORDER_SQL = `
ORDER BY cluster, topic, epoch, partition, first_offset
LIMIT {rows_max:UInt32}`;
const ledgerStatement = (where: string): LedgerStatement => ({
  name: 'ledger_tail',
  row: LEDGER_ROW,
  sql: `${LEDGER_SQL} ${where}${LEDGER_ORDER_SQL}`,
});
const placeSql = (index: number): string =>
  `{cluster_${index}:String}, {topic_${index}:String}, {epoch_${index}:UInt32}, {partition_${index}:Int32}`;

type Places = RunningBalance['positions'];
type Query = { readonly statement: LedgerStatement; readonly params: StatementParams };

/** After what is known of each partition: reads the end of each, however much the ledger holds. */
function knownPlacesQuery(places: Places, bound = '1'): Query {
  const tails = places.map(
    (_, index) =>
      `(cluster, topic, epoch, partition) = (${placeSql(index)}) AND first_offset > {offset_${index}:Int64} AND ${appendedSinceSql(`since_ms_${index}`)}`,
  );
  return {
    statement: ledgerStatement(`${bound} AND (${tails.join('\n  OR ')})`),
    params: { ...placeParams(places), rows_max: LEDGER_ROWS_MAX },
  };
}

/** Partitions and epochs that were not there before. */
function otherPlacesQuery(places: Places, sinceMs: number): Query {
  const known = places.map((_, index) => `(${placeSql(index)})`);
  const others =
    known.length === 0 ? '' : `\n  AND (cluster, topic, epoch, partition) NOT IN (${known.join(', ')})`;
  return {
    statement: ledgerStatement(`${appendedSinceSql('since_ms')}\n  AND ${LOG_AND_ACCOUNT_SQL}${others}`),
    params: {
      ...placeParams(places),
      since_ms: sinceMs,
      rows_max: LEDGER_ROWS_MAX,
      ...LOG_AND_ACCOUNT_TOPICS,
    },
  };
}

function placeParams(places: Places): Record<string, string | number> {
  return Object.fromEntries(
    places.flatMap(({ cluster, topic, epoch, partition, lastOffset, appendedMs }, index) => [
      [`cluster_${index}`, cluster],
      [`topic_${index}`, topic],
      [`epoch_${index}`, epoch],
      [`partition_${index}`, partition],
      [`offset_${index}`, lastOffset],
      [`since_ms_${index}`, appendedMs],
    ]),
  );
}

const ACCOUNT_ROWS_MAX = 5_000;
const ACCOUNT_ROW = Type.Object({
  collector: Type.String(),
  boot: Type.String(),
  started_ms: Type.Number(),
  sequence: Type.Number(),
  time_ms: Type.Number(),
  final: Type.Boolean(),
  covers_from_ms: Type.Number(),
  covers_to_ms: Type.Number(),
  retires: Type.Number(),
  sent: Type.Array(Type.Tuple([Type.Number(), Type.Number(), Type.Number()])),
});
const ACCOUNTS: Statement<typeof ACCOUNT_ROW> = {
  name: 'accounts_tail',
  row: ACCOUNT_ROW,
  sql: `
SELECT
  collector, boot, sequence, final,
  toUnixTimestamp64Milli(started) AS started_ms,
  toUnixTimestamp64Milli(time) AS time_ms,
  toUnixTimestamp64Milli(covers_from) AS covers_from_ms,
  toUnixTimestamp64Milli(covers_to) AS covers_to_ms,
  length(retired) AS retires,
  arrayMap(p -> (p.partition, p.last_sequence, p.records), arrayFilter(p -> p.topic = {topic:String}, partitions)) AS sent
FROM edge_account_kept
WHERE boot IN {boots:Array(String)} AND chunk = 0
  AND sequence > transform(boot, {boots:Array(String)}, {sequences:Array(Int64)}, toInt64(-1))
ORDER BY collector, boot, sequence
LIMIT {rows_max:UInt32}`,
};

/**
 * Brings a running balance up to date. The first call reads the ledger of the logs' complete term, later calls what is new.
 * Rejects with what `ask` rejects with; what was read until then stays.
 */
export async function readRunningBalance(ask: Ask, balance: RunningBalance, nowMs: number): Promise<void> {
  balance.forgetExpired(nowMs);
  // The ledger first: a batch that is stored already then never counts as missing.
  if (balance.positions.length === 0) await readFirstTime(ask, balance, nowMs - LOG_TERM_MS);
  while (!(await readLedger(ask, balance, nowMs)));
  while (!(await readAccounts(ask, balance, nowMs)));
  if (balance.retirementsUnread) balance.setRetirements(await readRetirements(ask));
}

/** By the summary where that is exact, block by block where it is not. */
async function readFirstTime(ask: Ask, balance: RunningBalance, sinceMs: number): Promise<void> {
  const spans = await readLedgerSummary(ask, sinceMs);
  for (const [index, { block, exact }] of spans.entries()) {
    const next = spans[index + 1];
    if (exact) balance.addBlock(block);
    else if (next === undefined || next.exact || !isSamePlace(next.block, block)) {
      await readUpTo(ask, balance, block, sinceMs);
    }
  }
}

async function readUpTo(ask: Ask, balance: RunningBalance, end: LedgerBlock, sinceMs: number): Promise<void> {
  const { cluster, topic, epoch, partition } = end;
  for (;;) {
    const begun = balance.positions.find((place) => isSamePlace(place, end));
    const from = begun ?? { cluster, topic, epoch, partition, lastOffset: -1, appendedMs: sinceMs };
    const { statement, params } = knownPlacesQuery([from], 'last_offset <= {end_offset:Int64}');
    const rows = await ask(statement, { ...params, end_offset: end.lastOffset });
    for (const row of rows) balance.addBlock(blockOf(row));
    if (rows.length < LEDGER_ROWS_MAX) return;
  }
}

async function readLedger(ask: Ask, balance: RunningBalance, nowMs: number): Promise<boolean> {
  const queries = [];
  const isSearchDue = balance.isPlaceSearchDue(nowMs);
  if (balance.positions.length > 0) queries.push(knownPlacesQuery(balance.positions));
  if (isSearchDue) queries.push(otherPlacesQuery(balance.positions, nowMs - LOG_TERM_MS));
  const found = await Promise.all(queries.map(({ statement, params }) => ask(statement, params)));
  for (const row of found.flat()) balance.addBlock(blockOf(row));
  if (found.some((rows) => rows.length === LEDGER_ROWS_MAX)) return false;
  if (isSearchDue) balance.notePlaceSearch(nowMs);
  return true;
}

type LedgerRow = Static<typeof LEDGER_ROW>;

function blockOf(row: LedgerRow): LedgerBlock {
  return {
    cluster: row.cluster,
    topic: row.topic,
    epoch: row.epoch,
    partition: row.partition,
    lastOffset: row.last_offset,
    appendedMs: row.appended_ms,
    batches: row.boots.map((boot, index) => ({
      boot,
      first: row.firsts[index] ?? 0,
      last: row.lasts[index] ?? 0,
      records: row.records[index] ?? 0,
      firstAppendedMs: row.appended_ms,
      lastAppendedMs: row.appended_ms,
    })),
    expired: lossesOf(row.expired_boots, row.expired_sequences),
    dead: lossesOf(row.dead_boots, row.dead_sequences),
    keyedStored: keyedStored(row),
  };
}

function keyedStored(row: LedgerRow): number {
  const boots = [...row.boots, ...row.expired_boots, ...row.dead_boots];
  const records = [...row.records, ...row.lost_records];
  return boots.reduce(
    (sum, boot, index) => sum + (isKeyedBoot(boot) ? (records[index] ?? 0) : 0),
    row.duplicate_rows,
  );
}

function lossesOf(boots: readonly string[], sequences: readonly number[]): LedgerBlock['expired'] {
  return boots.map((boot, index) => ({ boot, sequence: sequences[index] ?? 0 }));
}

async function readAccounts(ask: Ask, balance: RunningBalance, nowMs: number): Promise<boolean> {
  const { unread } = balance;
  if (unread.length === 0) return true;
  const boots = unread.map(({ boot }) => boot);
  const sequences = unread.map(({ sequence }) => sequence);
  const rows = await ask(ACCOUNTS, {
    topic: TOPICS.requestLog.name,
    boots,
    sequences,
    rows_max: ACCOUNT_ROWS_MAX,
  });
  for (const row of rows) {
    const account: Account = {
      collector: row.collector,
      boot: row.boot,
      startedMs: row.started_ms,
      sequence: row.sequence,
      timeMs: row.time_ms,
      final: row.final,
      covers: row.covers_to_ms > 0 ? { fromMs: row.covers_from_ms, toMs: row.covers_to_ms } : undefined,
      retires: row.retires,
      sent: row.sent.map(([partition, lastSequence, records]) => ({ partition, lastSequence, records })),
    };
    balance.addAccount(account, nowMs);
  }
  if (rows.length === ACCOUNT_ROWS_MAX) return false;
  balance.noteAccountsRead(boots);
  return true;
}
