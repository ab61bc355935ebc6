/*
 * The capacity of the spool, over all incarnations. A request reserves its bytes before any of its records is accepted,
 * so that none is refused afterwards; without capacity it gets 503. Metrics and accounts of the collector itself are
 * not refused, and may exceed the bound.
 */
import { statfs } from 'node:fs/promises';
import { HttpError } from '@imscope/runtime/http-errors.js';

/** Kept free on the disk, so that truncating, renaming and logging still work. */
const DISK_FREE_BYTES_MIN = 64 << 20;
/** A waiting batch takes some 300 bytes of memory. Each counts as at least this many bytes of the bound. */
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

  /** Why no request can be accepted; undefined while there is capacity. */
  get failure(): string | undefined {
    if (this.#diskFailure !== undefined) return this.#diskFailure;
    return this.#capacity <= 0 ? this.#full() : undefined;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  addBatches(batches: number): void {
    this.#batches += batches;
  }

  /** Reserves bytes for one request. @throws HttpError unavailable where they do not fit */
  reserve(bytes: number): void {
    if (bytes > this.#capacity) {
      throw new HttpError('unavailable', `${this.#full()}: nothing of this request was accepted`, {
        retryAfterS: 5,
      });
    }
    this.#reserved += bytes;
  }

  release(bytes: number): void {
    this.#reserved -= bytes;
  }

  /** Reads how much the disk has free; call it about once a second. */
  async checkDisk(): Promise<void> {
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

  get #capacity(): number {
    return this.#bytesMax - Math.max(this.#bytes, this.#batches * BATCH_BYTES_MIN) - this.#reserved;
  }

  #full(): string {
    return `the spool holds ${this.#bytes} bytes in ${this.#batches} batches of SPOOL_BYTES_MAX ${this.#bytesMax}`;
  }
}
