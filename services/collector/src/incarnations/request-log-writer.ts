/*
 * Batches of request logs → the log of the running incarnation. Decides what makes them durable: Kafka's
 * acknowledgement while Kafka keeps up, the disk while it is away or overloaded. So a request waits for the faster of the
 * two, and 202 is never answered before one of them.
 */
import type { BatchId } from '@imscope/schemas/batch-headers.js';
import type { Lane, LaneMap } from '@imscope/schemas/lanes.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Batch } from '../batches/batch.js';
import type { Batcher } from '../batches/batcher.js';
import type { Incarnation, Target } from './incarnation.js';
import type { ByteBudget } from '../limits/byte-budget.js';
import type { KafkaAvailability } from '../kafka/kafka-availability.js';
import type { KeyedIds } from '../spool/keyed-ids.js';
import type { KeyedChunk } from '../batches/keyed-request.js';

/** How often deadlines of batches are checked. */
const SWEEP_MS = 100;
/** A batch that Kafka has not acknowledged for this long is synced, so that its requests are answered. */
const LATE_MS = 2_000;
/** Pause after a sync that failed. */
const SYNC_RETRY_MS = 1_000;

export type RequestLogWriterOptions = {
  readonly incarnation: Incarnation;
  readonly batcher: Pick<Batcher, 'next' | 'removeExpired'>;
  readonly lanes: LaneMap;
  readonly inFlightMax: number;
  readonly availability: Pick<KafkaAvailability, 'failure'>;
  readonly budget: ByteBudget;
  readonly keyedIds: KeyedIds;
  readonly logger: Logger;
};

export class RequestLogWriter {
  readonly #options: RequestLogWriterOptions;
  /** Partitions whose next batch is being logged. */
  readonly #reserved = new Set<number>();
  /** Batches that are being logged. */
  readonly #logging = new Set<Batch>();
  /** Keyed batches that are not settled yet, by id. */
  readonly #keyed = new Map<string, Batch>();
  #syncedBatches = 0;
  #syncing = false;
  #syncAfterMs = 0;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: RequestLogWriterOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(performance.now()), SWEEP_MS);
  }

  /** Logs the batches of a lane that are ready. */
  logReady(lane: Lane): void {
    const { incarnation, availability } = this.#options;
    if (availability.failure !== undefined || incarnation.requestLogs.backlogged(lane))
      this.#logForDisk(lane);
    else this.#logForKafka(lane);
  }

  logAllReady(): void {
    for (const lane of this.#options.lanes.lanes) this.logReady(lane);
  }

  /** Logs the batches of one keyed request. One that was logged before is not logged again, and gets the same outcome. */
  appendKeyed(chunks: readonly KeyedChunk[]): void {
    for (const chunk of chunks) this.#appendKeyed(chunk);
  }

  /** While stopping: batches without an outcome after this time are in doubt. */
  limit(timeoutMs: number): void {
    setTimeout(() => this.#sweep(Number.POSITIVE_INFINITY), timeoutMs).unref();
  }

  /** No request waits any more. */
  stop(): void {
    clearInterval(this.#sweeper);
    this.#sweep(Number.POSITIVE_INFINITY);
  }

  #logForKafka(lane: Lane): void {
    const { incarnation, batcher, inFlightMax } = this.#options;
    while (incarnation.requestLogs.inFlight + this.#reserved.size < inFlightMax) {
      const partition = incarnation.requestLogs.freePartition(lane, this.#reserved);
      if (partition === undefined) return;
      const idle =
        incarnation.requestLogs.idle(lane) && !lane.partitions.some((other) => this.#reserved.has(other));
      const batch = batcher.next(lane, idle);
      if (batch === undefined) return;
      this.#reserved.add(partition);
      this.#append(batch, { synced: false, target: () => ({ partition }) }, () => {
        this.#reserved.delete(partition);
        this.logReady(lane);
      });
    }
  }

  /** One round at a time: while the disk syncs, the next batch is filled. */
  #logForDisk(lane: Lane): void {
    const { incarnation, batcher } = this.#options;
    if (this.#syncedBatches > 0) return;
    for (;;) {
      const batch = batcher.next(lane, true);
      if (batch === undefined) return;
      this.#syncedBatches += 1;
      const target = () => ({ partition: incarnation.requestLogs.leastQueued(lane) });
      this.#append(batch, { synced: true, target }, () => {
        this.#syncedBatches -= 1;
        if (this.#syncedBatches === 0) this.logAllReady();
      });
    }
  }

  #appendKeyed({ batch, partition, sequence }: KeyedChunk): void {
    const { incarnation, keyedIds, availability } = this.#options;
    const id: BatchId = { boot: batch.keyedBoot ?? '', partition, sequence };
    const text = `${id.boot}:${partition}:${sequence}`;
    const earlier = this.#keyed.get(text);
    if (earlier !== undefined || keyedIds.has(id, Date.now())) {
      this.#dropRepeated(batch);
      if (earlier === undefined) batch.settle('durable');
      else void earlier.settled.then((outcome) => batch.settle(outcome));
      return;
    }
    this.#keyed.set(text, batch);
    void batch.settled.then(() => this.#keyed.delete(text));
    const synced = availability.failure !== undefined || incarnation.requestLogs.backlogged(batch.lane);
    this.#append(batch, { synced, target: () => ({ partition, sequence }) }, (logged) => {
      if (logged) keyedIds.remember(id, Date.now());
    });
  }

  #dropRepeated(batch: Batch): void {
    this.#options.incarnation.accounting.refused(batch);
    this.#options.budget.release(batch.bytesHeld);
    batch.bytesHeld = 0;
  }

  #append(
    batch: Batch,
    options: { synced: boolean; target: () => Target },
    onDone: (logged: boolean) => void,
  ): void {
    this.#logging.add(batch);
    this.#options.incarnation.append(batch, {
      ...options,
      onDone: (segment) => {
        this.#logging.delete(batch);
        onDone(segment !== undefined);
      },
    });
  }

  #sweep(nowMs: number): void {
    const { incarnation, batcher, availability, budget } = this.#options;
    for (const batch of batcher.removeExpired(nowMs)) {
      incarnation.accounting.refused(batch);
      budget.release(batch.bytesHeld);
      incarnation.settle(batch, 'not_taken');
    }
    for (const batch of [...this.#logging, ...incarnation.waitedFor]) {
      if (batch.deadlineMs <= nowMs) incarnation.settle(batch, 'in_doubt');
    }
    if (availability.failure !== undefined || incarnation.waitsLongerThan(LATE_MS)) this.#syncLate(nowMs);
  }

  /** Syncs batches that are in the log already and whose requests wait for Kafka. */
  #syncLate(nowMs: number): void {
    const { incarnation, logger } = this.#options;
    if (this.#syncing || nowMs < this.#syncAfterMs || incarnation.waitedFor.length === 0) return;
    this.#syncing = true;
    incarnation
      .sync()
      .catch((error: unknown) => {
        this.#syncAfterMs = nowMs + SYNC_RETRY_MS;
        logger.error({ err: error }, 'the spool cannot be synced: requests wait for Kafka');
      })
      .finally(() => {
        this.#syncing = false;
      });
  }
}
