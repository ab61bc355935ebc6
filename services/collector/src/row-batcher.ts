/*
 * Rows of metrics and accounts → batches. Nobody waits for them and nothing of them expires: a batch stays
 * until Kafka has it, or until the collector has to end. Whoever appends looks at the budget first and keeps
 * what does not fit, so the queue is bounded.
 */
import assert from 'node:assert/strict';
import type { AvroSchema } from '@imscope/schemas/avro-schema.js';
import type { EventTimes } from '@imscope/schemas/batch-headers.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import type { Lane } from '@imscope/schemas/lanes.js';
import { MESSAGE_BYTES_MAX } from '@imscope/schemas/topics.js';
import { Batch } from './batch.js';
import type { ByteBudget } from './byte-budget.js';

/**
 * Encoded bytes at which a batch is closed. The largest row, a chunk of an account with 1,000 applications and
 * 13 reasons each, has 400 kB: 450 + 400 kB, deflate and header stay below 900 kB.
 */
const BATCH_BYTES_MAX = 450_000;

type LaneState<T> = { readonly builder: BlockBuilder<T>; open: Batch | undefined; readonly closed: Batch[] };

export class RowBatcher<T> {
  readonly #budget: ByteBudget;
  readonly #lanes: ReadonlyMap<Lane, LaneState<T>>;

  constructor(schema: AvroSchema, lanes: readonly Lane[], budget: ByteBudget) {
    this.#budget = budget;
    this.#lanes = new Map(
      lanes.map((lane) => [lane, { builder: new BlockBuilder<T>(schema), open: undefined, closed: [] }]),
    );
  }

  /** @param times least and greatest time the row stands for, epoch milliseconds */
  append(lane: Lane, row: T, times: EventTimes): void {
    const state = this.#stateOf(lane);
    const batch = (state.open ??= new Batch(lane, Number.POSITIVE_INFINITY));
    const bytesBefore = state.builder.bytes;
    state.builder.append(row);
    const bytes = state.builder.bytes - bytesBefore;
    batch.records += 1;
    batch.timeLeast = Math.min(batch.timeLeast, times.least);
    batch.timeGreatest = Math.max(batch.timeGreatest, times.greatest);
    batch.bytesHeld += bytes;
    this.#budget.take(bytes);
    if (state.builder.bytes >= BATCH_BYTES_MAX) this.#close(state, batch);
  }

  /** What was appended so far goes as it is. */
  closeAll(): void {
    for (const state of this.#lanes.values()) {
      if (state.open !== undefined) this.#close(state, state.open);
    }
  }

  next(lane: Lane): Batch | undefined {
    return this.#stateOf(lane).closed.shift();
  }

  /** Takes out what is left when time is over for good: with `nowMs` infinite, else nothing. */
  takeExpired(nowMs: number): Batch[] {
    if (Number.isFinite(nowMs)) return [];
    this.closeAll();
    return Array.from(this.#lanes.values()).flatMap(({ closed }) => closed.splice(0));
  }

  #stateOf(lane: Lane): LaneState<T> {
    const state = this.#lanes.get(lane);
    assert(state !== undefined, `lane ${lane.name} is not in the lane map`);
    return state;
  }

  #close(state: LaneState<T>, batch: Batch): void {
    const container = state.builder.finish();
    assert(container.length < MESSAGE_BYTES_MAX, `a container of ${container.length} bytes is too large`);
    this.#budget.release(batch.bytesHeld);
    this.#budget.take(container.length);
    batch.bytesHeld = container.length;
    batch.container = container;
    state.open = undefined;
    state.closed.push(batch);
  }
}
