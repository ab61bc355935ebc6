/*
 * Collects the chunks of a body. Small chunks are copied together, so that a body sent byte by byte takes about as much
 * memory as one sent in large chunks, and the memory in use matches the bytes that are reserved for it.
 */

/** Smaller chunks are copied: Node.js needs about 200 bytes for each Buffer that is kept. */
const KEPT_BYTES_MIN = 16 << 10;
const BLOCK_BYTES_MIN = 512;
const BLOCK_BYTES_MAX = 64 << 10;

export class ChunkBuffer {
  readonly #chunks: Buffer[] = [];
  #length = 0;
  /** Receives small chunks. Its size grows with `#length`, so that at most half of the memory is unused. */
  #block = Buffer.alloc(0);
  #filled = 0;

  get length(): number {
    return this.#length;
  }

  /** The number of Buffers in memory. */
  get chunks(): number {
    return this.#chunks.length + Math.sign(this.#filled);
  }

  add(chunk: Buffer): void {
    // The first chunk is often the only one.
    const keeps = chunk.length >= KEPT_BYTES_MIN || this.#length === 0;
    this.#length += chunk.length;
    if (!keeps) {
      this.#copy(chunk);
      return;
    }
    this.#endBlock();
    this.#chunks.push(chunk);
  }

  /** All bytes. Call it once, after the last chunk. */
  concat(): Buffer {
    this.#endBlock();
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#length);
  }

  #copy(chunk: Buffer): void {
    if (chunk.length > this.#block.length - this.#filled) {
      this.#endBlock();
      const wanted = Math.min(BLOCK_BYTES_MAX, Math.max(BLOCK_BYTES_MIN, this.#length));
      this.#block = Buffer.allocUnsafeSlow(Math.max(chunk.length, wanted));
    }
    chunk.copy(this.#block, this.#filled);
    this.#filled += chunk.length;
  }

  #endBlock(): void {
    if (this.#filled > 0) this.#chunks.push(this.#block.subarray(0, this.#filled));
    this.#block = Buffer.alloc(0);
    this.#filled = 0;
  }
}
