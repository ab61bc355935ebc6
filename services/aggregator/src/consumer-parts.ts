/*
 * What the consumer loop works with, as functions: the broker, the store, the clock and chance. `kafka-ports.ts` and
 * `store-ports.ts` make them from the real ones; the simulation in `test/simulation` makes them from models.
 */
import type { Logger } from '@imscope/runtime/logger.js';
import type { Readiness } from '@imscope/runtime/readiness.js';
import type { BlockBounds } from '@imscope/schemas/block-bounds.js';
import type { BatchIntervals } from './batch-intervals.js';
import type { BlockInsert, BlockPlace, LedgerRow } from './block-content.js';
import type { DeadMessage, LogMessage } from './block-cutter.js';
import type { FetchedLog } from './fetch-answers.js';
import type { AggregatorMetrics } from './metrics.js';
import type { storeBlock } from './store-block.js';
import type { Stream } from './streams.js';
import type { Timing } from './timing.js';
import type { TopicPartition } from './topic-partition.js';

/** A partition without its epoch, which is what the ledger is asked for. */
export type PartitionPlace = Omit<BlockPlace, 'epoch'>;

/** What the broker answered to one fetch of a partition. */
export type FetchedMessages = {
  /** Those that a reader of committed messages sees, in the order of the log. */
  readonly messages: readonly LogMessage[];
  /** The offset that the broker was asked for: from there on no message is missing. */
  readonly fetchedFrom: number;
  /** The first offset of the answer, whether it holds a message or not. */
  readonly firstOffset: number;
  /** The offset after the last of the answer. */
  readonly coveredTo: number;
  /** What was deleted of the log lies before this offset; 0 where the broker does not say. */
  readonly logStart: number;
  /** Where the oldest open transaction begins, else the log's end. */
  readonly stableOffset: number;
  readonly endOffset: number;
};

export type Committed = { readonly offset: number; readonly metadata: string };

export type BrokerPorts = {
  readonly commit: (at: TopicPartition, offset: number, metadata: string) => Promise<void>;
  /** Offset and metadata as last committed by anybody; undefined where nothing was. */
  readonly readCommitted: (at: TopicPartition) => Promise<Committed | undefined>;
  /** First offset that was not deleted, and the last stable offset: the log's end but for open transactions. */
  readonly readLogSpan: (at: TopicPartition) => Promise<{ start: number; end: number }>;
  /** The log as of the broker's latest answer to a fetch; undefined before the first one. */
  readonly fetchedLog: (at: TopicPartition) => FetchedLog | undefined;
  /** Appends a marker and gives its offset. */
  readonly appendMarker: (at: TopicPartition, stream: Stream, bounds: BlockBounds) => Promise<number>;
  readonly writeDeadLetters: (place: BlockPlace, dead: readonly DeadMessage[]) => Promise<void>;
  /** The next batch of the partition shall start at this offset. */
  readonly seek: (at: TopicPartition, offset: number) => void;
  /** A partition that was assigned may be fetched: it is known from where on. */
  readonly resume: (at: TopicPartition) => void;
};

/** The last block of a partition that is booked, over all epochs of its topic. */
export type LedgerPosition = {
  readonly epoch: number;
  readonly lastOffset: number;
  /** Broker's time of append of the message at `lastOffset`, epoch milliseconds. */
  readonly lastAppendedMs: number;
  readonly bounds: BlockBounds;
};

export type StorePorts = {
  readonly insert: (stream: Stream, insert: BlockInsert) => Promise<void>;
  readonly writeLedger: (row: LedgerRow) => Promise<void>;
  readonly readPosition: (place: PartitionPlace) => Promise<LedgerPosition | undefined>;
  /**
   * The batches of earlier epochs, and of this epoch's blocks that end before an offset, as far as they were appended
   * since a time: those of keyed requests since a later one.
   * @returns with the offset behind the last of this epoch's blocks, which shows whether the answer is complete
   */
  readonly readSeen: (
    place: BlockPlace,
    range: { readonly beforeOffset: number; readonly sinceMs: number; readonly keyedSinceMs: number },
  ) => Promise<{ seen: BatchIntervals; nextOffset: number }>;
};

export type LoopOptions = {
  /** Written into markers. */
  readonly bounds: BlockBounds;
  readonly markerAgeMs: number;
  readonly stallTimeoutMs: number;
};

export type LoopParts = {
  readonly options: LoopOptions;
  /** The cluster's own id. */
  readonly cluster: string;
  /** By topic, prefix and all. */
  readonly streams: ReadonlyMap<string, Stream>;
  readonly broker: BrokerPorts;
  readonly store: StorePorts;
  readonly timing: Timing;
  readonly storeBlock: typeof storeBlock;
  readonly metrics: AggregatorMetrics;
  readonly logger: Logger;
  readonly readiness: Readiness;
  /** Ends the process, for its supervisor to start it anew. */
  readonly fail: (error: Error) => void;
};
