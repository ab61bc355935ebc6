/*
 * The ledger of a week in short, for the first reading: a partition's blocks of ten minutes as one, where the batches
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
  }),
);

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
  sum(boot_losses) AS losses
FROM (
  SELECT
    cluster, topic, epoch, partition, toStartOfInterval(last_appended, INTERVAL 10 MINUTE) AS span,
    batch.boot AS boot,
    min(batch.first_sequence) AS least,
    max(batch.last_sequence) AS greatest,
    sum(batch.last_sequence - batch.first_sequence + 1) AS batch_count,
    sum(batch.records) AS record_count,
    max(last_offset) AS boot_offset,
    min(last_appended) AS boot_first,
    max(last_appended) AS boot_last,
    sum(length(expired_batches) + length(dead_batches)) AS boot_losses
  FROM block_ledger
  LEFT ARRAY JOIN arrayFilter(one -> NOT (length(one.boot) = 25 AND startsWith(one.boot, 'k')), batches) AS batch
  WHERE last_appended >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND (endsWith(topic, {logs:String}) OR endsWith(topic, {accounts:String}))
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
  return rows.map(({ boots, losses, greatest_offset: lastOffset, newest_ms: appendedMs, ...place }) => ({
    block: {
      ...(place satisfies Place),
      lastOffset,
      appendedMs,
      batches: boots.map(([boot, first, last, , records, firstAppendedMs, lastAppendedMs]) => ({
        boot,
        first,
        last,
        records,
        firstAppendedMs,
        lastAppendedMs,
      })),
      expired: [],
      dead: [],
    },
    // A row that was written twice counts twice here, and is told by that.
    whole: losses === 0 && boots.every(([, first, last, batches]) => batches === last - first + 1),
  }));
}
