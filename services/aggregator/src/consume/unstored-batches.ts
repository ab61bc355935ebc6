/*
 * Which fetched batches are not stored yet, so that the buffer of a response is reused once none of them points into it.
 * Bounded by the blocks that are open or being stored.
 */
import {
  type MessageBytes,
  memoryOf,
  type ResponseBuffers,
} from '@imscope/runtime/kafkajs/response-buffers.js';
import { partitionKey, type TopicPartition } from './topic-partition.js';

/** A batch that is being consumed, and the memory of the response it points into. */
export type UnstoredBatch = { readonly lastOffset: number; readonly memory: ArrayBufferLike };

export class UnstoredBatches {
  readonly #buffers: ResponseBuffers;
  /** By topic and partition. */
  readonly #batches = new Map<string, readonly UnstoredBatch[]>();

  constructor(buffers: ResponseBuffers) {
    this.#buffers = buffers;
  }

  /** A batch is about to be consumed. @returns undefined where it points into no response */
  add(at: TopicPartition, lastOffset: number, messages: readonly MessageBytes[]): UnstoredBatch | undefined {
    const memory = memoryOf(messages);
    if (memory === undefined) return undefined;
    const batch = { lastOffset, memory };
    this.#batches.set(partitionKey(at), [...(this.#batches.get(partitionKey(at)) ?? []), batch]);
    return batch;
  }

  /** Everything before this offset is stored: nothing points to it any more. */
  stored(at: TopicPartition, nextOffset: number): void {
    const { done = [], left = [] } = Object.groupBy(
      this.#batches.get(partitionKey(at)) ?? [],
      ({ lastOffset }) => (lastOffset < nextOffset ? 'done' : 'left'),
    );
    this.#batches.set(partitionKey(at), left);
    for (const { memory } of done) this.#buffers.releaseBatch(memory);
  }

  /** It was not consumed completely: what still points to it is not known, so its buffer is not reused. */
  forget(at: TopicPartition, batch: UnstoredBatch | undefined): void {
    const others = this.#batches.get(partitionKey(at))?.filter((other) => other !== batch) ?? [];
    this.#batches.set(partitionKey(at), others);
  }

  /** It was consumed and has no messages, only holes: nothing points to it. */
  holdsNothing(at: TopicPartition, batch: UnstoredBatch | undefined): void {
    if (batch === undefined || !this.#batches.get(partitionKey(at))?.includes(batch)) return;
    this.forget(at, batch);
    this.#buffers.releaseBatch(batch.memory);
  }

  /** The partition is read again from another offset or by another member, while its batches may still be in use. */
  forgetPartition(at: TopicPartition): void {
    this.#batches.delete(partitionKey(at));
  }

  forgetAll(): void {
    this.#batches.clear();
  }
}
