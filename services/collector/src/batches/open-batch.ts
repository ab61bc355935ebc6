/*
 * A batch that still takes records, with the encoder behind it: what a record adds to the container, to the
 * books and to the byte budget happens here in one step.
 */
import assert from 'node:assert/strict';
import type { BlockBuilder } from '@imscope/schemas/block-builder.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import { MESSAGE_BYTES_MAX } from '@imscope/schemas/topics.js';
import type { Batch } from './batch.js';
import { COUNTS_BYTES_PER_RECORD } from '../accounting/batch-counts.js';
import type { ByteBudget } from '../limits/byte-budget.js';

/**
 * Encoded bytes at which a batch is full. One more record has at most 9 kB (all texts at their bounds, three
 * bytes a character), zstd adds at most 0.4 % to bytes it cannot pack, the header takes 1.5 kB:
 * 869 + 3.5 + 1.5 kB stay below 900 kB whatever is sent.
 */
const BATCH_BYTES_MAX = 860_000;

export type OpenBatchOptions = {
  readonly recordsMax: number;
  readonly budget: ByteBudget;
  /** Notes what a record adds to the books once its batch is logged. */
  readonly count: (batch: Batch, record: NewRequestLog, nowMs: number) => void;
  /** The same of a request that is not logged itself. Returns the bytes it takes. */
  readonly countUnlogged: (batch: Batch, record: NewRequestLog, nowMs: number) => number;
};

export class OpenBatch {
  readonly batch: Batch;
  readonly #builder: BlockBuilder<NewRequestLog>;
  readonly #options: OpenBatchOptions;

  /** @param builder an empty one, nobody else's until the batch is closed */
  constructor(batch: Batch, builder: BlockBuilder<NewRequestLog>, options: OpenBatchOptions) {
    this.batch = batch;
    this.#builder = builder;
    this.#options = options;
  }

  get full(): boolean {
    return this.batch.records >= this.#options.recordsMax || this.#builder.bytes >= BATCH_BYTES_MAX;
  }

  append(record: NewRequestLog, nowMs: number): void {
    const { batch } = this;
    const bytesBefore = this.#builder.bytes;
    this.#builder.append(record);
    batch.records += 1;
    batch.timeLeast = Math.min(batch.timeLeast, record.time);
    batch.timeGreatest = Math.max(batch.timeGreatest, record.time);
    this.#options.count(batch, record, nowMs);
    this.#hold(this.#builder.bytes - bytesBefore + COUNTS_BYTES_PER_RECORD);
  }

  countOnly(record: NewRequestLog, nowMs: number): void {
    this.#hold(this.#options.countUnlogged(this.batch, record, nowMs));
  }

  /** The batch with its container; what it holds is now what it really takes. */
  close(): Batch {
    const { batch } = this;
    const container = this.#builder.finish();
    assert(container.length < MESSAGE_BYTES_MAX, `a container of ${container.length} bytes is too large`);
    const bytes = container.length + batch.records * COUNTS_BYTES_PER_RECORD;
    this.#hold(bytes - batch.bytesHeld);
    batch.container = container;
    return batch;
  }

  #hold(bytes: number): void {
    this.batch.bytesHeld += bytes;
    this.#options.budget.take(bytes);
  }
}
