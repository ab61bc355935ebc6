/*
 * Collects records of one schema as Avro bytes and wraps them into a container. Each record is encoded
 * when it is added, so that a flush costs only the compression.
 */
import assert from 'node:assert/strict';
import type { AvroSchema } from './avro-schema.js';
import { wrapBlock } from './container.js';

/** The buffer starts with this size; it doubles when full and is kept for the next block. */
const BYTES_EXPECTED = 64 << 10;

/** An encoder for a schema instead of avsc's. */
export type RecordEncoder<T> = {
  /** Most bytes of one record. */
  readonly bytesMax: number;
  /** Writes a record at `at`, where `bytesMax` bytes are free, and returns the position after it. */
  readonly encode: (record: T, into: Buffer, at: number) => number;
};

export class BlockBuilder<T> {
  readonly #schema: AvroSchema;
  readonly #encoder: RecordEncoder<T> | undefined;
  #buffer: Buffer;
  #bytes = 0;
  #records = 0;

  /** @param encoder instead of avsc's own */
  constructor(schema: AvroSchema, encoder?: RecordEncoder<T>) {
    this.#schema = schema;
    this.#encoder = encoder;
    this.#buffer = Buffer.allocUnsafe(BYTES_EXPECTED);
  }

  get records(): number {
    return this.#records;
  }

  /** Encoded bytes so far, before compression. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends one valid record. Throws where a field has the wrong type: validate before. */
  append(record: T): void {
    this.#bytes =
      this.#encoder === undefined ? this.#encodeByType(record) : this.#encodeBy(this.#encoder, record);
    this.#records += 1;
  }

  #encodeBy({ bytesMax, encode }: RecordEncoder<T>, record: T): number {
    if (this.#buffer.length - this.#bytes < bytesMax) this.#grow(bytesMax);
    const end = encode(record, this.#buffer, this.#bytes);
    assert(end - this.#bytes <= bytesMax, `a record of ${end - this.#bytes} bytes is beyond its bounds`);
    return end;
  }

  #encodeByType(record: T): number {
    const end = this.#schema.type.encode(record, this.#buffer, this.#bytes);
    if (end >= 0) return end;
    // Where the buffer is too small, `end` is how many bytes are missing, negative.
    this.#grow(-end);
    return this.#schema.type.encode(record, this.#buffer, this.#bytes);
  }

  #grow(bytesMissing: number): void {
    const { length } = this.#buffer;
    const grown = Buffer.allocUnsafe(Math.max(length * 2, length + bytesMissing));
    this.#buffer.copy(grown, 0, 0, this.#bytes);
    this.#buffer = grown;
  }

  /** The container of all records appended since the last call; the builder starts again. */
  finish(): Buffer {
    const container = wrapBlock(this.#schema, this.#records, this.#buffer.subarray(0, this.#bytes));
    this.#bytes = 0;
    this.#records = 0;
    return container;
  }
}
