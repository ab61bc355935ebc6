/* Reads the disk usage of request logs, by column, from the store's active parts. */
import type { ClickHouseClient } from '@clickhouse/client';

export type DiskUsage = {
  /** Everything: columns, primary key, indexes. */
  readonly bytesPerRow: number;
  readonly parts: number;
  /** Compressed bytes a row, the largest first. */
  readonly columns: readonly { readonly name: string; readonly bytesPerRow: number }[];
};

export async function readDiskUsage(client: ClickHouseClient): Promise<DiskUsage> {
  const total = await client.query({ query: PARTS_SQL, format: 'JSONEachRow' });
  const [found] = await total.json<{ rows: number; bytes: number; parts: number }>();
  const { rows, bytes, parts } = found ?? { rows: 0, bytes: 0, parts: 0 };
  const byColumn = await client.query({ query: COLUMNS_SQL, format: 'JSONEachRow' });
  const columns = await byColumn.json<{ name: string; bytes: number }>();
  return {
    bytesPerRow: bytes / rows,
    parts,
    columns: columns.map((column) => ({ name: column.name, bytesPerRow: column.bytes / rows })),
  };
}

const PARTS_SQL = `
  SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts
  FROM system.parts WHERE database = currentDatabase() AND table = 'request_log' AND active`;

const COLUMNS_SQL = `
  SELECT name, data_compressed_bytes AS bytes
  FROM system.columns WHERE database = currentDatabase() AND table = 'request_log'
  ORDER BY bytes DESC, name`;
