/*
 * One batch: records of one lane that go to Kafka as one message with one id. Requests wait for `settled`. The
 * incarnation that logs the batch decides its outcome, once.
 */
import type { Lane } from '@imscope/schemas/lanes.js';
import { BatchCounts } from '../accounting/batch-counts.js';
import type { TailPosition } from '../spool/tail-position.js';
import type { Series } from '../accounting/metric-windows.js';
import type { UnloggedCounts } from '../accounting/unlogged-counts.js';

/**
 * `durable`: acknowledged by all in-sync replicas, or synced to this machine's disk and sent later. `not_taken`: it is
 * not in the log and was not sent, so that a retry is safe. `in_doubt`: it may be stored.
 */
export type BatchOutcome = 'durable' | 'not_taken' | 'in_doubt';

export class Batch {
  readonly lane: Lane;
  /** Requests wait for it until then, milliseconds of the monotonic clock. */
  readonly deadlineMs: number;
  /** `boot` of the batch id where the request has an `Idempotency-Key`: such a batch has that request's records only. */
  readonly keyedBoot: string | undefined;
  readonly settled: Promise<BatchOutcome>;
  /** The position in the tailed file after its last line, where its records are lines. */
  tail: TailPosition | undefined;
  records = 0;
  /** Event times of the records so far, epoch milliseconds. */
  timeLeast = Number.POSITIVE_INFINITY;
  timeGreatest = 0;
  /** What its records add to metrics and accounts once it is logged. */
  readonly counts = new BatchCounts<Series>();
  /** The same for requests that are counted without being logged one by one, summed up by window. */
  unlogged: UnloggedCounts | undefined;
  /** What it reserves of a `ByteBudget` until it is durable or given up. */
  bytesHeld = 0;
  /** The linger time is over: it is sent as soon as a partition is free. */
  due = false;
  /** The message's value, once the batch is closed. */
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

  /** Only the first outcome counts. @returns false where there was one already */
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
