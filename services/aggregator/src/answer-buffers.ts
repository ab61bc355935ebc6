/*
 * Memory of the broker's answers, used again once all that came in one is stored. Left to the garbage collector, 45 MB
 * for a million records made it go over everything half a dozen times, which took as long as all else together. Given
 * back is only what is certain: the rest (a partition that was lost, a batch kafkajs dropped) is garbage as before.
 */
import { partitionKey, type TopicPartition } from './topic-partition.js';

/** A backlog has about ten answers in use at once; more are not kept. */
const FREE_MAX = 16;
/** A buffer that no answer wanted for so long is let go: calm comes after a backlog. */
const FREE_MS_MAX = 60_000;
const SWEEP_MS = 10_000;
const BYTES_MIN = 128 << 10;

type FreeBuffer = { readonly buffer: Buffer; readonly sinceMs: number };

export class AnswerBuffers {
  /** The one given back last is the first to be used again. */
  #free: readonly FreeBuffer[] = [];
  /** By its memory, a buffer that is in use and how many of its batches are not stored; undefined until it was read. */
  readonly #used = new WeakMap<ArrayBufferLike, { readonly buffer: Buffer; batches: number | undefined }>();

  constructor() {
    setInterval(() => this.sweep(performance.now()), SWEEP_MS).unref();
  }

  /** So many bytes, with anything in them. */
  take(bytes: number): Buffer {
    const found = this.#free.find(({ buffer }) => buffer.length >= bytes);
    this.#free = this.#free.filter((one) => one !== found);
    const buffer = found?.buffer ?? Buffer.allocUnsafeSlow(sizeFor(bytes));
    this.#used.set(buffer.buffer, { buffer, batches: undefined });
    return buffer.subarray(0, bytes);
  }

  /** An answer was read: so many batches of it point into its memory. */
  divide(memory: ArrayBufferLike, batches: number): void {
    const used = this.#used.get(memory);
    if (used === undefined || used.batches !== undefined) return;
    used.batches = batches;
    if (batches === 0) this.release(used.buffer);
  }

  /** Nothing points any more to one of the batches of an answer. */
  giveBack(memory: ArrayBufferLike): void {
    const used = this.#used.get(memory);
    if (used?.batches === undefined) return;
    used.batches -= 1;
    if (used.batches === 0) this.release(used.buffer);
  }

  /** Lets go of what was free for too long. @param nowMs monotonic */
  sweep(nowMs: number): void {
    const { kept = [], old = [] } = Object.groupBy(this.#free, ({ sinceMs }, index) =>
      nowMs - sinceMs < FREE_MS_MAX && index < FREE_MAX ? 'kept' : 'old',
    );
    this.#free = kept;
    // Moved to nowhere memory is free at once, instead of at the next collection.
    for (const { buffer } of old) void (buffer.buffer as ArrayBuffer).transfer(0);
  }

  protected release(buffer: Buffer): void {
    this.#used.delete(buffer.buffer);
    this.#free = [{ buffer, sinceMs: performance.now() }, ...this.#free];
  }
}

/** A power of two, so that one answer's buffer does for the next. */
function sizeFor(bytes: number): number {
  return Math.max(BYTES_MIN, 2 ** Math.ceil(Math.log2(bytes)));
}

/** A batch that was taken, and the answer in whose memory it stands. */
export type UnstoredBatch = { readonly lastOffset: number; readonly memory: ArrayBufferLike };

/** Which batches of our partitions are not stored yet. Bounded by the blocks that are open or being stored. */
export class UnstoredBatches {
  readonly #buffers: AnswerBuffers;
  /** By topic and partition. */
  readonly #batches = new Map<string, readonly UnstoredBatch[]>();

  constructor(buffers: AnswerBuffers) {
    this.#buffers = buffers;
  }

  /** A batch is about to be taken. @returns undefined where it points into no answer */
  add(at: TopicPartition, lastOffset: number, messages: readonly MessageBytes[]): UnstoredBatch | undefined {
    const memory = memoryOf(messages);
    if (memory === undefined) return undefined;
    const batch = { lastOffset, memory };
    this.#batches.set(partitionKey(at), [...(this.#batches.get(partitionKey(at)) ?? []), batch]);
    return batch;
  }

  /** All before this offset is stored: nothing points to it any more. */
  stored(at: TopicPartition, nextOffset: number): void {
    const { done = [], left = [] } = Object.groupBy(
      this.#batches.get(partitionKey(at)) ?? [],
      ({ lastOffset }) => (lastOffset < nextOffset ? 'done' : 'left'),
    );
    this.#batches.set(partitionKey(at), left);
    for (const { memory } of done) this.#buffers.giveBack(memory);
  }

  /** It was not taken, or not whole: who still points to it is not known. */
  forget(at: TopicPartition, batch: UnstoredBatch | undefined): void {
    const others = this.#batches.get(partitionKey(at))?.filter((other) => other !== batch) ?? [];
    this.#batches.set(partitionKey(at), others);
  }

  /** It was taken and has no messages, only holes: nothing points to it. */
  holdsNothing(at: TopicPartition, batch: UnstoredBatch | undefined): void {
    if (batch === undefined || !this.#batches.get(partitionKey(at))?.includes(batch)) return;
    this.forget(at, batch);
    this.#buffers.giveBack(batch.memory);
  }

  /** It is read again from another place, or by somebody else, while what was taken may still be on its way. */
  forgetPartition(at: TopicPartition): void {
    this.#batches.delete(partitionKey(at));
  }

  forgetAll(): void {
    this.#batches.clear();
  }
}

/** What of a message may point into an answer. */
export type MessageBytes = {
  readonly key?: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
};

/** The memory that messages of one batch point into, which is one answer's; undefined where they point nowhere. */
export function memoryOf(messages: readonly MessageBytes[]): ArrayBufferLike | undefined {
  for (const { key, value, headers } of messages) {
    for (const bytes of [value, key, ...Object.values(headers ?? {}).flat()]) {
      if (Buffer.isBuffer(bytes) && bytes.length > 0) return bytes.buffer;
    }
  }
  return undefined;
}
