/*
 * The ledger of a week in short, for the first reading: a partition's blocks of half an hour as one, where the batches
 * of every boot in them follow one another without a gap. Where they do not, those blocks are read one by one.
 */
import { TOPICS } from '@imscope/schemas/topics.js';
import { Type } from 'typebox';
import { type Ask, defineQuestion } from '../ask-store.js';
import type { BookedBlock, Place } from './books.js';

const SUMMARY = defineQuestion(
  'ledger_summary',
  Type.Object({
    cluster: Type.String(),
    topic: Type.String(),
    epoch: Type.Number(),
    partition: Type.Number(),
    greatest_offset: Type.Number(),
    newest_ms: Type.Number(),
    boots: Type.Array(
      Type.Tuple([
        Type.String(),
        Type.Number(),
        Type.Number(),
        Type.Number(),
        Type.Number(),
        Type.Number(),
        Type.Number(),
      ]),
    ),
    losses: Type.Number(),
    keyed_seen: Type.Number(),
  }),
);

const KEYED_SQL = "(length(one.boot) = 25 AND startsWith(one.boot, 'k'))";

// Keyed ids are one a request and say nothing of a boot. A block of nothing else still moves its partition on.
const SUMMARY_SQL = `
SELECT
  cluster, topic, epoch, partition,
  max(boot_offset) AS greatest_offset,
  toUnixTimestamp64Milli(max(boot_last)) AS newest_ms,
  groupArrayIf(
    (boot, least, greatest, batch_count, record_count, toUnixTimestamp64Milli(boot_first), toUnixTimestamp64Milli(boot_last)),
    boot != ''
  ) AS boots,
  sum(boot_losses) AS losses,
  sum(span_keyed) AS keyed_seen
FROM (
  SELECT
    cluster, topic, epoch, partition, toStartOfInterval(last_appended, INTERVAL 30 MINUTE) AS span,
    batch.boot AS boot,
    min(batch.first_sequence) AS least,
    max(batch.last_sequence) AS greatest,
    sum(batch.last_sequence - batch.first_sequence + 1) AS batch_count,
    sum(batch.records) AS record_count,
    max(last_offset) AS boot_offset,
    min(last_appended) AS boot_first,
    max(last_appended) AS boot_last,
    sum(length(expired_batches) + length(dead_batches)) AS boot_losses,
    sumIf(block_keyed, place <= 1) AS span_keyed
  FROM (
    SELECT
      cluster, topic, epoch, partition, last_offset, last_appended, expired_batches, dead_batches,
      arrayFilter(one -> NOT ${KEYED_SQL}, batches) AS own_batches,
      duplicate_rows + arraySum(one -> if(${KEYED_SQL}, one.records, 0), batches) AS block_keyed
    FROM block_ledger
    WHERE last_appended >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
      AND (endsWith(topic, {logs:String}) OR endsWith(topic, {accounts:String}))
  )
  LEFT ARRAY JOIN own_batches AS batch, arrayEnumerate(own_batches) AS place
  GROUP BY cluster, topic, epoch, partition, span, boot
)
GROUP BY cluster, topic, epoch, partition, span
ORDER BY cluster, topic, epoch, partition, span`;

/** Blocks in short; `whole` is false where they are to be read one by one from `block` back to the one before. */
export type SummedBlock = { readonly block: BookedBlock; readonly whole: boolean };

/** In the order of their partitions. Throws what `ask` throws. */
export async function readLedgerSummary(ask: Ask, sinceMs: number): Promise<SummedBlock[]> {
  const topics = { logs: TOPICS.requestLog.name, accounts: TOPICS.edgeAccount.name };
  const rows = await ask(SUMMARY, SUMMARY_SQL, { since_ms: sinceMs, ...topics });
  const broken = spansWithEnds(rows);
  return rows.map((row, index) => ({ block: blockOf(row), whole: !broken.has(index) }));
}

type SummaryRow = ReturnType<(typeof SUMMARY)['read']>['rows'][number];

function blockOf(row: SummaryRow): BookedBlock {
  const { cluster, topic, epoch, partition, greatest_offset: lastOffset, newest_ms: appendedMs } = row;
  const batches = row.boots.map(([boot, first, last, , records, firstAppendedMs, lastAppendedMs]) => ({
    boot,
    first,
    last,
    records,
    firstAppendedMs,
    lastAppendedMs,
  }));
  const place = { cluster, topic, epoch, partition };
  return { ...place, lastOffset, appendedMs, batches, expired: [], dead: [], keyedSeen: row.keyed_seen };
}

/**
 * The spans, by their place in the list, in which batches are missing or come to an end: within them it matters how
 * many records each block held. A row of the ledger that was written twice counts twice, and is told by that.
 */
function spansWithEnds(rows: readonly SummaryRow[]): Set<number> {
  const broken = new Set<number>();
  let ends = new Map<string, { last: number; index: number }>();
  rows.forEach((row, index) => {
    const before = rows[index - 1];
    if (before === undefined || !isSamePlace(before, row)) ends = new Map();
    const next = rows[index + 1];
    if (row.losses > 0 || next === undefined || !isSamePlace(next, row)) broken.add(index);
    for (const [boot, first, last, batches] of row.boots) {
      const end = ends.get(boot);
      if (batches !== last - first + 1) broken.add(index);
      if (first !== (end?.last ?? -1) + 1) broken.add(index).add(end?.index ?? index);
      ends.set(boot, { last, index });
    }
  });
  return broken;
}

export function isSamePlace(a: Place, b: Place): boolean {
  return a.cluster === b.cluster && a.topic === b.topic && a.epoch === b.epoch && a.partition === b.partition;
}
