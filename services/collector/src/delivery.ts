/*
 * Batches of one topic → Kafka, and the one place where a batch is resolved. One message is on its way per partition, so a
 * partition's sequences stand in the log in order and without gaps; several partitions run side by side.
 * A batch without an answer is sent again under the same id to the same partition until its time is over:
 * whoever reads the log drops the second copy.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BatchId, writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import type { Lane } from '@imscope/schemas/lanes.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Batch, BatchOutcome } from './batch.js';
import type { ByteBudget } from './byte-budget.js';
import type { KafkaAvailability } from './kafka-availability.js';
import { isPartitionFault, type SendMessage } from './kafka-producer.js';
import type { DeliveryMetrics } from './metrics.js';

/** First pause after a failed attempt; it doubles up to the second, each time within ± 50 %. */
const RETRY_PAUSE_MS = 100;
const RETRY_PAUSE_MS_MAX = 2_000;
/** An attempt without an answer for this long counts as Kafka being away; it is still waited for. */
const STALL_MS = 2_000;
/** How often batches are held against their deadline. */
const SWEEP_MS = 100;

export type DeliveryOptions = {
  readonly boot: string;
  readonly topic: string;
  readonly lanes: readonly Lane[];
  readonly inFlightMax: number;
  readonly send: SendMessage;
  readonly next: (lane: Lane, idle: boolean) => Batch | undefined;
  readonly takeExpired: (nowMs: number) => Batch[];
  readonly availability: Pick<KafkaAvailability, 'failure' | 'failed' | 'succeeded'>;
  readonly budget: ByteBudget;
  /** Kafka has the batch, in time or late: called once for each that it has, in order within a partition. */
  readonly onAcknowledged: (batch: Batch, id: BatchId) => void;
  readonly metrics: DeliveryMetrics;
  readonly logger: Logger;
};

type Flight = { readonly batch: Batch; readonly landed: Promise<void> };

export class Delivery {
  readonly #options: DeliveryOptions;
  /** By partition. */
  readonly #flights = new Map<number, Flight>();
  readonly #sequences = new Map<number, number>();
  readonly #sweeper: NodeJS.Timeout;
  #rotation = 0;
  /** On stopping, no batch is tried beyond this, milliseconds of the monotonic clock. */
  #lastMs = Number.POSITIVE_INFINITY;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(performance.now()), SWEEP_MS);
  }

  get inFlight(): number {
    return this.#flights.size;
  }

  /** Sends what is ready, as far as partitions are free and Kafka is there. */
  pump(lane: Lane): void {
    while (
      this.#flights.size < this.#options.inFlightMax &&
      this.#options.availability.failure === undefined
    ) {
      const partition = this.#freePartition(lane);
      if (partition === undefined) return;
      const idle = !lane.partitions.some((other) => this.#flights.has(other));
      const batch = this.#options.next(lane, idle);
      if (batch === undefined) return;
      this.#flights.set(partition, { batch, landed: this.#deliver(batch, partition) });
    }
  }

  pumpAll(): void {
    for (const lane of this.#options.lanes) this.pump(lane);
  }

  /** On stopping: from now on no batch is tried longer than this. */
  limit(timeoutMs: number): void {
    this.#lastMs = performance.now() + timeoutMs;
  }

  /** Waits for what is left, within the limit. Afterwards every batch that was tried is resolved. */
  async stop(): Promise<void> {
    this.pumpAll();
    while (this.#flights.size > 0 && performance.now() < this.#lastMs) {
      const landed = Promise.all(Array.from(this.#flights.values(), (flight) => flight.landed));
      const tooLate = new AbortController();
      const limit = sleep(this.#lastMs - performance.now(), undefined, {
        signal: tooLate.signal,
        ref: false,
      });
      await Promise.race([landed, limit]);
      tooLate.abort();
      await limit.catch(() => undefined);
    }
    clearInterval(this.#sweeper);
    this.#sweep(Number.POSITIVE_INFINITY);
  }

  /** The lane's free partitions take turns, flush by flush. */
  #freePartition(lane: Lane): number | undefined {
    const { partitions } = lane;
    for (let step = 0; step < partitions.length; step++) {
      const partition = partitions[(this.#rotation + step) % partitions.length];
      if (partition !== undefined && !this.#flights.has(partition)) {
        this.#rotation = (this.#rotation + step + 1) % partitions.length;
        return partition;
      }
    }
    return undefined;
  }

  async #deliver(batch: Batch, partition: number): Promise<void> {
    const { container } = batch;
    assert(container !== undefined, 'a batch is closed before it is delivered');
    const sequence = this.#sequences.get(partition) ?? 0;
    this.#sequences.set(partition, sequence + 1);
    const id: BatchId = { boot: this.#options.boot, partition, sequence };
    const acknowledged = await this.#tryUntilSettled(batch, container, id);
    if (!acknowledged) {
      this.#options.logger.error(
        { topic: this.#options.topic, batch: id, records: batch.records },
        'batch given up without an answer from Kafka: it may be missing, and its sequence with it',
      );
    }
    this.#flights.delete(partition);
    this.#options.budget.release(batch.bytesHeld);
    this.pumpAll();
  }

  /** True once Kafka has the batch, even where its requests were answered before. */
  async #tryUntilSettled(batch: Batch, container: Buffer, id: BatchId): Promise<boolean> {
    const eventTimes = { least: batch.timeLeast, greatest: batch.timeGreatest };
    const headers = writeBatchHeaders(id, batch.records, container, eventTimes);
    for (let pauseMs = RETRY_PAUSE_MS; batch.outcome === undefined; pauseMs *= 2) {
      if (await this.#trySend(container, headers, id)) {
        this.#options.onAcknowledged(batch, id);
        this.#settle(batch, 'acknowledged');
        return true;
      }
      const pause = Math.min(pauseMs, RETRY_PAUSE_MS_MAX) * (0.5 + Math.random());
      // Given up while pausing, it makes way for the next batch at once.
      await Promise.race([batch.settled, sleep(pause, undefined, { ref: false })]);
    }
    return false;
  }

  async #trySend(container: Buffer, headers: Record<string, string>, id: BatchId): Promise<boolean> {
    const { send, availability, metrics, logger } = this.#options;
    const endTimer = metrics.startTimer();
    const stall = setTimeout(() => {
      availability.failed(`no answer to a message for ${STALL_MS / 1000} s`);
    }, STALL_MS);
    try {
      await send(id.partition, container, headers);
      endTimer();
      availability.succeeded();
      return true;
    } catch (error) {
      metrics.failed();
      logger.debug({ err: error, batch: id }, 'message not acknowledged');
      if (!isPartitionFault(error)) availability.failed(messageOf(error));
      return false;
    } finally {
      clearTimeout(stall);
    }
  }

  #sweep(nowMs: number): void {
    const nowOrLastMs = nowMs >= this.#lastMs ? Number.POSITIVE_INFINITY : nowMs;
    for (const batch of this.#options.takeExpired(nowOrLastMs)) {
      this.#options.budget.release(batch.bytesHeld);
      this.#settle(batch, 'not_taken');
    }
    for (const { batch } of this.#flights.values()) {
      if (batch.deadlineMs <= nowOrLastMs) this.#settle(batch, 'in_doubt');
    }
  }

  #settle(batch: Batch, outcome: BatchOutcome): void {
    const { metrics } = this.#options;
    if (!batch.settle(outcome)) {
      if (outcome === 'acknowledged') metrics.acknowledgedLate();
      return;
    }
    metrics.settled(outcome, batch.records);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
