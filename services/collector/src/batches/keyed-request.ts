/*
 * A request with an `Idempotency-Key`: its records are never in batches with others, and the ids of its batches derive
 * from sender, key, partition and chunk. So the same request sent again, to any collector, makes the same batches, and
 * consumers drop the second.
 */
import { createHash } from 'node:crypto';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { keyedBoot } from '@imscope/schemas/batch-headers.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { type Lane, type LaneMap, laneOf } from '@imscope/schemas/lanes.js';
import { type NewRequestLog, REQUEST_LOG_ENCODER } from '@imscope/schemas/request-log-encoder.js';
import { Batch } from './batch.js';
import { OpenBatch, type OpenBatchOptions } from './open-batch.js';

export type KeyedRequestOptions = OpenBatchOptions & {
  readonly lanes: LaneMap;
  /** How long the request waits for its batches. */
  readonly timeoutMs: number;
};

export type KeyedChunk = { readonly batch: Batch; readonly partition: number; readonly sequence: number };

type LaneChunks = { readonly partition: number; open: OpenBatch | undefined; chunks: number };

export class KeyedRequest {
  readonly #digest: Buffer;
  readonly #boot: string;
  readonly #options: KeyedRequestOptions;
  readonly #lanes = new Map<Lane, LaneChunks>();
  readonly #closed: KeyedChunk[] = [];

  constructor(sender: string, key: string, options: KeyedRequestOptions) {
    this.#digest = createHash('sha256').update(`${sender}\0${key}`).digest();
    this.#boot = keyedBoot(this.#digest);
    this.#options = options;
  }

  append(record: NewRequestLog, nowMs: number): Batch {
    const { state, open } = this.#openOf(record);
    open.append(record, nowMs);
    if (open.full) this.#close(state, open);
    return open.batch;
  }

  countOnly(record: NewRequestLog, nowMs: number): Batch {
    const { open } = this.#openOf(record);
    open.countOnly(record, nowMs);
    return open.batch;
  }

  /** All chunks, in order. No more records may be appended. */
  finish(): readonly KeyedChunk[] {
    for (const state of this.#lanes.values()) if (state.open !== undefined) this.#close(state, state.open);
    return this.#closed;
  }

  #openOf(record: NewRequestLog): { state: LaneChunks; open: OpenBatch } {
    const lane = laneOf(this.#options.lanes, record.sdk_app_id);
    let state = this.#lanes.get(lane);
    if (state === undefined) {
      // The same partition for the same key. It depends on this lane only, so that a change of another lane moves nothing.
      const partition = lane.partitions[this.#digest.readUInt32BE(24) % lane.partitions.length] ?? 0;
      this.#lanes.set(lane, (state = { partition, open: undefined, chunks: 0 }));
    }
    return { state, open: (state.open ??= this.#open(lane)) };
  }

  #open(lane: Lane): OpenBatch {
    const batch = new Batch(lane, performance.now() + this.#options.timeoutMs, this.#boot);
    return new OpenBatch(batch, new BlockBuilder(REQUEST_LOG_SCHEMA, REQUEST_LOG_ENCODER), this.#options);
  }

  #close(state: LaneChunks, open: OpenBatch): void {
    state.open = undefined;
    this.#closed.push({ batch: open.close(), partition: state.partition, sequence: state.chunks });
    state.chunks += 1;
  }
}
