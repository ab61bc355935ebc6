/*
 * The ledger: what of a partition is stored. It is the truth about where to go on; the committed offset is only
 * a hint that may lag behind it.
 */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { type BlockBounds, INITIAL_BOUNDS } from '@imscope/schemas/block-bounds.js';
import { BatchIntervals } from './batch-intervals.js';
import type { LedgerRow } from './block-content.js';

export type LedgerPosition = {
  readonly epoch: number;
  /** The offset behind the last stored block; 0 where nothing is. */
  readonly nextOffset: number;
  readonly bounds: BlockBounds;
};

/** The last stored position of a partition, over all epochs of its topic. */
export async function readPosition(
  client: ClickHouseClient,
  place: { cluster: string; topic: string; partition: number },
): Promise<LedgerPosition> {
  const result = await client.query({
    query: `SELECT epoch, last_offset, next_rows_max, next_bytes_max FROM block_ledger
      WHERE cluster = {cluster:String} AND topic = {topic:String} AND partition = {partition:Int32}
      ORDER BY epoch DESC, last_offset DESC LIMIT 1`,
    query_params: place,
    format: 'JSONEachRow',
  });
  const [row] =
    await result.json<Record<'epoch' | 'last_offset' | 'next_rows_max' | 'next_bytes_max', number>>();
  if (row === undefined) return { epoch: 0, nextOffset: 0, bounds: INITIAL_BOUNDS };
  return {
    epoch: row.epoch,
    nextOffset: row.last_offset + 1,
    bounds: { rowsMax: row.next_rows_max, bytesMax: row.next_bytes_max },
  };
}

/** The batches stored of a partition's epoch, as far back as a duplicate may come (73 h; see batch-intervals). */
export async function readSeenBatches(
  client: ClickHouseClient,
  place: { cluster: string; topic: string; epoch: number; partition: number },
): Promise<BatchIntervals> {
  const result = await client.query({
    query: `SELECT batch.1 AS boot, batch.2 AS first, batch.3 AS last, toUnixTimestamp64Milli(last_appended) AS appended
      FROM (SELECT last_appended, last_offset, arrayJoin(batches) AS batch FROM block_ledger FINAL
        WHERE cluster = {cluster:String} AND topic = {topic:String} AND epoch = {epoch:UInt32} AND partition = {partition:Int32}
          AND last_appended > now64(3) - INTERVAL 73 HOUR)
      ORDER BY last_offset, first`,
    query_params: place,
    format: 'JSONEachRow',
  });
  const seen = new BatchIntervals();
  for await (const rows of result.stream<{ boot: string; first: number; last: number; appended: number }>()) {
    for (const row of rows) {
      const { boot, first, last, appended } = row.json();
      seen.add(boot, first, last, appended);
    }
  }
  return seen;
}

/** Books a block. The same row again (another owner, a lost answer) replaces itself. */
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
