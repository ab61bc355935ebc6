/*
 * Offsets gap-free: each block of a partition starts after the one before it, and every offset it spans was read.
 * A gap is a block whose ledger row is lost, or messages that were skipped; an overlap two owners who cut
 * differently; an offset of a block that was not read was deleted before. `messages` of the ledger counts the offsets
 * that were read, also those that hold no message (control records, aborted messages, compaction): a hole is no loss.
 */
import { isSamePlace, type Place } from '@imscope/accounting/place.js';
import { appendedSinceSql } from '@imscope/accounting/ledger-sql.js';
import type { Difference } from './difference.js';
import { type Pass, passParams } from './pass.js';

/** Blocks of one partition without a gap between them. A block with unread offsets is a separate segment. */
export type OffsetSegment = Place & {
  readonly first_offset: number;
  readonly last_offset: number;
  readonly blocks: number;
  readonly messages: number;
};

// Slices by partition bound the memory of the sort: 16 bytes a block, some millions of blocks.
const SEGMENTS = `
SELECT cluster, topic, epoch, partition, min(first) AS first_offset, max(last) AS last_offset, count() AS blocks,
  sum(block_messages) AS messages
FROM (
  SELECT cluster, topic, epoch, partition, first, last, block_messages,
    sum(begins) OVER (PARTITION BY cluster, topic, epoch, partition ORDER BY first, last ROWS UNBOUNDED PRECEDING) AS segment
  FROM (
    SELECT cluster, topic, epoch, partition, first_offset AS first, last_offset AS last, messages AS block_messages,
      last - first + 1 != block_messages AS holed,
      first != lagInFrame(last, 1, -2) OVER before + 1 OR holed OR lagInFrame(holed, 1, 0) OVER before AS begins
    FROM (SELECT cluster, topic, epoch, partition, first_offset, last_offset, messages FROM block_ledger FINAL
      WHERE topic IN {topics:Array(String)} AND ${appendedSinceSql('ledger_from')})
    WINDOW before AS (PARTITION BY cluster, topic, epoch, partition ORDER BY first, last
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
  )
)
GROUP BY cluster, topic, epoch, partition, segment
ORDER BY cluster, topic, epoch, partition, first_offset, last_offset
LIMIT 10000`;

export async function readOffsetSegments(pass: Pass): Promise<OffsetSegment[]> {
  return pass.ask<OffsetSegment>(SEGMENTS, passParams(pass));
}

/** @param segments in the order of partitions and offsets; where a partition's first begins is no matter */
export function offsetDifferences(segments: readonly OffsetSegment[]): Difference[] {
  const differences: Difference[] = [];
  let before: OffsetSegment | undefined;
  for (const segment of segments) {
    const { topic, epoch, partition, first_offset: first, last_offset: last, messages } = segment;
    const place = { check: 'offsets', topic, epoch, partition } as const;
    const reached = before !== undefined && isSamePlace(before, segment) ? before.last_offset : first - 1;
    if (first > reached + 1) {
      differences.push({
        ...place,
        kind: 'offset_gap',
        first_offset: reached + 1,
        last_offset: first - 1,
        expected: first - 1 - reached,
        found: 0,
        words: 'no block of the ledger holds these offsets',
      });
    } else if (first <= reached) {
      const end = Math.min(reached, last);
      differences.push({
        ...place,
        kind: 'offset_overlap',
        first_offset: first,
        last_offset: end,
        expected: end - first + 1,
        found: 2 * (end - first + 1),
        words: 'two blocks of the ledger hold these offsets',
      });
    }
    const span = last - first + 1;
    if (messages < span) {
      differences.push({
        ...place,
        kind: 'unread_messages',
        first_offset: first,
        last_offset: last,
        expected: span,
        found: messages,
        words: `${span - messages} messages of this block were deleted before they were read`,
      });
    }
    before = { ...segment, last_offset: Math.max(last, reached) };
  }
  return differences;
}
