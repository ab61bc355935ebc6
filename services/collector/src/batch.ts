/*
 * One batch: the records of one lane that go to Kafka as one message under one id. Requests wait for
 * `settled`; what a batch came to is decided once, by `Delivery`.
 */
import type { Lane } from '@imscope/schemas/lanes.js';
import { BatchCounts } from './batch-counts.js';
import type { Series } from './metric-windows.js';

/**
 * `acknowledged`: Kafka has it, by all in-sync replicas. `not_taken`: never tried, so it is safe to send the
 * records again. `in_doubt`: tried without an answer, so it may have been written.
 */
export type BatchOutcome = 'acknowledged' | 'not_taken' | 'in_doubt';

export class Batch {
  readonly lane: Lane;
  /** Not tried any more after this, milliseconds of the monotonic clock. */
  readonly deadlineMs: number;
  readonly settled: Promise<BatchOutcome>;
  records = 0;
  /** Event times of the records so far, epoch milliseconds. */
  timeLeast = Number.POSITIVE_INFINITY;
  timeGreatest = 0;
  /** What its request logs add to metrics and accounts once Kafka has it. Batches of those have none. */
  readonly counts = new BatchCounts<Series>();
  /** What it holds of a `ByteBudget` until it is resolved. */
  bytesHeld = 0;
  /** The linger is over: it goes as soon as a partition is free. */
  due = false;
  /** The message's value once no more records come. */
  container: Buffer | undefined;
  #outcome: BatchOutcome | undefined;
  #resolve: (outcome: BatchOutcome) => void = beforeConstruction;

  constructor(lane: Lane, deadlineMs: number) {
    this.lane = lane;
    this.deadlineMs = deadlineMs;
    this.settled = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get outcome(): BatchOutcome | undefined {
    return this.#outcome;
  }

  /** The first outcome holds; false where there was one already. */
  settle(outcome: BatchOutcome): boolean {
    if (this.#outcome !== undefined) return false;
    this.#outcome = outcome;
    this.#resolve(outcome);
    return true;
  }
}

function beforeConstruction(): void {
  throw new Error('a batch is settled after it was constructed');
}
