/*
 * Records → batches, one open batch a lane. A batch is closed when it is full, when no message of its lane is in flight,
 * or when its linger time is over and a partition is free. So messages are small and fast at low load, and full at high
 * load. A message always stays below MESSAGE_BYTES_MAX.
 */
import assert from 'node:assert/strict';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { type Lane, type LaneMap, laneOf } from '@imscope/schemas/lanes.js';
import { type NewRequestLog, REQUEST_LOG_ENCODER } from '@imscope/schemas/request-log-encoder.js';
import { Batch } from './batch.js';
import { OpenBatch, type OpenBatchOptions } from './open-batch.js';

type LaneState = {
  readonly builder: BlockBuilder<NewRequestLog>;
  open: OpenBatch | undefined;
  /** Closed batches, oldest first. The byte budget bounds them. */
  readonly closed: Batch[];
};

export type BatcherOptions = OpenBatchOptions & {
  readonly lanes: LaneMap;
  readonly lingerMs: number;
  /** How long requests wait for a batch, from its first record. */
  readonly timeoutMs: number;
  /** A batch of this lane may be ready: call `next`. Never called from within `append`. */
  readonly onReady: (lane: Lane) => void;
};

export class Batcher {
  readonly #options: BatcherOptions;
  readonly #lanes = new Map<Lane, LaneState>();
  #draining = false;

  constructor(options: BatcherOptions) {
    this.#options = options;
    for (const lane of options.lanes.lanes) {
      this.#lanes.set(lane, {
        builder: new BlockBuilder(REQUEST_LOG_SCHEMA, REQUEST_LOG_ENCODER),
        open: undefined,
        closed: [],
      });
    }
  }

  /** Appends one valid record and returns the batch it went into. @param nowMs the collector's clock */
  append(record: NewRequestLog, nowMs: number): Batch {
    const { state, open } = this.#openOf(record);
    open.append(record, nowMs);
    if (open.full) {
      this.#close(state, open);
      setImmediate(this.#options.onReady, open.batch.lane);
    }
    return open.batch;
  }

  /** Counts a request without logging it, and returns the batch that carries the count. */
  countOnly(record: NewRequestLog, nowMs: number): Batch {
    const { open } = this.#openOf(record);
    open.countOnly(record, nowMs);
    return open.batch;
  }

  /** The next batch of the lane to send. @param idle nothing of the lane is in flight */
  next(lane: Lane, idle: boolean): Batch | undefined {
    const state = this.#stateOf(lane);
    const { open } = state;
    if (state.closed.length === 0 && open !== undefined && (idle || open.batch.due || this.#draining)) {
      this.#close(state, open);
    }
    return state.closed.shift();
  }

  /** Removes the batches whose deadline passed before they were sent; all of them with `nowMs` infinite. */
  removeExpired(nowMs: number): Batch[] {
    const expired: Batch[] = [];
    for (const state of this.#lanes.values()) {
      if (state.open !== undefined && state.open.batch.deadlineMs <= nowMs) this.#close(state, state.open);
      while (state.closed[0] !== undefined && state.closed[0].deadlineMs <= nowMs) {
        expired.push(...state.closed.splice(0, 1));
      }
    }
    return expired;
  }

  /** From now on no batch waits for more records. */
  drain(): void {
    this.#draining = true;
    for (const lane of this.#lanes.keys()) this.#options.onReady(lane);
  }

  #openOf(record: NewRequestLog): { state: LaneState; open: OpenBatch } {
    const lane = laneOf(this.#options.lanes, record.sdk_app_id);
    const state = this.#stateOf(lane);
    return { state, open: (state.open ??= this.#open(lane, state)) };
  }

  #stateOf(lane: Lane): LaneState {
    const state = this.#lanes.get(lane);
    assert(state !== undefined, `lane ${lane.name} is not in the lane map`);
    return state;
  }

  #open(lane: Lane, state: LaneState): OpenBatch {
    const batch = new Batch(lane, performance.now() + this.#options.timeoutMs);
    // After this turn of the event loop, so that requests received together are sent together.
    setImmediate(this.#options.onReady, lane);
    setTimeout(() => {
      batch.due = true;
      this.#options.onReady(lane);
    }, this.#options.lingerMs);
    return new OpenBatch(batch, state.builder, this.#options);
  }

  #close(state: LaneState, open: OpenBatch): void {
    state.open = undefined;
    state.closed.push(open.close());
  }
}
