/*
 * Reads what is new in ledger and accounts into the books. A partition's blocks are booked in their order, so the
 * ledger is read from where it was left off; that accounts came is known by the blocks that brought them, whatever
 * their own clock says. Bounded: what does not come within `budgetMs` comes with the next reading.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import { Type } from 'typebox';
import { type Ask, defineQuestion, type QueryParams } from '../ask-store.js';
import { LOG_TERM_MS } from '../time-window.js';
import type { BookedBlock, Books } from './books.js';
import type { Account } from './boot-books.js';

const Numbers = Type.Array(Type.Number());
const Texts = Type.Array(Type.String());

const LEDGER_ROWS_MAX = 10_000;
const LEDGER = defineQuestion(
  'ledger_tail',
  Type.Object({
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
  }),
);

/** Partitions that are known are read by the table's order, so that it costs nothing how much they hold already. */
function ledgerQuery(books: Books, sinceMs: number): { sql: string; params: QueryParams } {
  const params: Record<string, string | number> = {
    since_ms: sinceMs,
    logs: TOPICS.requestLog.name,
    accounts: TOPICS.edgeAccount.name,
  };
  const places = books.positions.map(({ cluster, topic, epoch, partition, lastOffset }, index) => {
    Object.assign(params, {
      [`cluster_${index}`]: cluster,
      [`topic_${index}`]: topic,
      [`epoch_${index}`]: epoch,
      [`partition_${index}`]: partition,
      [`offset_${index}`]: lastOffset,
    });
    return `{cluster_${index}:String}, {topic_${index}:String}, {epoch_${index}:UInt32}, {partition_${index}:Int32}`;
  });
  const known = places.map(
    (place, index) =>
      `(cluster, topic, epoch, partition) = (${place}) AND first_offset > {offset_${index}:Int64}`,
  );
  const others =
    places.length === 0 ? '' : `AND (cluster, topic, epoch, partition) NOT IN ((${places.join('), (')}))`;
  const sql = `
SELECT
  cluster, topic, epoch, partition, last_offset,
  toUnixTimestamp64Milli(last_appended) AS appended_ms,
  batches.boot AS boots, batches.first_sequence AS firsts, batches.last_sequence AS lasts, batches.records AS records,
  expired_batches.boot AS expired_boots, expired_batches.sequence AS expired_sequences,
  dead_batches.boot AS dead_boots, dead_batches.sequence AS dead_sequences
FROM block_ledger
WHERE last_appended > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
  AND (endsWith(topic, {logs:String}) OR endsWith(topic, {accounts:String}))
  AND (${[...known, `last_appended > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') ${others}`].join('\n    OR ')})
ORDER BY cluster, topic, epoch, partition, first_offset
LIMIT ${LEDGER_ROWS_MAX}`;
  return { sql, params };
}

const ACCOUNT_ROWS_MAX = 5_000;
const ACCOUNTS = defineQuestion(
  'accounts_tail',
  Type.Object({
    collector: Type.String(),
    boot: Type.String(),
    started_ms: Type.Number(),
    sequence: Type.Number(),
    time_ms: Type.Number(),
    final: Type.Boolean(),
    sent: Type.Array(Type.Tuple([Type.Number(), Type.Number(), Type.Number()])),
  }),
);

const ACCOUNTS_SQL = `
SELECT
  collector, boot, sequence, final,
  toUnixTimestamp64Milli(started) AS started_ms,
  toUnixTimestamp64Milli(time) AS time_ms,
  arrayMap(p -> (p.partition, p.last_sequence, p.records), arrayFilter(p -> p.topic = {topic:String}, partitions)) AS sent
FROM edge_account_kept
WHERE boot IN {boots:Array(String)} AND chunk = 0
  AND sequence > transform(boot, {boots:Array(String)}, {sequences:Array(Int64)}, toInt64(-1))
ORDER BY collector, boot, sequence
LIMIT ${ACCOUNT_ROWS_MAX}`;

/** @returns whether all there is was read. Throws what `ask` throws. */
export async function readBooks(ask: Ask, books: Books, nowMs: number, budgetMs: number): Promise<boolean> {
  const endMs = performance.now() + budgetMs;
  books.forget(nowMs);
  for (;;) {
    // The ledger first: what is stored already needs not be held as missing.
    if ((await readLedger(ask, books, nowMs)) && (await readAccounts(ask, books, nowMs))) return true;
    if (performance.now() > endMs) return false;
  }
}

async function readLedger(ask: Ask, books: Books, nowMs: number): Promise<boolean> {
  const { sql, params } = ledgerQuery(books, nowMs - LOG_TERM_MS);
  const rows = await ask(LEDGER, sql, params);
  for (const row of rows) {
    const block: BookedBlock = {
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
      })),
      expired: lossesOf(row.expired_boots, row.expired_sequences),
      dead: lossesOf(row.dead_boots, row.dead_sequences),
    };
    books.block(block);
  }
  return rows.length < LEDGER_ROWS_MAX;
}

function lossesOf(boots: readonly string[], sequences: readonly number[]): BookedBlock['expired'] {
  return boots.map((boot, index) => ({ boot, sequence: sequences[index] ?? 0 }));
}

async function readAccounts(ask: Ask, books: Books, nowMs: number): Promise<boolean> {
  const { unread } = books;
  if (unread.length === 0) return true;
  const boots = unread.map(({ boot }) => boot);
  const sequences = unread.map(({ sequence }) => sequence);
  const rows = await ask(ACCOUNTS, ACCOUNTS_SQL, { topic: TOPICS.requestLog.name, boots, sequences });
  for (const row of rows) {
    const account: Account = {
      collector: row.collector,
      boot: row.boot,
      startedMs: row.started_ms,
      sequence: row.sequence,
      timeMs: row.time_ms,
      final: row.final,
      sent: row.sent.map(([partition, lastSequence, records]) => ({ partition, lastSequence, records })),
    };
    books.account(account, nowMs);
  }
  if (rows.length === ACCOUNT_ROWS_MAX) return false;
  books.allRead(boots);
  return true;
}
