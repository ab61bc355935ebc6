/*
 * Writes the blocks that an aggregator would insert as files: the same containers, cut at the same bounds, joined after
 * one header. Inserting them measures the store's own limit.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_BOUNDS } from '@imscope/schemas/block-bounds.js';
import { containerHeader } from '@imscope/schemas/container.js';
import { type Container, recordsIn } from './backlog.js';
import type { Stream } from '../../../services/aggregator/src/blocks/streams.js';
import { shareOf } from './send-backlog.js';

/** `table` identifies the stream. */
export type BlockFile = { readonly path: string; readonly rows: number; readonly table: string };

/** Writes a stream's blocks of all partitions into `directory`, in the order in which they would be stored. */
export function writeBlockFiles(
  directory: string,
  { schema, table }: Stream,
  containers: readonly Container[],
  partitions: number,
): BlockFile[] {
  const perPartition = Array.from({ length: partitions }, (_, partition) =>
    cutBlocks(shareOf(containers, partition, partitions)),
  );
  const blocksMax = Math.max(...perPartition.map((blocks) => blocks.length));
  const inTurn = Array.from({ length: blocksMax }, (_, index) =>
    perPartition.flatMap((blocks) => blocks.slice(index, index + 1)),
  ).flat();
  const header = containerHeader(schema);
  return inTurn.map((block, index) => {
    const path = join(directory, `${table}-${index}.avro`);
    writeFileSync(path, Buffer.concat([header, ...block.map(({ value }) => value.subarray(header.length))]));
    return { path, rows: recordsIn(block), table };
  });
}

function cutBlocks(containers: readonly Container[]): Container[][] {
  const blocks: Container[][] = [];
  let block: Container[] = [];
  let [rows, bytes] = [0, 0];
  for (const container of containers) {
    block.push(container);
    rows += container.records;
    bytes += container.value.length;
    if (rows < DEFAULT_BOUNDS.rowsMax && bytes < DEFAULT_BOUNDS.bytesMax) continue;
    blocks.push(block);
    block = [];
    [rows, bytes] = [0, 0];
  }
  return block.length === 0 ? blocks : [...blocks, block];
}
