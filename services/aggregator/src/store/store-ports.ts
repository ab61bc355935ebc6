/* What consuming needs of the store, as functions: over ClickHouse's HTTP client, or over a model in the simulation. */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import type { BatchIntervals } from '../blocks/batch-intervals.js';
import type { BlockInsert, BlockPlace, LedgerRow, PartitionPlace } from '../blocks/block-content.js';
import type { Stream } from '../blocks/streams.js';
import { insertBlock } from './insert-block.js';
import { type LedgerPosition, readPosition, readSeenBatches, writeLedgerRow } from './ledger.js';

export type StorePorts = {
  readonly insert: (stream: Stream, insert: BlockInsert) => Promise<void>;
  readonly writeLedger: (row: LedgerRow) => Promise<void>;
  readonly readPosition: (place: PartitionPlace) => Promise<LedgerPosition | undefined>;
  /**
   * The batches of earlier epochs, and of this epoch's blocks that end before an offset, as far as they were appended
   * since a time: those of keyed requests since a later one.
   * @returns with the offset after the last of this epoch's blocks, which shows whether the answer is complete
   */
  readonly readSeen: (
    place: BlockPlace,
    range: { readonly beforeOffset: number; readonly sinceMs: number; readonly keyedSinceMs: number },
  ) => Promise<{ seen: BatchIntervals; nextOffset: number }>;
};

export function storePorts(client: ClickHouseClient): StorePorts {
  return {
    insert: (stream, insert) => insertBlock(client, stream, insert),
    writeLedger: (row) => writeLedgerRow(client, row),
    readPosition: (place) => readPosition(client, place),
    readSeen: (place, range) => readSeenBatches(client, place, range),
  };
}
