/*
 * Collects records of one schema as Avro bytes and wraps them into a container. Encoding happens record by
 * record as they come, so that a flush costs only the deflate.
 */
import type { AvroSchema } from './avro-schema.js';
import { wrapBlock } from './container.js';

export class BlockBuilder<T> {
  readonly #schema: AvroSchema;
  #buffer: Buffer;
  #bytes = 0;
  #records = 0;

  /** @param bytesExpected size the buffer starts with; it doubles when full and is kept for the next block */
  constructor(schema: AvroSchema, bytesExpected = 64 << 10) {
    this.#schema = schema;
    this.#buffer = Buffer.allocUnsafe(bytesExpected);
  }

  get records(): number {
    return this.#records;
  }

  /** Encoded bytes so far, before deflate. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends one valid record. Throws where a field has the wrong type: validate before. */
  append(record: T): void {
    let end = this.#schema.type.encode(record, this.#buffer, this.#bytes);
    // Where the buffer is too small, `end` is how many bytes are missing, negative.
    if (end < 0) {
      const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#buffer.length - end));
      this.#buffer.copy(grown, 0, 0, this.#bytes);
      this.#buffer = grown;
      end = this.#schema.type.encode(record, this.#buffer, this.#bytes);
    }
    this.#bytes = end;
    this.#records += 1;
  }

  /** The container of all records appended since the last call; the builder starts anew. */
  finish(): Buffer {
    const container = wrapBlock(this.#schema, this.#records, this.#buffer.subarray(0, this.#bytes));
    this.#bytes = 0;
    this.#records = 0;
    return container;
  }
}
