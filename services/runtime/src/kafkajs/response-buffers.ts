/*
 * Memory of the broker's responses, reused once all messages of a response are stored. Left to the garbage collector,
 * 45 MB for a million records caused half a dozen full collections, which took as long as all else together. A buffer
 * is released only where that is certain: the rest (a lost partition, a batch kafkajs dropped) is garbage as before.
 */

/** A backlog has about ten responses in use at once; more are not kept. */
const FREE_MAX = 16;
/** A buffer that no response needed for so long is freed: after a backlog few are needed. */
const FREE_MS_MAX = 60_000;
const SWEEP_MS = 10_000;
const BYTES_MIN = 128 << 10;

type FreeBuffer = { readonly buffer: Buffer; readonly sinceMs: number };

export class ResponseBuffers {
  /** The one released last is reused first. */
  #free: readonly FreeBuffer[] = [];
  /** By its memory, a buffer in use and how many of its batches are not stored; undefined until it is decoded. */
  readonly #used = new WeakMap<ArrayBufferLike, { readonly buffer: Buffer; batches: number | undefined }>();

  constructor() {
    setInterval(() => this.sweep(performance.now()), SWEEP_MS).unref();
  }

  /** Reserves so many bytes; their content is arbitrary. */
  reserve(bytes: number): Buffer {
    const found = this.#free.find(({ buffer }) => buffer.length >= bytes);
    this.#free = this.#free.filter((one) => one !== found);
    const buffer = found?.buffer ?? Buffer.allocUnsafeSlow(sizeFor(bytes));
    this.#used.set(buffer.buffer, { buffer, batches: undefined });
    return buffer.subarray(0, bytes);
  }

  /** A response was decoded: so many batches of it point into its memory. */
  divide(memory: ArrayBufferLike, batches: number): void {
    const used = this.#used.get(memory);
    if (used === undefined || used.batches !== undefined) return;
    used.batches = batches;
    if (batches === 0) this.release(used.buffer);
  }

  /** One batch of a response is stored: nothing points to it any more. */
  releaseBatch(memory: ArrayBufferLike): void {
    const used = this.#used.get(memory);
    if (used?.batches === undefined) return;
    used.batches -= 1;
    if (used.batches === 0) this.release(used.buffer);
  }

  /** Frees what was unused for too long. @param nowMs monotonic */
  sweep(nowMs: number): void {
    const { kept = [], old = [] } = Object.groupBy(this.#free, ({ sinceMs }, index) =>
      nowMs - sinceMs < FREE_MS_MAX && index < FREE_MAX ? 'kept' : 'old',
    );
    this.#free = kept;
    // A transfer to length 0 frees the memory at once, not at the next collection.
    for (const { buffer } of old) void (buffer.buffer as ArrayBuffer).transfer(0);
  }

  protected release(buffer: Buffer): void {
    this.#used.delete(buffer.buffer);
    this.#free = [{ buffer, sinceMs: performance.now() }, ...this.#free];
  }
}

/** A power of two, so that the buffer of one response fits the next. */
function sizeFor(bytes: number): number {
  return Math.max(BYTES_MIN, 2 ** Math.ceil(Math.log2(bytes)));
}

/** The parts of a message that may point into a response. */
export type MessageBytes = {
  readonly key?: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
};

/** The memory that the messages of one batch point into, which is one response's; undefined where there is none. */
export function memoryOf(messages: readonly MessageBytes[]): ArrayBufferLike | undefined {
  for (const { key, value, headers } of messages) {
    for (const bytes of [value, key, ...Object.values(headers ?? {}).flat()]) {
      if (Buffer.isBuffer(bytes) && bytes.length > 0) return bytes.buffer;
    }
  }
  return undefined;
}
