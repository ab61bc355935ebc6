/*
 * A batch that is being filled, with its encoder. A record is added to the container, to the accounting and to the byte
 * budget in one step.
 */
import assert from 'node:assert/strict';
import type { BlockBuilder } from '@imscope/schemas/block-builder.js';
import type { NewRequestLog } from '@imscope/schemas/request-log-encoder.js';
import { MESSAGE_BYTES_MAX } from '@imscope/schemas/topics.js';
import type { Batch } from './batch.js';
import { COUNTS_BYTES_PER_RECORD } from '../accounting/batch-counts.js';
import type { ByteBudget } from '../limits/byte-budget.js';

/**
 * Encoded bytes at which a batch is full. One more record has at most 9 kB (all texts at their bounds, three bytes a
 * character), zstd adds at most 0.4 % to bytes it cannot compress, the header has 1.5 kB: 869 + 3.5 + 1.5 kB are below
 * 900 kB.
 */
const BATCH_BYTES_MAX = 860_000;

export type OpenBatchOptions = {
  readonly recordsMax: number;
  readonly budget: ByteBudget;
  /** Adds the record to what the accounting counts once the batch is logged. */
  readonly count: (batch: Batch, record: NewRequestLog, nowMs: number) => void;
  /** The same for a request that is counted without being logged. @returns the memory it takes, bytes */
  readonly countUnlogged: (batch: Batch, record: NewRequestLog, nowMs: number) => number;
};

export class OpenBatch {
  readonly batch: Batch;
  readonly #builder: BlockBuilder<NewRequestLog>;
  readonly #options: OpenBatchOptions;

  /** @param builder empty, and used for this batch alone until it is closed */
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

  /** The batch with its container. The budget now has the bytes it really takes. */
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
    this.#options.budget.add(bytes);
  }
}
