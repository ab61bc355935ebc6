/*
 * A summary of the ledger for the first reading: the blocks of a partition in half an hour as one, where the batches of
 * every incarnation in them follow one another without a gap. Where they do not, those blocks are read one by one.
 */
import { type Static, Type } from 'typebox';
import { keyedIdSql } from '../keyed-ids.js';
import { appendedSinceSql, LOG_AND_ACCOUNT_SQL, LOG_AND_ACCOUNT_TOPICS } from '../ledger-sql.js';
import { isSamePlace } from '../place.js';
import type { Ask, Statement } from '../statement.js';
import type { LedgerBlock } from './running-balance.js';

const SUMMARY_ROW = Type.Object({
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
  keyed_stored: Type.Number(),
});

const KEYED = keyedIdSql('one.boot');

// There may be one keyed id a request, and it tells no incarnation. A block of nothing else still counts as read.
const SUMMARY: Statement<typeof SUMMARY_ROW> = {
  name: 'ledger_summary',
  row: SUMMARY_ROW,
  sql: `
SELECT
  cluster, topic, epoch, partition,
  max(boot_offset) AS greatest_offset,
  toUnixTimestamp64Milli(max(boot_last)) AS newest_ms,
  groupArrayIf(
    (boot, least, greatest, batch_count, record_count, toUnixTimestamp64Milli(boot_first), toUnixTimestamp64Milli(boot_last)),
    boot != ''
  ) AS boots,
  sum(boot_losses) AS losses,
  sum(span_keyed) AS keyed_stored
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
      arrayFilter(one -> NOT ${KEYED}, batches) AS own_batches,
      duplicate_rows + arraySum(one -> if(${KEYED}, one.records, 0), batches) AS block_keyed
    FROM block_ledger
    WHERE ${appendedSinceSql('since_ms')}
      AND ${LOG_AND_ACCOUNT_SQL}
  )
  LEFT ARRAY JOIN own_batches AS batch, arrayEnumerate(own_batches) AS place
  GROUP BY cluster, topic, epoch, partition, span, boot
)
GROUP BY cluster, topic, epoch, partition, span
ORDER BY cluster, topic, epoch, partition, span`,
};

/** Several blocks as one; where `exact` is false they are to be read one by one, back to the summary before. */
export type BlockSummary = { readonly block: LedgerBlock; readonly exact: boolean };

/** In the order of their partitions. Throws what `ask` throws. */
export async function readLedgerSummary(ask: Ask, sinceMs: number): Promise<BlockSummary[]> {
  const rows = await ask(SUMMARY, { since_ms: sinceMs, ...LOG_AND_ACCOUNT_TOPICS });
  const broken = spansWithEnds(rows);
  return rows.map((row, index) => ({ block: blockOf(row), exact: !broken.has(index) }));
}

type SummaryRow = Static<typeof SUMMARY_ROW>;

function blockOf(row: SummaryRow): LedgerBlock {
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
  return { ...place, lastOffset, appendedMs, batches, expired: [], dead: [], keyedStored: row.keyed_stored };
}

/**
 * The spans, by their place in the list, in which batches are missing or come to an end: within them it matters how
 * many records each block held. A row of the ledger that was written twice counts twice, so its batches do not add up.
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
