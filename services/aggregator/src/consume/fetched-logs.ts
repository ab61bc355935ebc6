/* The log of each partition as of the broker's latest fetch response. Bounded by the partitions that are fetched. */
import type { FetchedLog } from '@imscope/runtime/kafkajs/fetch-holes.js';
import { partitionKey, type TopicPartition } from './topic-partition.js';

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
