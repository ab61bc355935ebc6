/*
 * How much the spool may hold, over all boots. Requests reserve room before any of their records is taken, so
 * that nothing is refused after it was tried; when the room is gone they get 503 and what is acknowledged stays
 * untouched. What the collector says about itself (metrics, accounts) may go a tenth beyond the bound.
 */
import { statfs } from 'node:fs/promises';
import { HttpError } from '@imscope/runtime/http-errors.js';

/** Kept free on the disk, so that truncating, renaming and logging still work. */
const DISK_FREE_BYTES_MIN = 64 << 20;
/** What a batch takes of memory while it waits comes to 300 bytes; this many bytes of the bound are reckoned for it. */
const BATCH_BYTES_MIN = 2_048;

export class SpoolSpace {
  readonly #directory: string;
  readonly #bytesMax: number;
  #bytes = 0;
  #batches = 0;
  #reserved = 0;
  #diskFailure: string | undefined;

  constructor(directory: string, bytesMax: number) {
    this.#directory = directory;
    this.#bytesMax = bytesMax;
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Batches logged that Kafka has not acknowledged. */
  get batches(): number {
    return this.#batches;
  }

  /** Why no request may be taken; undefined while there is room. */
  get failure(): string | undefined {
    if (this.#diskFailure !== undefined) return this.#diskFailure;
    return this.#room <= 0 ? this.#full() : undefined;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  addBatches(batches: number): void {
    this.#batches += batches;
  }

  /** Reserves room for one request. Throws `HttpError` unavailable where it does not fit. */
  reserve(bytes: number): void {
    if (bytes > this.#room) {
      throw new HttpError('unavailable', `${this.#full()}: nothing of this request was taken`, {
        retryAfterS: 5,
      });
    }
    this.#reserved += bytes;
  }

  release(bytes: number): void {
    this.#reserved -= bytes;
  }

  /** Looks at the disk itself; call it about once a second. */
  async look(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(this.#directory);
      const free = bavail * bsize;
      this.#diskFailure =
        free - this.#reserved < DISK_FREE_BYTES_MIN
          ? `the disk of the spool has ${free} bytes free of the ${DISK_FREE_BYTES_MIN} it needs`
          : undefined;
    } catch (error) {
      this.#diskFailure = `the disk of the spool does not answer: ${String(error)}`;
    }
  }

  get #room(): number {
    return this.#bytesMax - Math.max(this.#bytes, this.#batches * BATCH_BYTES_MIN) - this.#reserved;
  }

  #full(): string {
    return `the spool holds ${this.#bytes} bytes in ${this.#batches} batches of SPOOL_BYTES_MAX ${this.#bytesMax}`;
  }
}
