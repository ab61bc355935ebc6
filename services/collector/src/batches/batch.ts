/*
 * One batch: the records of one lane that go to Kafka as one message under one id. Requests wait for
 * `settled`; what a batch came to is decided once, by the boot that logs it.
 */
import type { Lane } from '@imscope/schemas/lanes.js';
import { BatchCounts } from '../accounting/batch-counts.js';
import type { TailPosition } from '../spool/tail-position.js';
import type { Series } from '../accounting/metric-windows.js';
import type { UnloggedCounts } from '../accounting/unlogged-counts.js';

/**
 * `durable`: Kafka has it by all in-sync replicas, or it is on this machine's disk and will be sent. `not_taken`:
 * not in the log and never tried, so it is safe to send the records again. `in_doubt`: it may be stored.
 */
export type BatchOutcome = 'durable' | 'not_taken' | 'in_doubt';

export class Batch {
  readonly lane: Lane;
  /** Requests do not wait for it beyond this, milliseconds of the monotonic clock. */
  readonly deadlineMs: number;
  /** The batch id's boot where the request carried an `Idempotency-Key`: such a batch holds that request only. */
  readonly keyedBoot: string | undefined;
  readonly settled: Promise<BatchOutcome>;
  /** How far a tailed file was read with it, where its records are lines. */
  tail: TailPosition | undefined;
  records = 0;
  /** Event times of the records so far, epoch milliseconds. */
  timeLeast = Number.POSITIVE_INFINITY;
  timeGreatest = 0;
  /** What its records add to metrics and accounts once it is logged. */
  readonly counts = new BatchCounts<Series>();
  /** The same of requests that are counted without being logged one by one, summed up by window. */
  unlogged: UnloggedCounts | undefined;
  /** What it holds of a `ByteBudget` until it is durable or given up. */
  bytesHeld = 0;
  /** The linger is over: it goes as soon as a partition is free. */
  due = false;
  /** The message's value once no more records come. */
  container: Buffer | undefined;
  #outcome: BatchOutcome | undefined;
  #resolve: (outcome: BatchOutcome) => void = beforeConstruction;

  constructor(lane: Lane, deadlineMs: number, keyedBoot?: string) {
    this.lane = lane;
    this.deadlineMs = deadlineMs;
    this.keyedBoot = keyedBoot;
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
