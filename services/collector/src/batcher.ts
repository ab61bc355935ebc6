/*
 * Records → batches, one open batch a lane. A batch is closed when it is full, when nothing is on its way
 * (waiting would gain nothing) or when its linger is over and a partition is free: so messages are small and
 * quick when little comes, and full when much comes. A message always stays below MESSAGE_BYTES_MAX.
 */
import assert from 'node:assert/strict';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { type Lane, type LaneMap, laneOf } from '@imscope/schemas/lanes.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import { MESSAGE_BYTES_MAX } from '@imscope/schemas/topics.js';
import { Batch } from './batch.js';
import { COUNTS_BYTES_PER_RECORD } from './batch-counts.js';
import type { ByteBudget } from './byte-budget.js';
import type { Series } from './metric-windows.js';

/**
 * Encoded bytes at which a batch is closed. One more record has at most 9 kB (all texts at their bounds, three
 * bytes a character), deflate adds at most 0.1 % to bytes it cannot pack, the header takes 1.5 kB:
 * 869 + 0.9 + 1.5 kB stay below 900 kB whatever is sent.
 */
const BATCH_BYTES_MAX = 860_000;

type LaneState = {
  readonly builder: BlockBuilder<RequestLog>;
  open: Batch | undefined;
  /** Closed batches, oldest first. Bounded by the byte budget. */
  readonly closed: Batch[];
};

export type BatcherOptions = {
  readonly lanes: LaneMap;
  readonly recordsMax: number;
  readonly lingerMs: number;
  /** How long a batch is tried from its first record on. */
  readonly timeoutMs: number;
  readonly budget: ByteBudget;
  /** The series a record is counted in once its batch is acknowledged. */
  readonly seriesOf: (record: RequestLog) => Series;
  /** A batch of this lane may be ready: ask `next`. Never called from within `append`. */
  readonly onReady: (lane: Lane) => void;
};

export class Batcher {
  readonly #options: BatcherOptions;
  readonly #lanes = new Map<Lane, LaneState>();
  #draining = false;

  constructor(options: BatcherOptions) {
    this.#options = options;
    for (const lane of options.lanes.lanes) {
      this.#lanes.set(lane, { builder: new BlockBuilder(REQUEST_LOG_SCHEMA), open: undefined, closed: [] });
    }
  }

  /** Appends one valid record and returns the batch it went into. */
  append(record: RequestLog): Batch {
    const lane = laneOf(this.#options.lanes, record.sdk_app_id);
    const state = this.#stateOf(lane);
    const batch = (state.open ??= this.#open(lane));
    const bytesBefore = state.builder.bytes;
    state.builder.append(record);
    batch.records += 1;
    batch.timeLeast = Math.min(batch.timeLeast, record.time);
    batch.timeGreatest = Math.max(batch.timeGreatest, record.time);
    batch.counts.append(this.#options.seriesOf(record), record);
    const bytes = state.builder.bytes - bytesBefore + COUNTS_BYTES_PER_RECORD;
    batch.bytesHeld += bytes;
    this.#options.budget.take(bytes);
    if (batch.records >= this.#options.recordsMax || state.builder.bytes >= BATCH_BYTES_MAX) {
      this.#close(state, batch);
      setImmediate(this.#options.onReady, lane);
    }
    return batch;
  }

  /** The lane's next batch to go; `idle` where nothing of the lane is on its way. */
  next(lane: Lane, idle: boolean): Batch | undefined {
    const state = this.#stateOf(lane);
    const { open } = state;
    if (state.closed.length === 0 && open !== undefined && (idle || open.due || this.#draining)) {
      this.#close(state, open);
    }
    return state.closed.shift();
  }

  /** Takes out all batches whose time is over before they were tried. */
  takeExpired(nowMs: number): Batch[] {
    const expired: Batch[] = [];
    for (const state of this.#lanes.values()) {
      if (state.open !== undefined && state.open.deadlineMs <= nowMs) this.#close(state, state.open);
      while (state.closed[0] !== undefined && state.closed[0].deadlineMs <= nowMs) {
        expired.push(...state.closed.splice(0, 1));
      }
    }
    return expired;
  }

  /** From now on no batch waits for company. */
  drain(): void {
    this.#draining = true;
    for (const lane of this.#lanes.keys()) this.#options.onReady(lane);
  }

  #stateOf(lane: Lane): LaneState {
    const state = this.#lanes.get(lane);
    assert(state !== undefined, `lane ${lane.name} is not in the lane map`);
    return state;
  }

  #open(lane: Lane): Batch {
    const batch = new Batch(lane, performance.now() + this.#options.timeoutMs);
    // After this turn of the event loop, so that requests that came together go together.
    setImmediate(this.#options.onReady, lane);
    setTimeout(() => {
      batch.due = true;
      this.#options.onReady(lane);
    }, this.#options.lingerMs);
    return batch;
  }

  #close(state: LaneState, batch: Batch): void {
    const container = state.builder.finish();
    assert(container.length < MESSAGE_BYTES_MAX, `a container of ${container.length} bytes is too large`);
    this.#options.budget.release(batch.bytesHeld);
    batch.bytesHeld = container.length + batch.records * COUNTS_BYTES_PER_RECORD;
    this.#options.budget.take(batch.bytesHeld);
    batch.container = container;
    state.open = undefined;
    state.closed.push(batch);
  }
}
