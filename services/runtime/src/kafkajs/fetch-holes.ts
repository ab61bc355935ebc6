/*
 * Defect of kafkajs 2.2.4: it drops control records and aborted messages without telling its consumer. It also treats an
 * aborted message as a committed one where transactions overlap: it reads the list of aborted transactions in the
 * broker's order (by their end) as if it were ordered by their start, and enters at most one of them per message.
 *
 * With this patch the messages are classified here, every offset of a response reaches the consumer, holes too, and what
 * a response says of the log is observed. Kafka's offsets have holes: control records end each transaction, messages of
 * aborted transactions stay in the log, compaction removes messages.
 */
import { type LoadModule, type PatchedMethod, patchMethod } from './patch-method.js';

/** A partition's log as of one fetch response. */
export type FetchedLog = {
  /** First offset that was not deleted; undefined where the broker is older than Kafka 1.0. */
  readonly start: number | undefined;
  /** The last stable offset: where the oldest open transaction begins, else the end. Reading stops here. */
  readonly stable: number;
  /** The high watermark: the offset after the last message, committed or not. */
  readonly end: number;
  /** When the response arrived, on the clock given to `observeFetches`. */
  readonly observedMs: number;
};

/** Control records, messages of aborted transactions, and places of messages that compaction removed. */
const holes = new WeakSet();

/** Whether an entry of a fetched batch only says that its offset holds no message. */
export function isHole(entry: object): boolean {
  return holes.has(entry);
}

type Observe = (at: { readonly topic: string; readonly partition: number }, log: FetchedLog) => void;
type Observer = { readonly observe: Observe; readonly nowMs: () => number };
const observers = new Set<Observer>();

const TARGET: PatchedMethod = {
  module: 'src/broker/index.js',
  on: 'prototype',
  method: 'fetch',
  parameters: 1,
  mentions: ['requests.Fetch', 'isolationLevel'],
};

/**
 * From now on all fetches of this process are observed, and their batches hold an entry for every hole (`isHole`).
 * @param observe gets the log of each partition in each response
 * @returns ends the observation
 * @throws where kafkajs is not as expected
 */
export function observeFetches(observe: Observe, nowMs: () => number, load?: LoadModule): () => void {
  patchMethod<Fetch>(TARGET, observed, load);
  const observer = { observe, nowMs };
  observers.add(observer);
  return () => void observers.delete(observer);
}

type RecordBatch = {
  readonly firstOffset: string;
  readonly lastOffsetDelta: number;
  readonly producerId: string;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
};

/** A message as kafkajs decodes it. Without `batchContext` where the log has the format of Kafka before 0.11. */
export type FetchedEntry = {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  isControlRecord?: boolean;
  readonly batchContext?: RecordBatch;
};

export type PartitionResponse = {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset?: string;
  /** Named so by kafkajs: the log start offset. */
  readonly lastStartOffset?: string;
  abortedTransactions?: readonly AbortedTransaction[] | null;
  messages: readonly FetchedEntry[];
};

type AbortedTransaction = { readonly producerId: string; readonly firstOffset: string };

type FetchResponse = {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly PartitionResponse[];
  }[];
};
type Fetch = (this: unknown, request: unknown) => Promise<FetchResponse>;

function observed(fetch: Fetch): Fetch {
  return async function (this: unknown, request) {
    const response = await fetch.call(this, request);
    for (const { topicName: topic, partitions } of response.responses) {
      for (const partition of partitions) {
        markHoles(partition);
        const log = logOf(partition);
        for (const { observe, nowMs } of observers) {
          observe({ topic, partition: partition.partition }, { ...log, observedMs: nowMs() });
        }
      }
    }
    return response;
  };
}

function logOf({
  highWatermark,
  lastStableOffset,
  lastStartOffset,
}: PartitionResponse): Omit<FetchedLog, 'observedMs'> {
  const end = Number(highWatermark);
  // The broker answers -1 where it does not know.
  const stable = Number(lastStableOffset ?? -1);
  const start = Number(lastStartOffset ?? -1);
  return { start: start < 0 ? undefined : start, stable: stable < 0 ? end : Math.min(stable, end), end };
}

/** A control record's key is its version and its type, two bytes each; type 0 aborts a transaction, 1 commits it. */
const ABORT_TYPE = 0;

/** Marks what a reader of committed messages must not see, and makes kafkajs deliver it nevertheless. */
export function markHoles(response: PartitionResponse): void {
  const waiting = (response.abortedTransactions ?? []).toSorted(
    (a, b) => Number(a.firstOffset) - Number(b.firstOffset),
  );
  response.abortedTransactions = [];
  let next = 0;
  /** Producers whose transaction at this place of the log was aborted. */
  const aborted = new Set<string>();
  for (const entry of response.messages) {
    const { batchContext: batch, key } = entry;
    if (batch === undefined) continue;
    for (let begun = waiting[next]; begun !== undefined && isBegun(begun, entry); begun = waiting[next]) {
      aborted.add(begun.producerId);
      next += 1;
    }
    if (batch.isControlBatch) {
      if (key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT_TYPE)
        aborted.delete(batch.producerId);
      entry.isControlRecord = false;
      holes.add(entry);
    } else if (batch.inTransaction && aborted.has(batch.producerId)) holes.add(entry);
  }
  markCompactedEnd(response);
}

function isBegun({ firstOffset }: AbortedTransaction, { offset }: FetchedEntry): boolean {
  return Number(firstOffset) <= Number(offset);
}

/**
 * Where compaction removed the last messages of a record batch, the batch still spans their offsets. Without an entry
 * there kafkajs would advance by one offset a fetch, or not at all.
 */
function markCompactedEnd(response: PartitionResponse): void {
  const last = response.messages.at(-1);
  if (last?.batchContext === undefined) return;
  const end = Number(last.batchContext.firstOffset) + last.batchContext.lastOffsetDelta;
  if (end <= Number(last.offset)) return;
  const entry: FetchedEntry = { ...last, offset: String(end), key: null, value: null };
  holes.add(entry);
  response.messages = [...response.messages, entry];
}
