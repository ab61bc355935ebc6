/*
 * Bytes that come in pieces, however small: a body that drips in byte by byte takes about as much memory as one in large
 * pieces, so that what is held against the budget is what there is.
 */

/** Smaller pieces are copied together; Node.js needs some 200 bytes for each it keeps. */
const PIECE_BYTES_MIN = 16 << 10;
const BLOCK_BYTES_MIN = 512;
const BLOCK_BYTES_MAX = 64 << 10;

export class GatheredBytes {
  readonly #pieces: Buffer[] = [];
  #length = 0;
  /** Small pieces are copied into it; it grows with what is there, so that at most half of it is empty. */
  #block = Buffer.alloc(0);
  #filled = 0;

  get length(): number {
    return this.#length;
  }

  /** Buffers kept. */
  get pieces(): number {
    return this.#pieces.length + Math.sign(this.#filled);
  }

  add(piece: Buffer): void {
    // The first one is often the only one.
    const keeps = piece.length >= PIECE_BYTES_MIN || this.#length === 0;
    this.#length += piece.length;
    if (!keeps) {
      this.#copy(piece);
      return;
    }
    this.#endBlock();
    this.#pieces.push(piece);
  }

  /** All of it. Nothing may be added any more. */
  whole(): Buffer {
    this.#endBlock();
    const [only] = this.#pieces;
    return this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces, this.#length);
  }

  #copy(piece: Buffer): void {
    if (piece.length > this.#block.length - this.#filled) {
      this.#endBlock();
      const wanted = Math.min(BLOCK_BYTES_MAX, Math.max(BLOCK_BYTES_MIN, this.#length));
      this.#block = Buffer.allocUnsafeSlow(Math.max(piece.length, wanted));
    }
    piece.copy(this.#block, this.#filled);
    this.#filled += piece.length;
  }

  #endBlock(): void {
    if (this.#filled > 0) this.#pieces.push(this.#block.subarray(0, this.#filled));
    this.#block = Buffer.alloc(0);
    this.#filled = 0;
  }
}
