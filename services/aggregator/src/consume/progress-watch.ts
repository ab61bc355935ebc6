/*
 * Which partitions make no progress although there is something to do: messages to read, or messages read that are not
 * stored. Such a partition is named in the readiness until it continues; a partition without work is ready.
 */
import type { FetchedLog } from '@imscope/runtime/kafkajs/fetch-holes.js';
import { partitionKey, type TopicPartition } from './topic-partition.js';

/** What is known of one owned partition. */
export type PartitionState = {
  /** Where reading continues. */
  readonly nextOffset: number;
  /** When an offset was last read or a block stored. */
  readonly progressMs: number;
  /** Messages were read that are not stored yet. */
  readonly holdsUnstored: boolean;
  /** Undefined where the broker has not answered yet. */
  readonly log: FetchedLog | undefined;
  /** Fetching waits for this process: for a batch that is being stored, a pause, or a newer version. */
  readonly fetchingWaits: boolean;
};

export type Standstill = {
  /** Since the last progress with work to do; 0 where there is progress or no work. */
  readonly stillMs: number;
  /** What waits; empty where there is progress or no work. */
  readonly text: string;
  /** A restart may help: there are messages that could be read. */
  readonly mayRestart: boolean;
};

const MOVING: Standstill = { stillMs: 0, text: '', mayRestart: false };

export class ProgressWatch {
  /** By partition, since when there is work to do. */
  readonly #workSinceMs = new Map<string, number>();

  /** Called often, for a partition only while it is owned. */
  observe(at: TopicPartition, state: PartitionState, nowMs: number): Standstill {
    const key = partitionKey(at);
    const text = workOf(state, nowMs);
    if (text === undefined) {
      this.#workSinceMs.delete(key);
      return MOVING;
    }
    const sinceMs = this.#workSinceMs.get(key) ?? nowMs;
    this.#workSinceMs.set(key, sinceMs);
    const { log, nextOffset } = state;
    return {
      stillMs: nowMs - Math.max(sinceMs, state.progressMs),
      text,
      mayRestart: log !== undefined && log.stable > nextOffset,
    };
  }

  forget(at: TopicPartition): void {
    this.#workSinceMs.delete(partitionKey(at));
  }

  forgetAll(): void {
    this.#workSinceMs.clear();
  }
}

/** Every fetch is answered within a quarter of a second, and more slowly by a busy broker. */
const ANSWER_MS_MAX = 5_000;

function workOf(
  { log, nextOffset, holdsUnstored, fetchingWaits }: PartitionState,
  nowMs: number,
): string | undefined {
  if (log !== undefined && log.stable > nextOffset) {
    return `${log.stable - nextOffset} offsets after ${nextOffset - 1} are not read`;
  }
  if (log !== undefined && log.end > nextOffset) {
    return `an open transaction holds back ${log.end - nextOffset} offsets after ${nextOffset - 1}: it ends by itself at its transaction.timeout.ms, or with "kafka-transactions.sh abort"`;
  }
  if (holdsUnstored) return `messages before offset ${nextOffset} are read and not stored`;
  const silent = log === undefined || nowMs - log.observedMs > ANSWER_MS_MAX;
  return silent && !fetchingWaits ? 'the broker does not answer fetches' : undefined;
}
