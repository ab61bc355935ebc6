/*
 * What a block becomes: inserts, one for each form of container in it, with their tokens and block ids, and the ledger row.
 * Pure: the same block gives the same bytes, tokens and row in every process.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { readClaimedBatch, readExpiredRecords } from '@imscope/schemas/batch-headers.js';
import type { ContainerForm } from '@imscope/schemas/container.js';
import type { Block, StoredMessage } from './block-cutter.js';

/** The partition of a block. The cluster and the topic's epoch keep a recreated topic's offsets apart. */
export type BlockPlace = {
  readonly cluster: string;
  readonly topic: string;
  readonly epoch: number;
  readonly partition: number;
};

/** A partition without its epoch, by which the ledger finds the last one. */
export type PartitionPlace = Omit<BlockPlace, 'epoch'>;

export type BlockInsert = {
  /** Names the insert for ever: the store drops a second one with the same token. */
  readonly token: string;
  /** 64 bits of the token's MD5, as decimal text. */
  readonly blockId: string;
  readonly rows: number;
  /** One Avro container in pieces: a header, then blocks as they are in Kafka. */
  readonly body: readonly Buffer[];
};

/** One insert for each form in the block, in order of first appearance; none where the block holds no rows. */
export function insertsOf(place: BlockPlace, block: Block): BlockInsert[] {
  const withRows = block.stored.filter(({ records }) => records > 0);
  return Array.from(
    Map.groupBy(withRows, ({ form }) => form),
    ([form, messages]) => {
      const token = tokenOf(place, block, form);
      return {
        token,
        blockId: blockIdOf(token),
        rows: messages.reduce((sum, { records }) => sum + records, 0),
        body: [form.header, ...messages.map(({ message }) => message.value.subarray(form.header.length))],
      };
    },
  );
}

/** The form is part of it: with one token for two inserts the second's rows would be dropped. */
export function tokenOf(
  { cluster, topic, epoch, partition }: BlockPlace,
  { firstOffset, lastOffset }: Pick<Block, 'firstOffset' | 'lastOffset'>,
  { schema, codec }: ContainerForm,
): string {
  const place = [cluster, topic, epoch, partition, firstOffset, lastOffset];
  const fingerprint = schema.fingerprint.toString('hex');
  // Deflate has no name in it: it was the only codec, and its tokens stay what they were.
  return [...place, fingerprint, ...(codec === 'deflate' ? [] : [codec])].join(':');
}

export function blockIdOf(token: string): string {
  return createHash('md5').update(token).digest().readBigUInt64BE(0).toString();
}

/** Batches of one incarnation without a gap between them; both ends inclusive. */
export type BatchRange = {
  readonly boot: string;
  readonly first_sequence: number;
  readonly last_sequence: number;
  readonly records: number;
};

/** One batch whose records are not in the store, and how many it had at the edge. */
export type BatchLoss = { readonly boot: string; readonly sequence: number; readonly records: number };

/** A row of `block_ledger`; times in epoch milliseconds, 64-bit numbers as text. */
export type LedgerRow = {
  readonly cluster: string;
  readonly topic: string;
  readonly epoch: number;
  readonly partition: number;
  readonly first_offset: number;
  readonly last_offset: number;
  readonly cut: Block['cut'];
  /**
   * Offsets of the block that were read: messages, and holes, which hold none. Fewer than it spans where some were
   * deleted before they were read.
   */
  readonly messages: number;
  readonly rows: number;
  readonly duplicate_messages: number;
  readonly duplicate_rows: number;
  readonly dead_messages: number;
  readonly dead_rows: number;
  readonly block_ids: readonly string[];
  readonly batches: readonly BatchRange[];
  /** Batches that waited too long at the edge and are empty; they are in `batches` too. */
  readonly expired_batches: readonly BatchLoss[];
  /** Batches of messages that could not be read, as their headers say. */
  readonly dead_batches: readonly BatchLoss[];
  readonly first_appended: number;
  readonly last_appended: number;
  readonly first_event: number | null;
  readonly last_event: number | null;
  readonly checksum: number;
  readonly next_rows_max: number;
  readonly next_bytes_max: number;
};

/** The ledger row of a block that was stored by these inserts. */
export function ledgerRowOf(place: BlockPlace, block: Block, inserts: readonly BlockInsert[]): LedgerRow {
  const dead = block.dead.flatMap(({ message }) => readClaimedBatch(message.headers) ?? []);
  const times = block.stored.map(({ eventTimes }) => eventTimes).filter((time) => time !== undefined);
  return {
    cluster: place.cluster,
    topic: place.topic,
    epoch: place.epoch,
    partition: place.partition,
    first_offset: block.firstOffset,
    last_offset: block.lastOffset,
    cut: block.cut,
    messages: block.lastOffset - block.firstOffset + 1 - block.deletedOffsets,
    rows: block.rows,
    duplicate_messages: block.duplicates.messages,
    duplicate_rows: block.duplicates.rows,
    dead_messages: block.dead.length,
    dead_rows: dead.reduce((sum, { records }) => sum + records, 0),
    block_ids: inserts.map(({ blockId }) => blockId),
    batches: batchesOf(block.stored),
    expired_batches: block.stored.flatMap(({ boot, sequence, message }) => {
      const records = readExpiredRecords(message.headers);
      return records === 0 ? [] : [{ boot, sequence, records }];
    }),
    dead_batches: dead.map(({ batch: { boot, sequence }, records }) => ({ boot, sequence, records })),
    first_appended: block.firstAppendedMs,
    last_appended: block.lastAppendedMs,
    first_event:
      times.length === 0 ? null : times.reduce((least, time) => Math.min(least, time.least), Infinity),
    last_event:
      times.length === 0 ? null : times.reduce((greatest, time) => Math.max(greatest, time.greatest), 0),
    checksum: block.stored.reduce((sum, message) => crc32(String(message.crc32), sum), 0),
    next_rows_max: block.nextBounds.rowsMax,
    next_bytes_max: block.nextBounds.bytesMax,
  };
}

/** Batch ids as closed intervals by incarnation, in order of sequence. */
function batchesOf(stored: readonly StoredMessage[]): BatchRange[] {
  return [...Map.groupBy(stored, ({ boot }) => boot)].flatMap(([boot, messages]) => {
    const ranges: { -readonly [K in keyof BatchRange]: BatchRange[K] }[] = [];
    for (const { sequence, records } of messages.toSorted((a, b) => a.sequence - b.sequence)) {
      const last = ranges.at(-1);
      if (last !== undefined && last.last_sequence + 1 === sequence) {
        last.last_sequence = sequence;
        last.records += records;
      } else ranges.push({ boot, first_sequence: sequence, last_sequence: sequence, records });
    }
    return ranges;
  });
}
