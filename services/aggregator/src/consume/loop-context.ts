/*
 * What the consumer loop works with, as functions: broker, store, clock and random numbers. `kafka-ports.ts` and
 * `store/store-ports.ts` make them from the real ones; the simulation in `test/simulation` makes them from models.
 */
import type { FetchedLog } from '@imscope/runtime/kafkajs/fetch-holes.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Readiness } from '@imscope/runtime/readiness.js';
import type { BlockBounds } from '@imscope/schemas/block-bounds.js';
import type { BlockPlace } from '../blocks/block-content.js';
import type { DeadMessage, LogMessage } from '../blocks/block-cutter.js';
import type { StorePorts } from '../store/store-ports.js';
import type { storeBlock } from '../store/store-block.js';
import type { Stream } from '../blocks/streams.js';
import type { Timing } from '../store/timing.js';
import type { ConsumeMetrics } from './consume-metrics.js';
import type { TopicPartition } from './topic-partition.js';

/** What the broker answered to one fetch of a partition. */
export type FetchedMessages = {
  /** Those that a reader of committed messages sees, in the order of the log. */
  readonly messages: readonly LogMessage[];
  /** The requested offset: from there on no message is missing. */
  readonly fetchedFrom: number;
  /** The first offset of the response, whether it holds a message or not. */
  readonly firstOffset: number;
  /** The offset after the last of the response. */
  readonly coveredTo: number;
  /** Offsets before this one were deleted from the log; 0 where the broker does not say. */
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
  /** The log as of the broker's latest fetch response; undefined before the first one. */
  readonly fetchedLog: (at: TopicPartition) => FetchedLog | undefined;
  /** Appends a marker and gives its offset. */
  readonly appendMarker: (at: TopicPartition, stream: Stream, bounds: BlockBounds) => Promise<number>;
  readonly writeDeadLetters: (place: BlockPlace, dead: readonly DeadMessage[]) => Promise<void>;
  /** Makes the next batch of the partition start at this offset. */
  readonly seek: (at: TopicPartition, offset: number) => void;
  /** An assigned partition may be fetched: its first offset is known. */
  readonly resume: (at: TopicPartition) => void;
};

export type LoopOptions = {
  /** Written into markers. */
  readonly bounds: BlockBounds;
  readonly markerAgeMs: number;
  readonly stallTimeoutMs: number;
};

export type LoopContext = {
  readonly options: LoopOptions;
  /** The cluster's own id. */
  readonly cluster: string;
  /** By topic name, with the prefix. */
  readonly streams: ReadonlyMap<string, Stream>;
  readonly broker: BrokerPorts;
  readonly store: StorePorts;
  readonly timing: Timing;
  readonly storeBlock: typeof storeBlock;
  readonly metrics: ConsumeMetrics;
  readonly logger: Logger;
  readonly readiness: Readiness;
  /** Ends the process, so that its supervisor starts it again. */
  readonly fail: (error: Error) => void;
};
