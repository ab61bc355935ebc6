/*
 * The store as far as the aggregator relies on it: inserts that are dropped by token for each table partition within
 * a window, that may stop between two partitions or land long after they were given up; and the ledger, where the
 * last row of a key counts and a replica may lag.
 */
import { ClickHouseError } from '@clickhouse/client';
import { decodeContainer } from '@imscope/schemas/container-decoder.js';
import { BatchIntervals } from '../../src/blocks/batch-intervals.js';
import type { BlockInsert, BlockPlace, LedgerRow } from '../../src/blocks/block-content.js';
import type { LedgerPosition } from '../../src/store/ledger.js';
import type { PartitionPlace } from '../../src/blocks/block-content.js';
import { type Stream, insertSql } from '../../src/blocks/streams.js';
import type { VirtualTime } from './virtual-time.js';

const TABLE_PARTITION_MS = 4 * 3_600_000;

export type StoredRow = { readonly id: string; readonly blockId: string; readonly blockRow: number };
type Recorded = { readonly row: LedgerRow; readonly writtenMs: number };
export type Chunk = { readonly key: string; readonly rows: readonly StoredRow[] };

export class ModelStore {
  readonly rows: StoredRow[] = [];
  readonly #time: VirtualTime;
  readonly #ledger: Recorded[] = [];
  /** Tokens by table partition, oldest first. */
  readonly #tokens = new Set<string>();
  /** How many tokens the store remembers. */
  windowBlocks = 10_000;
  /** How far what is read from the ledger may lie in the past. */
  lagMs = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** Reads an insert's body into chunks of one table partition each; refuses all of it where it cannot be read. */
  prepare(stream: Stream, insert: BlockInsert): Chunk[] {
    const decoded = decodeContainer(Buffer.concat([...insert.body]));
    if (!decoded.ok) throw storeError(33);
    const sql = insertSql(stream);
    const [namesBlock, numbersRows] = [
      sql.includes('{block_id:UInt64}'),
      sql.includes('rowNumberInAllBlocks()'),
    ];
    const chunks = new Map<string, StoredRow[]>();
    decoded.records.forEach((record, index) => {
      const { id, timeMs } = identify(record);
      const key = String(Math.floor(timeMs / TABLE_PARTITION_MS));
      const rows = chunks.get(key) ?? [];
      rows.push({ id, blockId: namesBlock ? insert.blockId : '0', blockRow: numbersRows ? index : 0 });
      chunks.set(key, rows);
    });
    return [...chunks].map(([key, rows]) => ({
      key: insert.token === '' ? '' : `${insert.token} ${key}`,
      rows,
    }));
  }

  apply({ key, rows }: Chunk): 'stored' | 'dropped' {
    if (key !== '' && this.#tokens.has(key)) return 'dropped';
    this.rows.push(...rows);
    if (key !== '') this.#tokens.add(key);
    const [oldest] = this.#tokens;
    if (this.#tokens.size > this.windowBlocks && oldest !== undefined) this.#tokens.delete(oldest);
    return 'stored';
  }

  record(row: LedgerRow): void {
    this.#ledger.push({ row, writtenMs: this.#time.nowMs });
  }

  /** The ledger as a reader sees it: of rows with one key the last. */
  ledger(lagMs = 0): LedgerRow[] {
    const latest = new Map<string, LedgerRow>();
    for (const { row, writtenMs } of this.#ledger) {
      if (writtenMs > this.#time.nowMs - lagMs) continue;
      latest.set([row.cluster, row.topic, row.epoch, row.partition, row.first_offset].join(':'), row);
    }
    return [...latest.values()];
  }

  readPosition({ partition }: PartitionPlace, lagMs: number): LedgerPosition | undefined {
    const last = this.ledger(lagMs)
      .filter((row) => row.partition === partition)
      .toSorted((a, b) => b.epoch - a.epoch || b.last_offset - a.last_offset)[0];
    if (last === undefined) return undefined;
    return {
      epoch: last.epoch,
      lastOffset: last.last_offset,
      lastAppendedMs: last.last_appended,
      bounds: { rowsMax: last.next_rows_max, bytesMax: last.next_bytes_max },
    };
  }

  readSeen(
    { epoch, partition }: BlockPlace,
    { beforeOffset, sinceMs }: { beforeOffset: number; sinceMs: number },
    lagMs: number,
  ): { seen: BatchIntervals; nextOffset: number } {
    const seen = new BatchIntervals();
    let nextOffset = 0;
    for (const row of this.ledger(lagMs).toSorted((a, b) => a.last_offset - b.last_offset)) {
      const before = row.epoch < epoch || (row.epoch === epoch && row.last_offset < beforeOffset);
      if (row.partition !== partition || !before || row.last_appended < sinceMs) continue;
      if (row.epoch === epoch) nextOffset = row.last_offset + 1;
      for (const { boot, first_sequence, last_sequence } of row.batches) {
        seen.add(boot, first_sequence, last_sequence, row.last_appended);
      }
    }
    return { seen, nextOffset };
  }
}

export function storeError(code: number): ClickHouseError {
  return new ClickHouseError({ message: `code ${code}`, code: String(code), type: 'SIMULATED' });
}

/** Both kinds of records that the simulation writes name themselves in one field. */
export function identify(record: unknown): { id: string; timeMs: number } {
  if (typeof record === 'object' && record !== null) {
    if ('request_id' in record && 'time' in record)
      return { id: String(record.request_id), timeMs: Number(record.time) };
    if ('interface' in record && 'window_start' in record)
      return { id: String(record.interface), timeMs: Number(record.window_start) };
  }
  throw new Error('a record of another schema');
}
