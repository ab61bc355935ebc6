/*
 * Cuts one partition's log into blocks. Where a block ends and what is in it is a pure function of the log
 * from the block's first offset on: row bound, byte bound, or marker; duplicates and unreadable messages are
 * recognised by bytes and position alone. So any owner that starts at the same offset makes the same blocks, and an
 * insert repeated by another owner carries the same token and the same rows.
 * A block starts at the offset after the last block's end and ends at a message. Offsets without a message (a
 * transaction's control records, aborted messages, compaction) belong to the block that spans them.
 */
import { type AvroSchema, REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import {
  BATCH_HEADER,
  type HeaderFault,
  isKeyedBoot,
  readBatchHeaders,
} from '@imscope/schemas/batch-headers.js';
import { type BlockBounds, readMarkerBounds } from '@imscope/schemas/block-bounds.js';
import { type ContainerForm, containerForm, inspectContainer } from '@imscope/schemas/container.js';
import { compressionFault } from '@imscope/schemas/container-decoder.js';
import type { ContainerFault } from '@imscope/schemas/container-fault.js';
import type { BatchIntervals } from './batch-intervals.js';
import { type RecordFault, classifyRecords } from './classify-records.js';

/** A message of the log. */
export type LogMessage = {
  readonly offset: number;
  /** Broker's time of append, epoch milliseconds. */
  readonly appendedMs: number;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>> | undefined;
};

/** A message that is stored: everything after its container header goes into the insert. */
export type StoredMessage = {
  readonly message: LogMessage & { readonly value: Buffer };
  readonly form: ContainerForm;
  readonly boot: string;
  readonly sequence: number;
  readonly records: number;
  readonly crc32: number;
  readonly eventTimes: { readonly least: number; readonly greatest: number } | undefined;
};

/** Why a message can never be stored: a closed list. */
export type DeadReason =
  HeaderFault | ContainerFault | RecordFault | 'empty_message' | 'count_mismatch' | 'wrong_schema';

export type DeadMessage = { readonly message: LogMessage; readonly reason: DeadReason };

export type Cut = 'rows' | 'bytes' | 'marker';

export type Block = {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly cut: Cut;
  readonly stored: readonly StoredMessage[];
  readonly dead: readonly DeadMessage[];
  readonly duplicates: { readonly messages: number; readonly rows: number };
  readonly rows: number;
  /** All messages in it, markers too. */
  readonly messages: number;
  /** Offsets that were deleted from the log before they were read. */
  readonly deletedOffsets: number;
  readonly firstAppendedMs: number;
  readonly lastAppendedMs: number;
  /** In force for the block that follows. */
  readonly nextBounds: BlockBounds;
};

export type Pushed =
  | { readonly kind: 'open' }
  | { readonly kind: 'cut'; readonly block: Block }
  /** The message reads as Avro but its schema is none of ours: it must wait for a newer aggregator. */
  | { readonly kind: 'unknown_schema' };

type OpenBlock = {
  firstOffset: number;
  stored: StoredMessage[];
  dead: DeadMessage[];
  duplicates: { messages: number; rows: number };
  rows: number;
  bytes: number;
  messages: number;
  firstAppendedMs: number;
};

/** What a topic carries: see `Stream`. */
export type CarriedByTopic = { readonly schemas: readonly AvroSchema[] };

/** What one message is, by its bytes and headers alone. */
export type ReadMessage =
  | { readonly kind: 'data'; readonly data: StoredMessage }
  | { readonly kind: 'marker'; readonly form: ContainerForm; readonly bounds: BlockBounds | undefined }
  | { readonly kind: 'dead'; readonly reason: DeadReason }
  | { readonly kind: 'unknown_schema' };

export class BlockCutter {
  readonly #topic: CarriedByTopic;
  readonly #seen: BatchIntervals;
  #bounds: BlockBounds;
  #nextOffset: number;
  /** The offset after the last block: where the open block, or the next one, starts. */
  #blockStart: number;
  /** Of the open block, or the next one. */
  #deletedOffsets = 0;
  #open: OpenBlock | undefined;
  #lastForm = containerForm(REQUEST_LOG_SCHEMA);

  /** @param start.seen batches stored before `nextOffset`; the cutter adds to it */
  constructor(
    topic: CarriedByTopic,
    start: { nextOffset: number; bounds: BlockBounds; seen: BatchIntervals },
  ) {
    this.#topic = topic;
    this.#seen = start.seen;
    this.#bounds = start.bounds;
    this.#nextOffset = start.nextOffset;
    this.#blockStart = start.nextOffset;
  }

  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Where the open block starts, or the next one. */
  get blockStart(): number {
    return this.#blockStart;
  }

  /** Bounds in force. */
  get bounds(): BlockBounds {
    return this.#bounds;
  }

  /**
   * Whether the open block holds anything but markers; only such a block is ended by a marker. One that holds
   * nothing but duplicates is too: until it is in the ledger, every new owner reads them again.
   */
  get holdsMessages(): boolean {
    return this.#open !== undefined && holdsMessages(this.#open);
  }

  /** The offsets before this one hold no further message. Changes nothing about where blocks start and end. */
  skipHoles(nextOffset: number): void {
    this.#nextOffset = Math.max(this.#nextOffset, nextOffset);
  }

  /** The offsets from the next one up to this one were deleted before they were read: a loss, and recorded as one. */
  skipDeleted(nextOffset: number): void {
    this.#deletedOffsets += Math.max(0, nextOffset - this.#nextOffset);
    this.skipHoles(nextOffset);
  }

  /**
   * Adds the next message of the log. Offsets have holes, so they may jump but never go back. After `unknown_schema`
   * nothing was added: the same message may be pushed again.
   */
  push(message: LogMessage): Pushed {
    if (message.offset < this.#nextOffset) {
      throw new Error(`offset ${message.offset} came after ${this.#nextOffset - 1}`);
    }
    const read = readMessage(message, this.#topic.schemas, this.#lastForm);
    if (read.kind === 'unknown_schema') return read;
    if (read.kind !== 'dead') this.#lastForm = read.kind === 'data' ? read.data.form : read.form;
    const open = this.#openFor(message);
    open.messages += 1;
    open.bytes += message.value?.length ?? 0;
    this.#nextOffset = message.offset + 1;
    if (read.kind === 'marker') {
      this.#bounds = read.bounds ?? this.#bounds;
      // A marker after nothing but markers opens the next block instead of ending an empty one.
      return holdsMessages(open) ? this.#cut(open, message, 'marker') : { kind: 'open' };
    }
    this.#append(open, read, message);
    if (open.rows >= this.#bounds.rowsMax) return this.#cut(open, message, 'rows');
    if (open.bytes >= this.#bounds.bytesMax) return this.#cut(open, message, 'bytes');
    return { kind: 'open' };
  }

  #openFor(message: LogMessage): OpenBlock {
    this.#open ??= {
      firstOffset: this.#blockStart,
      stored: [],
      dead: [],
      duplicates: { messages: 0, rows: 0 },
      rows: 0,
      bytes: 0,
      messages: 0,
      firstAppendedMs: message.appendedMs,
    };
    return this.#open;
  }

  #append(
    open: OpenBlock,
    read: { kind: 'data'; data: StoredMessage } | { kind: 'dead'; reason: DeadReason },
    message: LogMessage,
  ): void {
    if (read.kind === 'dead') {
      open.dead.push({ message, reason: read.reason });
      return;
    }
    const { boot, sequence, records } = read.data;
    // A copy whose records cannot be stored is no duplicate but dead as the first one was: that one is not in the
    // ledger, so an owner that starts after it would not know its batch. Duplicates are few; reading them is cheap.
    if (this.#seen.has(boot, sequence, message.appendedMs) && classifyRecords(read.data.message).ok) {
      open.duplicates.messages += 1;
      open.duplicates.rows += records;
      return;
    }
    this.#seen.add(boot, sequence, sequence, message.appendedMs);
    open.stored.push(read.data);
    open.rows += records;
  }

  #cut(open: OpenBlock, last: LogMessage, cut: Cut): Pushed {
    this.#open = undefined;
    for (const { boot, sequence } of open.stored) {
      // The ledger knows of a block's last message only: the hour of a keyed id counts from there for every owner.
      if (isKeyedBoot(boot)) this.#seen.add(boot, sequence, sequence, last.appendedMs);
    }
    this.#seen.forgetBefore(last.appendedMs);
    const { bytes: _bytes, ...content } = open;
    this.#blockStart = last.offset + 1;
    const block = {
      ...content,
      lastOffset: last.offset,
      deletedOffsets: this.#deletedOffsets,
      lastAppendedMs: last.appendedMs,
      cut,
      nextBounds: this.#bounds,
    };
    this.#deletedOffsets = 0;
    return { kind: 'cut', block };
  }
}

function holdsMessages({ stored, dead, duplicates }: OpenBlock): boolean {
  return stored.length + dead.length + duplicates.messages > 0;
}

/**
 * The verdict on a message as far as it goes without decoding its records.
 * @param schemas those its topic carries @param lastForm is tried first
 */
export function readMessage(
  message: LogMessage,
  schemas: readonly AvroSchema[],
  lastForm?: ContainerForm,
): ReadMessage {
  const { value, headers } = message;
  if (value === null || value.length === 0) return { kind: 'dead', reason: 'empty_message' };
  const inspected = inspectContainer(value, lastForm);
  if (!inspected.ok && inspected.fault !== 'unknown_schema') return { kind: 'dead', reason: inspected.fault };
  const read = readBatchHeaders(headers, value);
  if (!inspected.ok) {
    // Bytes that changed on the way are a dead letter, whatever they contain now.
    const changed = !read.ok && read.fault === 'bad_crc';
    return changed ? { kind: 'dead', reason: 'bad_crc' } : { kind: 'unknown_schema' };
  }
  const { form, records } = inspected.shape;
  if (!schemas.includes(form.schema)) return { kind: 'dead', reason: 'wrong_schema' };
  // A batch whose records waited too long at the edge is empty too; its id distinguishes it from a marker.
  const named = headers?.[BATCH_HEADER] !== undefined;
  if (records === 0 && value.length === form.header.length && !named) {
    return { kind: 'marker', form, bounds: readMarkerBounds(headers) };
  }
  if (!read.ok) return { kind: 'dead', reason: read.fault };
  if (read.headers.records !== records) return { kind: 'dead', reason: 'count_mismatch' };
  const packing = compressionFault(value, inspected.shape);
  if (packing !== undefined) return { kind: 'dead', reason: packing };
  const { batch, crc32, eventTimes } = read.headers;
  const { boot, sequence } = batch;
  return {
    kind: 'data',
    data: {
      message: { offset: message.offset, appendedMs: message.appendedMs, value, headers },
      form,
      boot,
      sequence,
      records,
      crc32,
      eventTimes,
    },
  };
}
