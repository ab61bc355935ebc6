/*
 * The ledger: what is stored of each partition. It decides where to continue; the committed offset is only a hint that
 * may lag.
 */
import { keyedIdSql } from '@imscope/accounting/keyed-ids.js';
import type { BlockBounds } from '@imscope/schemas/block-bounds.js';
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { BatchIntervals } from '../blocks/batch-intervals.js';
import type { BatchRange, BlockPlace, LedgerRow, PartitionPlace } from '../blocks/block-content.js';

/** The last block of a partition in the ledger, over all epochs of its topic. */
export type LedgerPosition = {
  readonly epoch: number;
  readonly lastOffset: number;
  /** Broker's time of append of the message at `lastOffset`, epoch milliseconds. */
  readonly lastAppendedMs: number;
  readonly bounds: BlockBounds;
};

/** The last stored position of a partition, over all epochs of its topic; undefined where nothing is stored. */
export async function readPosition(
  client: ClickHouseClient,
  place: PartitionPlace,
): Promise<LedgerPosition | undefined> {
  const result = await client.query({
    query: `SELECT epoch, last_offset, toUnixTimestamp64Milli(last_appended) AS appended, next_rows_max, next_bytes_max
      FROM block_ledger
      WHERE cluster = {cluster:String} AND topic = {topic:String} AND partition = {partition:Int32}
      ORDER BY epoch DESC, last_offset DESC LIMIT 1`,
    query_params: { cluster: place.cluster, topic: place.topic, partition: place.partition },
    format: 'JSONEachRow',
  });
  const [row] =
    await result.json<
      Record<'epoch' | 'last_offset' | 'appended' | 'next_rows_max' | 'next_bytes_max', number>
    >();
  if (row === undefined) return undefined;
  return {
    epoch: row.epoch,
    lastOffset: row.last_offset,
    lastAppendedMs: row.appended,
    bounds: { rowsMax: row.next_rows_max, bytesMax: row.next_bytes_max },
  };
}

/** The batches of earlier epochs, and of this one's blocks that end before an offset, appended since a time. */
export async function readSeenBatches(
  client: ClickHouseClient,
  place: BlockPlace,
  range: { readonly beforeOffset: number; readonly sinceMs: number; readonly keyedSinceMs: number },
): Promise<{ seen: BatchIntervals; nextOffset: number }> {
  const { cluster, topic, epoch, partition } = place;
  const result = await client.query({
    // There may be millions of keyed batches a day.
    query: `SELECT epoch, last_offset, toUnixTimestamp64Milli(last_appended) AS appended,
        arrayFilter(batch -> last_appended >= fromUnixTimestamp64Milli({keyed_since:Int64})
          OR NOT ${keyedIdSql('batch.boot')}, batches) AS known_batches
      FROM block_ledger FINAL
      WHERE cluster = {cluster:String} AND topic = {topic:String} AND partition = {partition:Int32}
        AND (epoch < {epoch:UInt32} OR epoch = {epoch:UInt32} AND last_offset < {before:Int64})
        AND last_appended >= fromUnixTimestamp64Milli({since:Int64})
      ORDER BY epoch, last_offset`,
    query_params: {
      cluster,
      topic,
      epoch,
      partition,
      before: range.beforeOffset,
      since: Math.max(0, range.sinceMs),
      keyed_since: Math.max(0, range.keyedSinceMs),
    },
    format: 'JSONEachRow',
  });
  const seen = new BatchIntervals();
  let nextOffset = 0;
  for await (const rows of result.stream<SeenRow>()) {
    for (const row of rows) {
      const { epoch: stored, last_offset, appended, known_batches: batches } = row.json();
      if (stored === epoch) nextOffset = last_offset + 1;
      for (const { boot, first_sequence, last_sequence } of batches) {
        seen.add(boot, first_sequence, last_sequence, appended);
      }
    }
  }
  return { seen, nextOffset };
}

type SeenRow = {
  readonly epoch: number;
  readonly last_offset: number;
  readonly appended: number;
  readonly known_batches: readonly BatchRange[];
};

/** Records a block. The same row again (another owner, a lost answer) replaces itself. */
export async function writeLedgerRow(client: ClickHouseClient, row: LedgerRow): Promise<void> {
  const { first_appended, last_appended, first_event, last_event, ...rest } = row;
  await client.insert({
    table: 'block_ledger',
    format: 'JSONEachRow',
    values: [
      {
        ...rest,
        first_appended: isoTime(first_appended),
        last_appended: isoTime(last_appended),
        first_event: isoTime(first_event),
        last_event: isoTime(last_event),
      },
    ],
    clickhouse_settings: { async_insert: 0, wait_end_of_query: 1, date_time_input_format: 'best_effort' },
  });
}

function isoTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
