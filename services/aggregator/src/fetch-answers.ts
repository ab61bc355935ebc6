/*
 * What the broker's answers to a fetch say beyond the messages: where a partition's log starts and ends, and which
 * offsets hold no message for a reader of committed messages. Kafka's offsets have holes: control records end each
 * transaction, messages of aborted transactions stay in the log, compaction removes messages.
 *
 * kafkajs 2.2.4 leaves control records and aborted messages out and moves on without telling its consumer. It also takes
 * an aborted message for a committed one where transactions overlap: it reads the list of aborted transactions in the
 * broker's order (by their end) as if it were ordered by their start, and enters at most one of them per message. So
 * the messages are classified here, and every offset of an answer reaches the consumer, holes too.
 */
import { createRequire } from 'node:module';
import { partitionKey, type TopicPartition } from './topic-partition.js';

/** A partition's log as of the broker's latest answer. */
export type FetchedLog = {
  /** First offset that was not deleted; undefined where the broker is older than Kafka 1.0. */
  readonly start: number | undefined;
  /** The last stable offset: where the oldest open transaction begins, else the end. Reading stops here. */
  readonly stable: number;
  /** The high watermark: the offset after the last message, committed or not. */
  readonly end: number;
  /** When the answer came, on the clock given to `observeFetches`. */
  readonly observedMs: number;
};

/** The latest answers by partition; bounded by the partitions that this process fetches. */
export class FetchedLogs {
  readonly #logs = new Map<string, FetchedLog>();

  record(at: TopicPartition, log: FetchedLog): void {
    this.#logs.set(partitionKey(at), log);
  }

  /** Undefined until the broker has answered. */
  at(at: TopicPartition): FetchedLog | undefined {
    return this.#logs.get(partitionKey(at));
  }

  /** Other partitions are fetched from now on, or the same of another topic of that name. */
  clear(): void {
    this.#logs.clear();
  }
}

/** Control records, messages of aborted transactions, and places of messages that compaction removed. */
const holes = new WeakSet();

/** Whether an entry of a fetched batch only says that its offset holds no message. */
export function isHole(entry: object): boolean {
  return holes.has(entry);
}

type Observer = { readonly logs: FetchedLogs; readonly nowMs: () => number };
const observers = new Set<Observer>();
let patched = false;

/**
 * From now on all fetches of this process are recorded, and their batches hold an entry for every hole (`isHole`).
 * @returns ends the recording
 */
export function observeFetches(logs: FetchedLogs, nowMs: () => number): () => void {
  if (!patched) patchBroker();
  patched = true;
  const observer = { logs, nowMs };
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

export type PartitionAnswer = {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset?: string;
  /** Named so by kafkajs: the log start offset. */
  readonly lastStartOffset?: string;
  abortedTransactions?: readonly AbortedTransaction[] | null;
  messages: readonly FetchedEntry[];
};

type AbortedTransaction = { readonly producerId: string; readonly firstOffset: string };

type FetchAnswer = {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly PartitionAnswer[];
  }[];
};
type BrokerClass = { prototype: { fetch: (request: unknown) => Promise<FetchAnswer> } };

function patchBroker(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/broker/index.js') as BrokerClass;
  const { fetch } = prototype;
  prototype.fetch = async function (request) {
    const answer = await fetch.call(this, request);
    for (const { topicName: topic, partitions } of answer.responses) {
      for (const partition of partitions) {
        markHoles(partition);
        const log = logOf(partition);
        for (const { logs, nowMs } of observers) {
          logs.record({ topic, partition: partition.partition }, { ...log, observedMs: nowMs() });
        }
      }
    }
    return answer;
  };
}

function logOf({
  highWatermark,
  lastStableOffset,
  lastStartOffset,
}: PartitionAnswer): Omit<FetchedLog, 'observedMs'> {
  const end = Number(highWatermark);
  // The broker answers -1 where it does not know.
  const stable = Number(lastStableOffset ?? -1);
  const start = Number(lastStartOffset ?? -1);
  return { start: start < 0 ? undefined : start, stable: stable < 0 ? end : Math.min(stable, end), end };
}

/** A control record's key is its version and its type, two bytes each; type 0 aborts a transaction, 1 commits it. */
const ABORT_TYPE = 0;

/** Marks what a reader of committed messages must not see, and makes kafkajs hand it out nevertheless. */
export function markHoles(answer: PartitionAnswer): void {
  const waiting = (answer.abortedTransactions ?? []).toSorted(
    (a, b) => Number(a.firstOffset) - Number(b.firstOffset),
  );
  answer.abortedTransactions = [];
  let next = 0;
  /** Producers whose transaction at this place of the log was aborted. */
  const aborted = new Set<string>();
  for (const entry of answer.messages) {
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
  markCompactedEnd(answer);
}

function isBegun({ firstOffset }: AbortedTransaction, { offset }: FetchedEntry): boolean {
  return Number(firstOffset) <= Number(offset);
}

/**
 * Where compaction removed the last messages of a record batch, the batch still spans their offsets. Without an entry
 * there kafkajs would go on by one offset a fetch, or not at all.
 */
function markCompactedEnd(answer: PartitionAnswer): void {
  const last = answer.messages.at(-1);
  if (last?.batchContext === undefined) return;
  const end = Number(last.batchContext.firstOffset) + last.batchContext.lastOffsetDelta;
  if (end <= Number(last.offset)) return;
  const entry: FetchedEntry = { ...last, offset: String(end), key: null, value: null };
  holes.add(entry);
  answer.messages = [...answer.messages, entry];
}
