/*
 * Reads what is new in ledger and accounts into the books. A partition's blocks are booked in their order, so the
 * ledger is read from where it was left off; that accounts came is known by the blocks that brought them, whatever
 * their own clock says.
 */
import { isKeyedBoot } from '@imscope/schemas/batch-headers.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { Type } from 'typebox';
import { type Ask, defineQuestion, type QueryParams } from '../ask-store.js';
import { LOG_TERM_MS } from '../time-window.js';
import type { Account } from './boot-books.js';
import type { BookedBlock, Books } from './books.js';
import { isSamePlace, readLedgerSummary } from './ledger-summary.js';

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
    lost_records: Numbers,
    duplicate_rows: Type.Number(),
  }),
);

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
LIMIT ${LEDGER_ROWS_MAX}`;
const placeSql = (index: number): string =>
  `{cluster_${index}:String}, {topic_${index}:String}, {epoch_${index}:UInt32}, {partition_${index}:Int32}`;
const sinceSql = (name: string): string =>
  `last_appended >= fromUnixTimestamp64Milli({${name}:Int64}, 'UTC')`;

type Places = Books['positions'];

/** Behind what is known of each partition: a look at the end of each, however much the ledger holds. */
function knownPlacesQuery(places: Places, bound = '1'): { sql: string; params: QueryParams } {
  const tails = places.map(
    (_, index) =>
      `(cluster, topic, epoch, partition) = (${placeSql(index)}) AND first_offset > {offset_${index}:Int64} AND ${sinceSql(`since_ms_${index}`)}`,
  );
  return {
    sql: `${LEDGER_SQL} ${bound} AND (${tails.join('\n  OR ')})${LEDGER_ORDER_SQL}`,
    params: placeParams(places),
  };
}

/** Partitions and epochs that were not there before. */
function otherPlacesQuery(places: Places, sinceMs: number): { sql: string; params: QueryParams } {
  const known = places.map((_, index) => `(${placeSql(index)})`);
  const others =
    known.length === 0 ? '' : `\n  AND (cluster, topic, epoch, partition) NOT IN (${known.join(', ')})`;
  const topics = '(endsWith(topic, {logs:String}) OR endsWith(topic, {accounts:String}))';
  return {
    sql: `${LEDGER_SQL} ${sinceSql('since_ms')}\n  AND ${topics}${others}${LEDGER_ORDER_SQL}`,
    params: {
      ...placeParams(places),
      since_ms: sinceMs,
      logs: TOPICS.requestLog.name,
      accounts: TOPICS.edgeAccount.name,
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
const ACCOUNTS = defineQuestion(
  'accounts_tail',
  Type.Object({
    collector: Type.String(),
    boot: Type.String(),
    started_ms: Type.Number(),
    sequence: Type.Number(),
    time_ms: Type.Number(),
    final: Type.Boolean(),
    covers_from_ms: Type.Number(),
    covers_to_ms: Type.Number(),
    sent: Type.Array(Type.Tuple([Type.Number(), Type.Number(), Type.Number()])),
  }),
);

const ACCOUNTS_SQL = `
SELECT
  collector, boot, sequence, final,
  toUnixTimestamp64Milli(started) AS started_ms,
  toUnixTimestamp64Milli(time) AS time_ms,
  toUnixTimestamp64Milli(covers_from) AS covers_from_ms,
  toUnixTimestamp64Milli(covers_to) AS covers_to_ms,
  arrayMap(p -> (p.partition, p.last_sequence, p.records), arrayFilter(p -> p.topic = {topic:String}, partitions)) AS sent
FROM edge_account_kept
WHERE boot IN {boots:Array(String)} AND chunk = 0
  AND sequence > transform(boot, {boots:Array(String)}, {sequences:Array(Int64)}, toInt64(-1))
ORDER BY collector, boot, sequence
LIMIT ${ACCOUNT_ROWS_MAX}`;

/** Brings the books up to date. Throws what `ask` throws; what was read until then stays. */
export async function readBooks(ask: Ask, books: Books, nowMs: number): Promise<void> {
  books.forget(nowMs);
  // The ledger first: what is stored already needs not be held as missing.
  if (books.positions.length === 0) await readFirstTime(ask, books, nowMs - LOG_TERM_MS);
  while (!(await readLedger(ask, books, nowMs)));
  while (!(await readAccounts(ask, books, nowMs)));
}

/** In short where that says all, block by block where it does not. */
async function readFirstTime(ask: Ask, books: Books, sinceMs: number): Promise<void> {
  const spans = await readLedgerSummary(ask, sinceMs);
  for (const [index, { block, whole }] of spans.entries()) {
    const next = spans[index + 1];
    if (whole) books.block(block);
    else if (next === undefined || next.whole || !isSamePlace(next.block, block)) {
      await readUpTo(ask, books, block, sinceMs);
    }
  }
}

async function readUpTo(ask: Ask, books: Books, end: BookedBlock, sinceMs: number): Promise<void> {
  const { cluster, topic, epoch, partition } = end;
  for (;;) {
    const begun = books.positions.find((place) => isSamePlace(place, end));
    const from = begun ?? { cluster, topic, epoch, partition, lastOffset: -1, appendedMs: sinceMs };
    const { sql, params } = knownPlacesQuery([from], 'last_offset <= {end_offset:Int64}');
    const rows = await ask(LEDGER, sql, { ...params, end_offset: end.lastOffset });
    for (const row of rows) books.block(blockOf(row));
    if (rows.length < LEDGER_ROWS_MAX) return;
  }
}

async function readLedger(ask: Ask, books: Books, nowMs: number): Promise<boolean> {
  const queries = [];
  const looksForPlaces = books.looksForPlaces(nowMs);
  if (books.positions.length > 0) queries.push(knownPlacesQuery(books.positions));
  if (looksForPlaces) queries.push(otherPlacesQuery(books.positions, nowMs - LOG_TERM_MS));
  const found = await Promise.all(queries.map(({ sql, params }) => ask(LEDGER, sql, params)));
  for (const row of found.flat()) books.block(blockOf(row));
  if (found.some((rows) => rows.length === LEDGER_ROWS_MAX)) return false;
  if (looksForPlaces) books.placesLookedFor(nowMs);
  return true;
}

type LedgerRow = ReturnType<(typeof LEDGER)['read']>['rows'][number];

function blockOf(row: LedgerRow): BookedBlock {
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
    keyedSeen: keyedSeen(row),
  };
}

function keyedSeen(row: LedgerRow): number {
  const boots = [...row.boots, ...row.expired_boots, ...row.dead_boots];
  const records = [...row.records, ...row.lost_records];
  return boots.reduce(
    (sum, boot, index) => sum + (isKeyedBoot(boot) ? (records[index] ?? 0) : 0),
    row.duplicate_rows,
  );
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
      covers: row.covers_to_ms > 0 ? { fromMs: row.covers_from_ms, toMs: row.covers_to_ms } : undefined,
      sent: row.sent.map(([partition, lastSequence, records]) => ({ partition, lastSequence, records })),
    };
    books.account(account, nowMs);
  }
  if (rows.length === ACCOUNT_ROWS_MAX) return false;
  books.allRead(boots);
  return true;
}
